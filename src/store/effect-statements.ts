import type { Effect } from '../engine/effects.ts';
import { newUuid } from '../kernel/ids.ts';
import { approvalStatements } from './approval-rows.ts';
import { attemptStatements } from './attempt-rows.ts';
import { addAuthenticator, changeAuthenticator, useAuthenticator } from './authenticator-rows.ts';
import { connectionStatements } from './connection-rows.ts';
import { consentStatements } from './consent-rows.ts';
import type { Statement } from './driver.ts';
import { groupStatements } from './group-rows.ts';
import { changeInvitation, makeInvitation, useInvitation } from './invitation-rows.ts';
import { endRuns, sessionStatements } from './session-rows.ts';
import { type Sql, sql } from './sql.ts';
import { type Compile, type Compilers, type EffectOf, must, one, type Setting } from './statement.ts';
import { tokenStatements } from './token-rows.ts';

type Kind = Effect['kind'];

/** The row of users and their passwords is put together in user-rows.ts, the rows of events below. */
type GatheredKind = 'user.create' | 'user.update' | 'user.seen' | 'user.email_verified' | 'password.set' | 'event';

const compilers: Compilers<Exclude<Kind, GatheredKind>> = {
  ...groupStatements,
  ...sessionStatements,
  ...tokenStatements,
  ...attemptStatements,
  ...connectionStatements,
  ...consentStatements,
  'user.delete': ({ kind, id }, { ownRuns }) => [
    one(kind, [], endRuns(sql`user_id = ${id}`, ownRuns)),
    must({ reason: 'missing', effect: kind }, [`user:${id}`], sql`DELETE FROM doorward_user WHERE id = ${id}`),
  ],
  'password.renew': ({ kind, userId, from, to }) => [
    one(
      kind,
      [`credential:${userId}`],
      sql`UPDATE doorward_credential SET secret = ${to} WHERE user_id = ${userId} AND kind = 'password' AND name = '' AND secret = ${from}`,
    ),
  ],
  // No statement of ours: the commit lets the application add its own.
  'hook.user_write': () => [],
  outbox: ({ kind, message }, { keyring }) => {
    const uuid = newUuid();
    const payload = keyring.seal('outbox', JSON.stringify(message.payload), uuid);
    return [
      one(
        kind,
        [],
        sql`INSERT INTO doorward_outbox (uuid, kind, channel, user_id, payload, created_at, due_at, tries)
          VALUES (${uuid}, ${message.kind}, ${message.channel}, ${message.userId}, ${payload}, ${message.at}, ${message.at}, 0)`,
      ),
    ];
  },
  'invitation.make': (effect) => [makeInvitation(effect)],
  'invitation.change': (effect) => [changeInvitation(effect)],
  'invitation.revoke': (effect) => [changeInvitation(effect)],
  'invitation.use': (effect, { now }) => [useInvitation(effect, now)],
  'authenticator.add': ({ authenticator }, { keyring }) => addAuthenticator(authenticator, keyring),
  'authenticator.use': (effect) => useAuthenticator(effect),
  'authenticator.rename': (effect) => [changeAuthenticator(effect)],
  'authenticator.remove': (effect) => [changeAuthenticator(effect)],
  'approval.ask': approvalStatements,
  'approval.say': approvalStatements,
  'approval.close': approvalStatements,
  'approval.remind': approvalStatements,
};

/**
 * The order of execution. What must see the rows as they were comes first (ending sessions, the setup's check for an
 * administrator), then what refuses cheaply, then what others refer to.
 */
const ranks: { readonly [K in Kind]?: number } = {
  'session.end': 0,
  'session.end_all': 0,
  'setup.claim': 0,
  'token.claim': 0,
  'invitation.use': 0,
  'run_key.use': 0,
  'attempt.fail': 1,
  'attempt.succeed': 1,
  once: 1,
  'authenticator.use': 1,
  'user.create': 2,
  'group.create': 2,
};

export function rankOf(kind: Kind): number {
  return ranks[kind] ?? 3;
}

/** All events of a commit, in one statement. */
export function eventStatements(effects: readonly Effect[]): readonly Statement[] {
  const rows = effects.flatMap((effect) => (effect.kind === 'event' ? [eventRow(effect.event)] : []));
  if (rows.length === 0) return [];
  const text = `INSERT INTO doorward_event (action, user_id, actor, behalf_id, on_behalf_of, context, address, request_id,
    flow, created_at) VALUES ${rows.map((row) => row.text).join(', ')}`;
  return [one('event', [], { text, params: rows.flatMap((row) => row.params) })];
}

function eventRow({ user, onBehalfOf, ...event }: EffectOf<'event'>['event']): Sql {
  const actor = user === null ? null : JSON.stringify(user);
  const behalf = onBehalfOf === undefined ? null : JSON.stringify(onBehalfOf);
  return sql`(${event.action}, ${user?.pk ?? null}, ${actor}, ${onBehalfOf?.pk ?? null}, ${behalf},
    ${JSON.stringify(event.context)}, ${event.address}, ${event.requestId}, ${event.flow}, ${event.at})`;
}

/** The statements of one effect, those of users' rows and of events aside. */
export function effectStatements<K extends Kind>(effect: EffectOf<K>, setting: Setting): readonly Statement[] {
  const compile = (compilers as { readonly [name: string]: unknown })[effect.kind] as Compile<K> | undefined;
  return compile === undefined ? [] : compile(effect, setting);
}
