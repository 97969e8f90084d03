import { newUuid } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { endSessions, eventActor, signedInNow } from './acting.ts';
import type { Effect } from './effects.ts';
import type { Loaded } from './ports.ts';
import { type BrokenBinding, brokenBinding } from './session-binding.ts';
import type { World } from './world.ts';

type SignedIn = NonNullable<Loaded['signedIn']>;

/** The request that a session comes with. */
export interface From {
  readonly address: string;
  readonly requestId: string;
  /** Slug; null outside of flows. */
  readonly flow: string | null;
}

/**
 * Who a session stands for at this moment and from this address. One that is bound elsewhere ends, in a commit of its
 * own, and the request goes on as anybody's: `ended`. Where it is free, or the address is the last one, nothing is
 * looked up.
 *
 * @throws DoorwardError `store_unavailable`: a session that cannot be ended is not used either
 */
export async function signedInHere(
  world: Pick<World, 'store' | 'tools'>,
  loaded: Loaded['signedIn'],
  from: From,
): Promise<Loaded['signedIn'] | 'ended'> {
  const signedIn = await signedInNow(loaded, world.store.read);
  if (signedIn === null) return null;
  const { session } = signedIn;
  if (session.boundTo === null || session.address === from.address) return signedIn;
  const { store, tools } = world;
  if (from.address === '') {
    tools.log('warn', 'a bound session is not used: the address of its request is not known', { flow: from.flow });
    return null;
  }
  const broken = brokenBinding(session.boundTo, from.address, tools.whereabouts);
  const effects = broken === null ? [movedTo(world, signedIn, from)] : endOf(world, signedIn, from, broken);
  // Refused: another request from elsewhere ended it.
  await store.commit({ id: newUuid(), runs: [], effects });
  return broken === null ? { ...signedIn, session: { ...session, address: from.address } } : 'ended';
}

function movedTo({ tools }: Pick<World, 'tools'>, { session }: SignedIn, { address }: From): Effect {
  return { kind: 'session.touch', tokenHash: session.tokenHash, at: tools.now(), address };
}

function endOf(
  { tools }: Pick<World, 'tools'>,
  { session, user, impersonator }: SignedIn,
  { address, requestId, flow }: From,
  { reason, previous, present }: BrokenBinding,
): readonly Effect[] {
  const visitor = { session, user, impersonator, address, requestId };
  const context: JsonObject = {
    binding: { reason, previous_value: previous, new_value: present },
    ip: { previous: session.address, new: address },
  };
  const at = tools.now();
  const event = { action: 'logout', ...eventActor(visitor, user), context, address, requestId, flow, at };
  const where = flow === null ? null : { slug: flow };
  return [
    ...endSessions({ visitor, sessionHash: session.tokenHash, flow: where, tools, once: true }),
    { kind: 'event', event },
  ];
}
