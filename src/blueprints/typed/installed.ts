import type { AnyPolicy } from '../../engine/policy.ts';
import { functionPolicy } from '../../policies/function/policy.ts';
import type { Installed } from '../models.ts';
import { plainOf } from './condition.ts';
import { functionsOf } from './entries.ts';
import type { TypedFlow } from './flow.ts';
import type { TypedStage } from './stage.ts';

/** What is installed, with the functions of these flows, and the stages and policies of your own that they use. */
export function installedWith(flows: readonly TypedFlow[], { stages, policies }: Installed): Installed {
  const used = flows.flatMap((flow) => flow.stages.flatMap(withInline));
  return {
    stages: [...new Set([...stages, ...used.map(({ stage }) => stage)])],
    policies: [...new Set([...policies, ...policiesOf(flows), functionPolicy(functionsOf(flows)) as AnyPolicy])],
  };
}

function policiesOf(flows: readonly TypedFlow[]): readonly AnyPolicy[] {
  const conditions = flows.flatMap(({ when, stages }) => [
    ...when,
    ...stages.flatMap((stage) => [...stage.when, ...stage.validate]),
  ]);
  return conditions.flatMap((condition) => {
    const { plain } = plainOf(condition);
    return typeof plain !== 'function' && 'policy' in plain ? [plain.policy] : [];
  });
}

function withInline(typed: TypedStage): readonly TypedStage[] {
  const inline = Object.values(typed.config).flatMap((value) =>
    value !== null && typeof value === 'object' && '$inline' in value ? [value.$inline as TypedStage] : [],
  );
  return [typed, ...inline];
}
