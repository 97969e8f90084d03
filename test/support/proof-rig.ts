import { BlueprintRig } from '../../src/blueprints/blueprint-rig.ts';
import { planBlueprints } from '../../src/blueprints/plan.ts';
import type { FindingCode, Severity } from '../../src/blueprints/proof/codes.ts';
import type { Finding } from '../../src/blueprints/proof/finding.ts';
import { proveFlows } from '../../src/blueprints/proof/prove.ts';
import type { AnyPolicy } from '../../src/engine/policy.ts';
import type { AnyStage } from '../../src/engine/stage.ts';
import { policies as shippedPolicies } from '../../src/policies/index.ts';
import { stages as shippedStages } from '../../src/stages/index.ts';
import { type FlowPart, flowYaml, type StagePart } from './flow-yaml.ts';

/** What the proof finds, in flows given as the other tests give them or as YAML. */
export async function findingsOf(
  flows: readonly (FlowPart | string)[],
  more: { readonly stages?: readonly AnyStage[]; readonly policies?: readonly AnyPolicy[] } = {},
): Promise<readonly Finding[]> {
  const installed = {
    stages: [...shippedStages, ...(more.stages ?? [])],
    policies: [...shippedPolicies, ...(more.policies ?? [])],
  };
  const rig = new BlueprintRig();
  const files = flows.map((flow, index) =>
    typeof flow === 'string' ? { name: `flow-${index}.yaml`, text: flow } : flowYaml(flow),
  );
  const { compiled, places } = await planBlueprints({ ...rig.input([]), ...installed, files });
  return proveFlows({ flows: compiled, installed, places });
}

/** Codes of what is found, of this severity and above; each once. */
export function codesOf(findings: readonly Finding[], least: Severity = 'note'): readonly FindingCode[] {
  const counted: readonly Severity[] = {
    error: ['error'],
    warning: ['error', 'warning'],
    note: ['error', 'warning', 'note'],
  }[least] as readonly Severity[];
  return [...new Set(findings.filter(({ severity }) => counted.includes(severity)).map(({ code }) => code))].sort();
}

/** The one finding of this code. */
export function found(findings: readonly Finding[], code: FindingCode): Finding {
  const [first, ...others] = findings.filter((finding) => finding.code === code);
  if (first === undefined || others.length > 0)
    throw new Error(`expected one ${code}, but found ${JSON.stringify(findings.map((finding) => finding.code))}`);
  return first;
}

/** `stage visited` for each step of a finding's path. */
export function pathOf({ path }: Finding): readonly string[] {
  return path.map(({ stage, flow, what }) => `${stage === null ? flow : stage.replace(/^.*?-\d+-/, '')} ${what}`);
}

/** A flow, by its stages. */
export function flowOf(
  stages: readonly StagePart[],
  attrs: Readonly<Record<string, unknown>> = {},
  slug = 'flow',
): FlowPart {
  return { slug, stages, attrs };
}

/** What flows are for, as `attrs`. */
export const recovery = { designation: 'recovery' };
export const signIn = { designation: 'authentication' };
export const settings = { designation: 'stage_configuration', authentication: 'require_authenticated' };

export const identification: StagePart = {
  kind: 'identification',
  attrs: { user_fields: ['username', 'email'], show_matched_user: false },
};
export const password: StagePart = { kind: 'password' };
export const link: StagePart = { kind: 'doorward_stages_one_time_link.onetimelinkstage' };
export const newPassword: StagePart = {
  kind: 'prompt',
  fields: [
    { field_key: 'password', type: 'password' },
    { field_key: 'password_repeat', type: 'password' },
  ],
};
export const profile: StagePart = { kind: 'prompt', fields: [{ field_key: 'username' }, { field_key: 'name' }] };
export const login: StagePart = { kind: 'user_login' };
export const update: StagePart = { kind: 'user_write', attrs: { user_creation_mode: 'never_create' } };
export const create: StagePart = { kind: 'user_write', attrs: { user_creation_mode: 'always_create' } };

/** A stage with an expression policy of that name bound to it; `expressionsOf` declares it. */
export function onlyIf(stage: StagePart, name: string, more: Readonly<Record<string, unknown>> = {}): StagePart {
  return {
    ...stage,
    policies: [
      ...(stage.policies ?? []),
      { policy: `!Find [authentik_policies_expression.expressionpolicy, [name, ${name}]]`, ...more },
    ],
  };
}

/** Expression policies by name, as a file to apply before the flows that use them. */
export function expressionsOf(expressions: Readonly<Record<string, string>>): string {
  const entries = Object.entries(expressions).map(([name, expression]) => {
    return { model: 'authentik_policies_expression.expressionpolicy', identifiers: { name }, attrs: { expression } };
  });
  return JSON.stringify({ version: 1, entries });
}
