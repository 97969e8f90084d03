/** Users' links to identity providers, and how one is taken away without locking its owner out. */
import type { Connection } from '../engine/connection.ts';
import type { Effect, NewEvent } from '../engine/effects.ts';
import { notice } from '../engine/mail.ts';
import type { User } from '../engine/user.ts';
import type { Visitor } from '../engine/visitor.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { newUuid } from '../kernel/ids.ts';
import type { OpenStore } from '../store/open.ts';

/** Who asks, for the event and for the message that tells the owner. */
export interface Disconnecting {
  readonly event: Pick<NewEvent, 'user' | 'onBehalfOf' | 'context' | 'address' | 'requestId'>;
  readonly visitor: Pick<Visitor, 'agent' | 'address' | 'locale'>;
}

export interface Connections {
  /** The oldest first. */
  of(userId: number): Promise<readonly Connection[]>;
  /** @throws DoorwardError `only_sign_in`, `not_found`, `refused` */
  disconnect(connection: Connection, by: Disconnecting): Promise<void>;
}

/** Where the write stage lists the sources that a user came from (W26). */
const sourcesAttribute = 'goauthentik.io/user/sources';
/** More than anybody has. */
const listed = 1_000;
/** Somebody else may write the row first so often. */
const mostAttempts = 10;

export function createConnections({ store, now }: { readonly store: OpenStore; now(): number }): Connections {
  const of = (userId: number) => store.accounts.listConnections({ userId, pageSize: listed });
  return {
    of,
    async disconnect(connection, by) {
      for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
        const user = await store.read.user(connection.userId);
        const others = (await of(connection.userId)).filter(({ uuid }) => uuid !== connection.uuid);
        if (user === null) throw gone();
        if (others.length === 0 && !(await signsInOtherwise(store, user)))
          throw new DoorwardError(
            'only_sign_in',
            `${user.username} has neither a password, a passkey nor another source`,
          );
        const effects = effectsOf(connection, user, { others, by, at: now() });
        const answer = await store.commit({ id: newUuid(), runs: [], effects });
        if (answer.status === 'done') return;
        if (answer.status === 'refused' && answer.refusal.reason === 'missing') throw gone();
      }
      throw new DoorwardError('refused', 'somebody else changed this account meanwhile; try again');
    },
  };
}

function gone(): DoorwardError {
  return new DoorwardError('not_found', 'it was disconnected a moment ago');
}

async function signsInOtherwise({ read }: OpenStore, { id }: User): Promise<boolean> {
  const hash = await read.passwordHash(id);
  // As Django marks a password that is none.
  if (hash !== null && hash !== '' && !hash.startsWith('!')) return true;
  return (await read.authenticatorsOf(id)).some(({ kind }) => kind === 'webauthn');
}

interface Removal {
  readonly others: readonly Connection[];
  readonly by: Disconnecting;
  readonly at: number;
}

/** The row's version guards it: of two that are removed at the same moment, the second one sees itself as the last. */
function effectsOf({ uuid, source }: Connection, user: User, { others, by, at }: Removal): readonly Effect[] {
  const known = user.attributes[sourcesAttribute];
  const left = Array.isArray(known) && !others.some((one) => one.source === source) ? known : null;
  const attributes = { ...user.attributes, [sourcesAttribute]: left?.filter((name) => name !== source) ?? [] };
  const context = { source, ...by.event.context };
  return [
    { kind: 'connection.remove', uuid, userId: user.id },
    { kind: 'user.update', id: user.id, version: user.version, set: left === null ? {} : { attributes } },
    { kind: 'event', event: { ...by.event, action: 'source_unlinked', context, flow: null, at } },
    ...notice('source_disconnected', { user, visitor: by.visitor, at }),
  ];
}
