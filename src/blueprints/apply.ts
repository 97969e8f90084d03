import { DoorwardError } from '../kernel/errors.ts';
import type { BlueprintInput, BlueprintPlan } from './plan.ts';
import type { Finding } from './proof/finding.ts';

const tries = 5;

/** What was carried out, and what the proof found in it. */
export type Applied = Omit<BlueprintPlan, 'change'> & { readonly findings: readonly Finding[] };

/**
 * Carries out blueprints: all of the files or, on any error, nothing. Doing it again changes nothing.
 *
 * @throws DoorwardError `blueprint`: `file:line:column: what is wrong and what to do`, what the proof refuses included
 * @throws DoorwardError `store_unavailable` when others keep changing the definitions meanwhile
 *
 * @example
 * const { summary, warnings } = await applyBlueprints({ files, stages, definitions: store.definitions, read: store.read });
 */
export async function applyBlueprints(input: BlueprintInput): Promise<Applied> {
  // YAML is read seldom, so its parser is not part of every start.
  const { planBlueprints } = await import('./plan.ts');
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const { change, ...rest } = await planBlueprints(input);
    if (changesNothing(change)) return { ...rest, findings: [] };
    const findings = await provenBefore(input, { change, ...rest });
    if ((await input.definitions.apply(change)) === 'done') {
      if (findings.length > 0) input.found?.(findings);
      return { ...rest, findings };
    }
  }
  throw new DoorwardError('store_unavailable', 'the definitions were changed by others each time; try again');
}

async function provenBefore(input: BlueprintInput, plan: BlueprintPlan): Promise<readonly Finding[]> {
  if (input.proof === undefined || input.proof === 'off') return [];
  const { proveChange } = await import('./proof/gate.ts');
  return proveChange(input, plan);
}

function changesNothing({ put, remove, flows, removedFlows, effects }: BlueprintPlan['change']): boolean {
  return [put, remove, flows, removedFlows, effects].every((list) => list.length === 0);
}
