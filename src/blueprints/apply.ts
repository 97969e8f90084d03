import { DoorwardError } from '../kernel/errors.ts';
import type { BlueprintInput, BlueprintPlan } from './plan.ts';

const tries = 5;

/**
 * Carries out blueprints: all of the files or, on any error, nothing. Doing it again changes nothing.
 *
 * @throws DoorwardError `blueprint`: `file:line:column: what is wrong and what to do`
 * @throws DoorwardError `store_unavailable` when others keep changing the definitions meanwhile
 *
 * @example
 * const { summary, warnings } = await applyBlueprints({ files, stages, definitions: store.definitions, read: store.read });
 */
export async function applyBlueprints(input: BlueprintInput): Promise<Omit<BlueprintPlan, 'change'>> {
  // YAML is read seldom, so its parser is not part of every start.
  const { planBlueprints } = await import('./plan.ts');
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const { change, ...rest } = await planBlueprints(input);
    if (changesNothing(change) || (await input.definitions.apply(change)) === 'done') return rest;
  }
  throw new DoorwardError('store_unavailable', 'the definitions were changed by others each time; try again');
}

function changesNothing({ put, remove, flows, removedFlows, effects }: BlueprintPlan['change']): boolean {
  return [put, remove, flows, removedFlows, effects].every((list) => list.length === 0);
}
