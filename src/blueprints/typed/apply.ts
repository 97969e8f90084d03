import type { Definition } from '../../engine/definition.ts';
import { applyBlueprints } from '../apply.ts';
import { flowModel } from '../models.ts';
import type { BlueprintInput } from '../plan.ts';
import { carryOutFlows, flowHash, typedModel } from './carry-out.ts';
import type { TypedFlow } from './flow.ts';

/**
 * Applies the flows in code that are missing, or whose code says something else than when they were last applied. So
 * what an administrator changes or rolls back meanwhile holds until the code changes. Safe at every start, on every
 * node. A flow that is no longer in the code stays, since links and runs may lead to it.
 *
 * @throws DoorwardError `blueprint`: which flow and stage, what is wrong and what to do
 */
export async function applyTyped(input: Omit<BlueprintInput, 'files'>, flows: readonly TypedFlow[]): Promise<void> {
  if (flows.length === 0) return;
  const { definitions } = await input.definitions.all();
  const due = flows.filter((flow) => isDue(flow, definitions));
  if (due.length === 0) return;
  await applyBlueprints({ ...input, files: [], also: (planning) => carryOutFlows(planning, due) });
}

function isDue(flow: TypedFlow, definitions: readonly Definition[]): boolean {
  const has = (model: string) =>
    definitions.find((one) => one.model === model && one.attrs.slug === flow.slug)?.attrs ?? null;
  return has(flowModel) === null || has(typedModel)?.hash !== flowHash(flow);
}
