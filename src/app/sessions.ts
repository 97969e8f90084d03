import type { Loaded, Store } from '../engine/ports.ts';
import { newUuid } from '../kernel/ids.ts';
import type { Log } from './options.ts';

/** A session's last use is written at most so often: the idle timeout counts in days. */
const touchEveryMs = 5 * 60 * 1000;

/** Notes that a session is in use. Nobody waits for it, and a failure is tried again with the next request. */
export function touch(store: Store, signedIn: Loaded['signedIn'], now: number, log: Log): void {
  if (signedIn === null || now - signedIn.session.lastUsedAt < touchEveryMs) return;
  const { tokenHash, address } = signedIn.session;
  const effect = { kind: 'session.touch', tokenHash, at: now, address } as const;
  store
    .commit({ id: newUuid(), runs: [], effects: [effect] })
    .catch((error: unknown) => log('warn', 'the use of a session could not be noted', { error: String(error) }));
}
