import type { OpenStore } from '../store/open.ts';

/** The same store without counters against guessing: for drills and private networks (CONTRACT: Limits). */
export function withoutLimits(store: OpenStore): OpenStore {
  return {
    ...store,
    read: { ...store.read, attempts: async () => 0 },
    commit: (commit) =>
      store.commit({ ...commit, effects: commit.effects.filter(({ kind }) => !kind.startsWith('attempt.')) }),
  };
}
