import type { Loaded } from '../engine/ports.ts';
import { type From, signedInHere } from '../engine/signed-in-here.ts';
import type { World } from '../engine/world.ts';
import { hashToken, newUuid } from '../kernel/ids.ts';

/** A session's last use is written at most so often: the idle timeout counts in days. */
const touchEveryMs = 5 * 60 * 1000;

type Sessions = Pick<World, 'store' | 'tools'>;

/** Who is signed in by this token, from there; null for nobody. */
export async function sessionOf(
  world: Sessions,
  token: string,
  { address, requestId }: Omit<From, 'flow'>,
): Promise<Loaded['signedIn']> {
  const key = { sessionHash: hashToken(token), flow: '', variant: '', now: world.tools.now() };
  const { signedIn: loaded } = await world.store.load(key);
  const signedIn = await signedInHere(world, loaded, { address, requestId, flow: null });
  if (signedIn === 'ended') return null;
  touch(world, signedIn);
  return signedIn;
}

/** Notes that a session is in use. Nobody waits for it, and a failure is tried again with the next request. */
function touch({ store, tools }: Sessions, signedIn: Loaded['signedIn']): void {
  const now = tools.now();
  if (signedIn === null || now - signedIn.session.lastUsedAt < touchEveryMs) return;
  const { tokenHash, address } = signedIn.session;
  const effect = { kind: 'session.touch', tokenHash, at: now, address } as const;
  store
    .commit({ id: newUuid(), runs: [], effects: [effect] })
    .catch((error: unknown) => tools.log('warn', 'the use of a session could not be noted', { error: String(error) }));
}
