import type { Effect, Refusal } from '../engine/effects.ts';
import { nobodysChannel } from '../engine/mail.ts';
import { reputationBounds, reputationKeptMs } from '../engine/reputation.ts';
import { newUuid } from '../kernel/ids.ts';
import type { Keyring } from '../kernel/secrets.ts';
import { noAdministrator } from './administrators.ts';
import { approvalStatements } from './approval-rows.ts';
import { addAuthenticator, changeAuthenticator, useAuthenticator } from './authenticator-rows.ts';
import type { Statement } from './driver.ts';
import { changeInvitation, makeInvitation, useInvitation } from './invitation-rows.ts';
import { flag, list, type Sql, sql } from './sql.ts';

/** What the statements of one commit have in common. */
export interface Setting {
  readonly now: number;
  readonly keyring: Keyring;
  /** Ids of the runs that the commit itself writes: ending a session spares them. */
  readonly ownRuns: readonly string[];
  /** Sessions that get a new id in this commit: the old one by the new one. */
  readonly renewed: ReadonlyMap<string, string>;
}

type Kind = Effect['kind'];
type Of<K extends Kind> = Extract<Effect, { readonly kind: K }>;
type Compile<K extends Kind> = (effect: Of<K>, setting: Setting) => readonly Statement[];
type Attempt = Omit<Of<'attempt.fail'>, 'kind'> & {
  readonly kind: 'attempt.fail' | 'attempt.succeed' | 'attempt.sign_up' | 'once';
};

/** The row of users and their passwords is put together in user-rows.ts, the rows of events below. */
type GatheredKind = 'user.create' | 'user.update' | 'user.seen' | 'password.set' | 'event';

const compilers: { readonly [K in Exclude<Kind, GatheredKind>]: Compile<K> } = {
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
  'group.create': ({ kind, group }) => [
    one(
      kind,
      [`group:${group.pk}`],
      sql`INSERT INTO doorward_group (pk, name, is_superuser, parent, attributes)
        VALUES (${group.pk}, ${group.name}, ${flag(group.isSuperuser)}, ${group.parent}, ${JSON.stringify(group.attributes)})`,
    ),
  ],
  'group.update': ({ kind, pk, set }) => [
    must(
      { reason: 'missing', effect: kind },
      [`group:${pk}`],
      sql`UPDATE doorward_group SET
          name = coalesce(${set.name ?? null}, name),
          is_superuser = coalesce(${set.isSuperuser === undefined ? null : flag(set.isSuperuser)}, is_superuser),
          parent = CASE WHEN ${flag(set.parent === undefined)} = 1 THEN parent ELSE ${set.parent ?? null} END,
          attributes = coalesce(${set.attributes === undefined ? null : JSON.stringify(set.attributes)}, attributes)
        WHERE pk = ${pk}`,
    ),
  ],
  'group.delete': ({ kind, pk }) => [
    must({ reason: 'missing', effect: kind }, [`group:${pk}`], sql`DELETE FROM doorward_group WHERE pk = ${pk}`),
  ],
  'group.join': ({ kind, group, userId }) => [
    one(
      kind,
      [`membership:${userId}:${group}`],
      sql`INSERT INTO doorward_membership (user_id, group_pk) VALUES (${userId}, ${group}) ON CONFLICT DO NOTHING`,
    ),
  ],
  'group.leave': ({ kind, group, userId }) => [
    one(
      kind,
      [`membership:${userId}:${group}`],
      sql`DELETE FROM doorward_membership WHERE user_id = ${userId} AND group_pk = ${group}`,
    ),
  ],
  'session.begin': ({ kind, session }) => [
    one(
      kind,
      [],
      sql`INSERT INTO doorward_session (token_hash, uuid, user_id, impersonator_id, created_at, last_used_at, expires_at,
          idle_timeout, persistent, address, agent, auth_method, returns_to, factors)
        VALUES (${session.tokenHash}, ${session.uuid}, ${session.userId}, ${session.impersonatorId}, ${session.createdAt},
          ${session.lastUsedAt}, ${session.expiresAt}, ${session.idleTimeout}, ${flag(session.persistent)},
          ${session.address}, ${session.agent}, ${session.authMethod}, ${session.returnsTo},
          ${JSON.stringify(session.factors)})`,
    ),
  ],
  'session.renew': ({ kind, from, to }) => [
    must(
      { reason: 'used', effect: kind },
      anySession,
      sql`UPDATE doorward_session SET token_hash = ${to} WHERE token_hash = ${from}`,
    ),
  ],
  'session.touch': ({ kind, tokenHash, at, address }) => [
    one(
      kind,
      anySession,
      sql`UPDATE doorward_session SET last_used_at = ${at}, address = ${address} WHERE token_hash = ${tokenHash}`,
    ),
  ],
  'session.end': ({ kind, tokenHash }, { ownRuns }) => [
    one(kind, [], endRuns(sql`session = ${tokenHash}`, ownRuns)),
    one(kind, anySession, sql`DELETE FROM doorward_session WHERE token_hash = ${tokenHash}`),
  ],
  'session.end_all': ({ kind, userId, except }, { ownRuns, renewed }) => {
    // An impersonator's session as this user is the administrator's own (W36, W37).
    const kept = (except === null ? undefined : renewed.get(except)) ?? except ?? '';
    const ending = sql`user_id = ${userId} AND impersonator_id IS NULL AND token_hash <> ${kept}`;
    return [
      one(kind, [], endRuns(sql`session IN (SELECT token_hash FROM doorward_session WHERE ${ending})`, ownRuns)),
      one(kind, anySession, sql`DELETE FROM doorward_session WHERE ${ending}`),
    ];
  },
  'run.drop': ({ kind, session }, { ownRuns }) => [one(kind, [], endRuns(sql`session = ${session}`, ownRuns))],
  'connection.save': ({ kind, userId, source, identifier }, { now }) => [
    must(
      { reason: 'taken', effect: kind, field: 'identifier' },
      [`connection:${source}:${identifier}`],
      sql`INSERT INTO doorward_connection (source, identifier, user_id, created_at)
        VALUES (${source}, ${identifier}, ${userId}, ${now})
        ON CONFLICT (source, identifier) DO UPDATE SET user_id = excluded.user_id
        WHERE doorward_connection.user_id = excluded.user_id`,
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
        sql`INSERT INTO doorward_outbox (uuid, kind, channel, user_id, payload, created_at, due_at, tries, sent_at)
          VALUES (${uuid}, ${message.kind}, ${message.channel}, ${message.userId}, ${payload}, ${message.at}, ${message.at}, 0,
            ${message.channel === nobodysChannel ? message.at : null})`,
      ),
    ];
  },
  'attempt.fail': (effect) => [attempt(effect, 1)],
  'attempt.succeed': (effect) => [attempt(effect, 0)],
  'attempt.sign_up': (effect) => [attempt(effect, 1)],
  once: ({ kind, name, ...window }) => [attempt({ kind, bucket: `once:${name}`, limit: 1, ...window }, 1)],
  'reputation.add': ({ kind, subject, address, by, at }) => [
    one(
      kind,
      [`reputation:${subject}@${address}`],
      sql`INSERT INTO doorward_reputation (subject, address, score, updated_at) VALUES (${subject}, ${address}, ${by}, ${at})
        ON CONFLICT (subject, address) DO UPDATE SET updated_at = excluded.updated_at, score = CASE
          WHEN doorward_reputation.updated_at <= ${at - reputationKeptMs} THEN excluded.score
          WHEN doorward_reputation.score + excluded.score NOT BETWEEN ${reputationBounds.lowest} AND ${reputationBounds.highest}
            THEN doorward_reputation.score
          ELSE doorward_reputation.score + excluded.score END`,
    ),
  ],
  'setup.claim': ({ kind, secretHash }) => [
    must(
      { reason: 'used', effect: kind },
      ['setup'],
      sql`DELETE FROM doorward_setup WHERE secret_hash = ${secretHash} AND ${noAdministrator}`,
    ),
  ],
  'token.create': ({ kind, token }) => [
    one(
      kind,
      [`token:${token.hash}`],
      sql`INSERT INTO doorward_token (hash, uuid, purpose, flow, user_id, created_at, expires_at, description)
        VALUES (${token.hash}, ${token.uuid}, ${token.purpose}, ${token.flow}, ${token.userId}, ${token.createdAt},
          ${token.expiresAt}, ${token.description})
        ON CONFLICT (user_id, purpose) WHERE flow IS NOT NULL DO UPDATE SET hash = excluded.hash, uuid = excluded.uuid,
          flow = excluded.flow, created_at = excluded.created_at, expires_at = excluded.expires_at,
          description = excluded.description`,
    ),
  ],
  'token.claim': ({ kind, hash, at }) => [
    must(
      { reason: 'used', effect: kind },
      [`token:${hash}`],
      sql`DELETE FROM doorward_token WHERE hash = ${hash} AND expires_at > ${at}`,
    ),
  ],
  'token.revoke': ({ kind, uuid }) => [
    must({ reason: 'missing', effect: kind }, [`token:${uuid}`], sql`DELETE FROM doorward_token WHERE uuid = ${uuid}`),
  ],
  'invitation.make': (effect) => [makeInvitation(effect)],
  'invitation.change': (effect) => [changeInvitation(effect)],
  'invitation.revoke': (effect) => [changeInvitation(effect)],
  'invitation.use': (effect, { now }) => [useInvitation(effect, now)],
  'run_key.make': ({ kind, key }) => [
    one(kind, [], sql`DELETE FROM doorward_run_key WHERE run = ${key.run} AND binding = ${key.binding}`),
    one(
      kind,
      [`run_key:${key.hash}`],
      sql`INSERT INTO doorward_run_key (hash, code_hash, purpose, flow, version, run, binding, user_id, address, asked,
          takes_over, expires_at)
        VALUES (${key.hash}, ${key.codeHash}, ${key.purpose}, ${key.flow}, ${key.version}, ${key.run}, ${key.binding},
          ${key.userId}, ${key.address}, ${JSON.stringify(key.asked)}, ${flag(key.takesOver)}, ${key.expiresAt})`,
    ),
  ],
  'run_key.use': ({ kind, hash, at }) => [
    must(
      { reason: 'used', effect: kind },
      [`run_key:${hash}`],
      sql`DELETE FROM doorward_run_key WHERE hash = ${hash} AND expires_at > ${at}`,
    ),
  ],
  'authenticator.add': ({ authenticator }, { keyring }) => addAuthenticator(authenticator, keyring),
  'authenticator.use': (effect) => useAuthenticator(effect),
  'authenticator.rename': (effect) => [changeAuthenticator(effect)],
  'authenticator.remove': (effect) => [changeAuthenticator(effect)],
  'approval.ask': approvalStatements,
  'approval.say': approvalStatements,
  'approval.close': approvalStatements,
  'approval.remind': approvalStatements,
};

/** Two of these in one commit are carried out one after the other: they may mean the same row. */
const anySession = ['session'];

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

function eventRow({ user, onBehalfOf, ...event }: Of<'event'>['event']): Sql {
  const actor = user === null ? null : JSON.stringify(user);
  const behalf = onBehalfOf === undefined ? null : JSON.stringify(onBehalfOf);
  return sql`(${event.action}, ${user?.pk ?? null}, ${actor}, ${onBehalfOf?.pk ?? null}, ${behalf},
    ${JSON.stringify(event.context)}, ${event.address}, ${event.requestId}, ${event.flow}, ${event.at})`;
}

/** The statements of one effect, those of users' rows and of events aside. */
export function effectStatements<K extends Kind>(effect: Of<K>, setting: Setting): readonly Statement[] {
  const compile = (compilers as { readonly [name: string]: unknown })[effect.kind] as Compile<K> | undefined;
  return compile === undefined ? [] : compile(effect, setting);
}

function one(effect: Kind, touches: readonly string[], statement: Sql): Statement {
  return { effect, touches, sql: statement };
}

function must(otherwise: Refusal, touches: readonly string[], statement: Sql): Statement {
  return { effect: otherwise.effect, touches, sql: statement, expect: 1, otherwise };
}

function endRuns(which: Sql, ownRuns: readonly string[]): Sql {
  const others = ownRuns.length === 0 ? sql`1 = 1` : sql`id NOT IN (${list(ownRuns)})`;
  return sql`DELETE FROM doorward_run WHERE ${which} AND ended IS NULL AND ${others}`;
}

/** The row is written, in a new window or below the limit, or the attempt is refused: one atomic statement. */
function attempt({ kind, bucket, limit, windowMs, at }: Attempt, counted: 0 | 1): Statement {
  const expired = sql`doorward_attempt.expires_at <= excluded.window_start`;
  return must(
    { reason: kind === 'once' ? 'used' : 'limited', effect: kind },
    [`attempt:${bucket}`],
    sql`INSERT INTO doorward_attempt (bucket, window_start, count, expires_at)
      VALUES (${bucket}, ${at}, ${counted}, ${at + windowMs})
      ON CONFLICT (bucket) DO UPDATE SET
        count = CASE WHEN ${counted} = 0 THEN 0 WHEN ${expired} THEN 1 ELSE doorward_attempt.count + 1 END,
        window_start = CASE WHEN ${expired} THEN excluded.window_start ELSE doorward_attempt.window_start END,
        expires_at = CASE WHEN ${expired} THEN excluded.expires_at ELSE doorward_attempt.expires_at END
      WHERE doorward_attempt.count < ${limit} OR ${expired}`,
  );
}
