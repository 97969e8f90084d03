/** The proof before blueprints are carried out: what is found in the flows that change is refused, told or left alone. */
import { DoorwardError } from '../../kernel/errors.ts';
import type { Json } from '../../kernel/json.ts';
import { parseBlueprint } from '../parse.ts';
import type { BlueprintInput, BlueprintPlan } from '../plan.ts';
import { codes, isFindingCode } from './codes.ts';
import type { Finding } from './finding.ts';
import { proveFlows } from './prove.ts';

/** A blueprint's own label: codes that its author takes responsibility for, as a list or separated by commas. */
const allowLabel = 'x-doorward-allow';

/**
 * What is found in flows that a plan changes, without what is allowed.
 *
 * @throws DoorwardError `blueprint` with every error found, where `proof` is `refuse`
 */
export function proveChange(input: BlueprintInput, plan: BlueprintPlan): readonly Finding[] {
  const { proof = 'off', allow = [] } = input;
  if (proof === 'off') return [];
  const changed = new Set(plan.change.flows.map(({ slug }) => slug));
  if (changed.size === 0) return [];
  checkCodes(allow, 'allow');
  const labels = labelsOf(input);
  const found = provePlan(input, plan).filter(
    ({ flow, code, place, path }) =>
      (changed.has(flow) || path.some((step) => changed.has(step.flow))) &&
      !allow.includes(code) &&
      !(place !== null && labels.get(place.file)?.includes(code)),
  );
  const errors = found.filter(({ severity }) => severity === 'error');
  if (proof === 'refuse' && errors.length > 0) throw refusal(errors);
  return found;
}

/** Everything that is found in the flows of a plan, changed or not. */
export function provePlan(
  { stages, policies, origin }: Pick<BlueprintInput, 'stages' | 'policies' | 'origin'>,
  { compiled, places }: Pick<BlueprintPlan, 'compiled' | 'places'>,
): readonly Finding[] {
  const ours = origin === undefined ? {} : { origin };
  return proveFlows({ flows: compiled, installed: { stages, policies }, places, ...ours });
}

/** `flow.yaml:12:3: error[code]: what can happen. What to change.` */
export function findingLine({ place, flow, stage, severity, code, message, change }: Finding): string {
  const where =
    place === null
      ? `flow ${flow}${stage === null ? '' : `, stage "${stage}"`}`
      : `${place.file}:${place.line}:${place.column}`;
  return `${where}: ${severity}[${code}]: ${message} ${change}`;
}

function refusal(errors: readonly Finding[]): DoorwardError {
  const allowed = [...new Set(errors.map(({ code }) => code))].join(',');
  const lines = errors.map(findingLine).join('\n');
  return new DoorwardError(
    'blueprint',
    `${lines}\nNothing was applied. "doorward check" draws the paths; allow ${allowed} to apply all the same.`,
  );
}

/** By file: the codes that its metadata allows. */
function labelsOf({ files }: BlueprintInput): ReadonlyMap<string, readonly string[]> {
  return new Map(
    files.map(({ name, text }) => {
      const allowed = listOf(parseBlueprint(name, text).metadata.labels[allowLabel]);
      checkCodes(allowed, `${name}: ${allowLabel}`);
      return [name, allowed];
    }),
  );
}

function listOf(label: Json | undefined): readonly string[] {
  const items = typeof label === 'string' ? label.split(',') : Array.isArray(label) ? label : [];
  return items.map((item: Json) => String(item).trim()).filter((item) => item !== '');
}

function checkCodes(given: readonly string[], where: string): void {
  const unknown = given.find((code) => !isFindingCode(code));
  if (unknown !== undefined)
    throw new DoorwardError(
      'configuration',
      `${where}: there is no finding ${JSON.stringify(unknown)}; the codes are ${Object.keys(codes).join(', ')}`,
    );
}
