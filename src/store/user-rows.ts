import type { Effect } from '../engine/effects.ts';
import { longestTyped } from '../engine/password-check.ts';
import { longestHistory } from '../engine/ports.ts';
import { noProvenance, type Provenance } from '../engine/provenance.ts';
import type { User } from '../engine/user.ts';
import { usernameKey } from '../kernel/text.ts';
import type { Statement } from './driver.ts';
import { flag, type Sql, sql } from './sql.ts';

type Of<Kind extends Effect['kind']> = Extract<Effect, { readonly kind: Kind }>;

/** All that one commit asks of one user's row. */
interface UserRow {
  readonly id: number;
  readonly creates: Of<'user.create'>[];
  readonly updates: Of<'user.update'>[];
  seenAt: number | null;
  passwordAt: number | null;
  verified: Of<'user.email_verified'> | null;
}

/** What a row's first statement writes besides what its effect says. */
type Stamps = Pick<UserRow, 'seenAt' | 'passwordAt' | 'verified'>;

const noStamps: Stamps = { seenAt: null, passwordAt: null, verified: null };

/**
 * The statements that write users and their passwords. The times of a sign-in, a new password and a proven address join
 * the statement that writes the row anyway: a row is written once, so the commit stays foldable.
 */
export function userStatements(effects: readonly Effect[], now: number): Statement[] {
  const rows = new Map<number, UserRow>();
  const rowOf = (id: number): UserRow => {
    const row = rows.get(id) ?? { id, creates: [], updates: [], ...noStamps };
    rows.set(id, row);
    return row;
  };
  const passwords: Statement[] = [];
  for (const effect of effects) {
    if (effect.kind === 'user.create') {
      rowOf(effect.user.id).creates.push(effect);
      const { id, passwordChangedAt } = effect.user;
      if (effect.passwordHash !== null)
        passwords.push(passwordStatement(effect.kind, id, effect.passwordHash, passwordChangedAt ?? now));
    } else if (effect.kind === 'user.update') rowOf(effect.id).updates.push(effect);
    else if (effect.kind === 'user.seen') rowOf(effect.id).seenAt = effect.at;
    else if (effect.kind === 'user.email_verified') rowOf(effect.id).verified = effect;
    else if (effect.kind === 'password.set') {
      rowOf(effect.userId).passwordAt = effect.at;
      passwords.push(...historyStatements(effect.userId));
      passwords.push(passwordStatement(effect.kind, effect.userId, effect.hash, effect.at));
    }
  }
  return [...[...rows.values()].flatMap((row) => rowStatements(row, now)), ...passwords];
}

function rowStatements(row: UserRow, now: number): Statement[] {
  const created = row.creates.flatMap((effect) => {
    const { user } = effect;
    const lastLogin = row.seenAt ?? user.lastLogin;
    const passwordChangedAt = row.passwordAt ?? user.passwordChangedAt;
    const stamped = { ...user, lastLogin, passwordChangedAt };
    return [
      ...usernameGuard(effect.kind, user.id, user.username),
      createStatement(stamped, effect.provenance ?? noProvenance),
    ];
  });
  const stamps = created.length > 0 ? { ...noStamps, verified: row.verified } : row;
  const isStamped = stamps.seenAt !== null || stamps.passwordAt !== null || stamps.verified !== null;
  const stamped = row.updates.length === 0 && isStamped ? [stampStatement(row.id, stamps)] : [];
  const updated = row.updates.flatMap((effect, index) => [
    ...usernameGuard(effect.kind, effect.id, effect.set.username ?? ''),
    updateStatement(effect, index === 0 ? stamps : noStamps, now),
  ]);
  return [...created, ...stamped, ...updated];
}

/**
 * Nobody calls themselves by an address that somebody else has verified (CVE-2026-19607): no row of another user may be
 * met. Who was called so before may be written with the name that they have. Two commits at the same moment can pass
 * each other on PostgreSQL; then whom the address means is decided where it is typed (decision 17).
 */
function usernameGuard(effect: 'user.create' | 'user.update', id: number, username: string): Statement[] {
  const key = usernameKey(username);
  if (!key.includes('@')) return [];
  return [
    {
      ...{ effect, touches: [], expect: 0, otherwise: { reason: 'taken', effect, field: 'username' } },
      sql: sql`UPDATE doorward_user SET version = version
        WHERE email_key = ${key} AND email_verified_at IS NOT NULL AND id <> ${id}
          AND NOT EXISTS (SELECT 1 FROM doorward_user own WHERE own.id = ${id} AND own.username_key = ${key})`,
    },
  ];
}

function createStatement(user: User, provenance: Provenance): Statement {
  return {
    effect: 'user.create',
    touches: [`user:${user.id}`],
    sql: sql`
      INSERT INTO doorward_user (id, uuid, username, username_key, name, email, email_key, upn_key, path, type, is_active,
        attributes, date_joined, last_login, password_changed_at, last_updated, version,
        email_verified_at, provenance)
      VALUES (${user.id}, ${user.uuid}, ${user.username}, ${usernameKey(user.username)}, ${user.name}, ${user.email},
        ${emailKey(user.email)}, ${upnKey(user)}, ${user.path}, ${user.type}, ${flag(user.isActive)},
        ${JSON.stringify(user.attributes)}, ${user.dateJoined}, ${user.lastLogin}, ${user.passwordChangedAt},
        ${user.lastUpdated}, ${user.version}, ${user.emailVerifiedAt}, ${JSON.stringify(provenance)})`,
  };
}

/** One text whatever changes, so that it stays prepared: what is not set keeps its value. */
function updateStatement(effect: Of<'user.update'>, stamps: Stamps, now: number): Statement {
  const { set } = effect;
  const username = set.username ?? null;
  const email = set.email ?? null;
  const lastLogin = stamps.seenAt ?? set.lastLogin;
  const passwordAt = stamps.passwordAt ?? set.passwordChangedAt;
  const isActive = set.isActive === undefined ? null : flag(set.isActive);
  const verifiedAt = set.emailVerifiedAt;
  const provenance = effect.provenance === undefined ? null : JSON.stringify(effect.provenance);
  return {
    effect: 'user.update',
    touches: [`user:${effect.id}`],
    expect: 1,
    otherwise: { reason: 'changed', effect: 'user.update' },
    sql: sql`
      UPDATE doorward_user SET
        username = coalesce(${username}, username),
        username_key = coalesce(${username === null ? null : usernameKey(username)}, username_key),
        name = coalesce(${set.name ?? null}, name),
        email = coalesce(${email}, email),
        email_key = CASE WHEN ${flag(email === null)} = 1 THEN email_key ELSE ${email === null ? null : emailKey(email)} END,
        email_verified_at = CASE
          WHEN ${flag(verifiedAt !== undefined)} = 1 THEN ${verifiedAt ?? null}
          WHEN ${flag(email === null)} = 0 AND coalesce(email_key, '') <> ${emailKey(email ?? '') ?? ''} THEN NULL
          ${whenVerified(effect.id, stamps)} ELSE email_verified_at END,
        upn_key = CASE WHEN ${flag(set.attributes === undefined)} = 1 THEN upn_key ELSE ${set.attributes === undefined ? null : upnKey({ attributes: set.attributes })} END,
        path = coalesce(${set.path ?? null}, path),
        type = coalesce(${set.type ?? null}, type),
        is_active = coalesce(${isActive}, is_active),
        attributes = coalesce(${set.attributes === undefined ? null : JSON.stringify(set.attributes)}, attributes),
        last_login = CASE WHEN ${flag(lastLogin === undefined)} = 1 THEN last_login ELSE ${lastLogin ?? null} END,
        password_changed_at = CASE WHEN ${flag(passwordAt === undefined)} = 1 THEN password_changed_at ELSE ${passwordAt ?? null} END,
        provenance = coalesce(${provenance}, provenance), last_updated = ${now}, version = version + 1
      WHERE id = ${effect.id} AND version = ${effect.version}`,
  };
}

/** Times alone: no version, they conflict with nothing. */
function stampStatement(id: number, stamps: Stamps): Statement {
  const { seenAt, passwordAt, verified } = stamps;
  const verification =
    verified === null ? sql`` : sql`, email_verified_at = CASE ${whenVerified(id, stamps)} ELSE email_verified_at END`;
  return {
    effect: passwordAt === null ? 'user.seen' : 'password.set',
    touches: [`user:${id}`],
    sql: sql`
      UPDATE doorward_user SET last_login = coalesce(${seenAt}, last_login),
        password_changed_at = coalesce(${passwordAt}, password_changed_at)${verification}
      WHERE id = ${id}`,
  };
}

/** The part of a CASE that marks the address as verified, if it is the row's and nobody else verified it before. */
function whenVerified(id: number, { verified }: Stamps): Sql {
  if (verified === null) return sql``;
  const key = emailKey(verified.email);
  return sql`WHEN email_verified_at IS NULL AND email_key = ${key} AND NOT EXISTS (
    SELECT 1 FROM doorward_user o WHERE o.email_key = ${key} AND o.email_verified_at IS NOT NULL AND o.id <> ${id})
    THEN ${verified.at}`;
}

/**
 * The present password becomes a former one before a new one takes its place, and the oldest makes room for it; in a
 * folded commit all see the old rows. Who signs up has none yet, and costs nothing here.
 */
function historyStatements(userId: number): readonly Statement[] {
  const own = sql`user_id = ${userId}`;
  return [
    {
      effect: 'password.set',
      touches: [`history-trim:${userId}`],
      sql: sql`DELETE FROM doorward_password_history WHERE ${own} AND hash NOT IN (
        SELECT hash FROM doorward_password_history WHERE ${own} ORDER BY set_at DESC, hash LIMIT ${longestHistory - 2})`,
    },
    {
      effect: 'password.set',
      touches: [`history:${userId}`],
      sql: sql`INSERT INTO doorward_password_history (user_id, hash, set_at)
        SELECT user_id, secret, created_at FROM doorward_credential WHERE ${own} AND kind = 'password' AND name = ''
        ON CONFLICT DO NOTHING`,
    },
  ];
}

function passwordStatement(
  effect: 'user.create' | 'password.set',
  userId: number,
  hash: string,
  at: number,
): Statement {
  return {
    effect,
    touches: [`credential:${userId}`],
    sql: sql`
      INSERT INTO doorward_credential (user_id, kind, name, secret, data, created_at)
      VALUES (${userId}, 'password', '', ${hash}, '{}', ${at})
      ON CONFLICT (user_id, kind, name) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at`,
  };
}

/** Addresses compare as usernames do; nobody is found by an empty one. */
function emailKey(email: string): string | null {
  return email === '' ? null : usernameKey(email);
}

/** One that is longer than what is looked up finds nobody. */
function upnKey({ attributes }: Pick<User, 'attributes'>): string | null {
  const upn = Object.hasOwn(attributes, 'upn') ? attributes.upn : null;
  return typeof upn === 'string' && upn !== '' && upn.length <= longestTyped ? usernameKey(upn) : null;
}
