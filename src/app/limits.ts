import { type Limits, noLimits } from '../engine/limits.ts';
import type { OpenStore } from '../store/open.ts';
import type { DoorwardOptions } from './options.ts';
import { createRateLimits } from './rate-limits.ts';

/** The store that counts attempts, and the budgets in front of it; neither where they are turned off. */
export function limitedStore(
  wished: DoorwardOptions['rateLimits'],
  opened: OpenStore,
  now: () => number,
): { readonly counted: OpenStore; readonly limits: Limits } {
  if (wished === false) return { counted: withoutLimits(opened), limits: noLimits };
  return { counted: opened, limits: createRateLimits(typeof wished === 'object' ? wished : {}, now) };
}

/** The same store without counters against guessing: for drills and private networks (CONTRACT: Limits). */
function withoutLimits(store: OpenStore): OpenStore {
  return {
    ...store,
    read: { ...store.read, attempts: async () => 0 },
    commit: (commit) =>
      store.commit({ ...commit, effects: commit.effects.filter(({ kind }) => !kind.startsWith('attempt.')) }),
  };
}
