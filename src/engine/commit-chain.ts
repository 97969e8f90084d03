import { DoorwardError } from '../kernel/errors.ts';
import { newUuid } from '../kernel/ids.ts';
import type { Chain } from './chain.ts';
import type { RunWrite } from './ports.ts';
import type { World } from './world.ts';

/** A stage may decide again after a refusal so often. */
const refusalLimit = 5;
/** So often somebody else may write a row first: each time means that they got on, so it ends. */
const changedLimit = 100;

/**
 * Commits what a chain decided. After a refusal the stage decides again, and that is committed, never the same thing
 * once more.
 *
 * @param writes the run's rows as the chain stands, or null when nothing must be written
 * @param goOn after a stage decided again, what else can be done without the visitor
 * @returns `lost`: another request moved the run first
 * @throws DoorwardError `store_unavailable`
 */
export async function commitChain(
  world: World,
  chain: Chain,
  writes: () => Promise<readonly RunWrite[] | null>,
  goOn: () => Promise<void> = async () => {},
): Promise<'done' | 'lost'> {
  const refusals = { changed: 0, other: 0 };
  while (refusals.other <= refusalLimit && refusals.changed <= changedLimit) {
    const runs = await writes();
    if (runs === null) return 'done';
    const answer = await world.store.commit({ id: newUuid(), runs, effects: chain.state.effects });
    if (answer.status !== 'refused') return answer.status;
    refusals[answer.refusal.reason === 'changed' ? 'changed' : 'other'] += 1;
    await chain.refused(answer.refusal);
    await goOn();
  }
  throw new DoorwardError('store_unavailable', 'a commit was refused again and again', { retryAfter: 1 });
}
