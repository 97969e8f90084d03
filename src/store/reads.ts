import { type IdentifierField, identifiedBy } from '../engine/identifier.ts';
import type { Reads } from '../engine/ports.ts';
import { noProvenance, type Provenance } from '../engine/provenance.ts';
import { reputationKeptMs } from '../engine/reputation.ts';
import type { User } from '../engine/user.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Keyring } from '../kernel/secrets.ts';
import { usernameKey } from '../kernel/text.ts';
import { noAdministrator } from './administrators.ts';
import { authenticatorReads } from './authenticator-rows.ts';
import { consentReads } from './consent-rows.ts';
import type { Driver } from './driver.ts';
import { invitationByHash } from './invitation-rows.ts';
import {
  groupColumns,
  groupFrom,
  int,
  intOrNull,
  text,
  textOrNull,
  tokenColumns,
  tokenFrom,
  userColumns,
  userFrom,
} from './rows.ts';
import { runKey } from './run-keys.ts';
import { list, type Row, sql } from './sql.ts';

/** What stages may ask, one query each. */
export function readsOn(driver: Driver, clock: Clock, keyring: Keyring): Reads {
  const first = async (rows: Promise<readonly Row[]>): Promise<User | null> => userFrom((await rows)[0] ?? []);
  return {
    user: (id) => first(driver.read(sql`SELECT ${userColumns.of('u')} FROM doorward_user u WHERE u.id = ${id}`)),
    userByUsername: (key) =>
      first(driver.read(sql`SELECT ${userColumns.of('u')} FROM doorward_user u WHERE u.username_key = ${key}`)),
    userByIdentifier: (fields, typed, exact) => userByIdentifier(driver, fields, typed, exact),
    usersByEmail: (key) => usersByEmail(driver, key),
    async passwordHash(userId) {
      const [row] = await driver.read(
        sql`SELECT secret FROM doorward_credential WHERE user_id = ${userId} AND kind = 'password' AND name = ''`,
      );
      return textOrNull(row ?? [], 0);
    },
    async passwordHistory(userId, limit) {
      const rows = await driver.read(sql`
        SELECT secret, created_at AS set_at, 0 AS former FROM doorward_credential
          WHERE user_id = ${userId} AND kind = 'password' AND name = ''
        UNION ALL SELECT hash, set_at, 1 FROM doorward_password_history WHERE user_id = ${userId}
        ORDER BY former, set_at DESC, secret LIMIT ${limit}`);
      return rows.map((row) => text(row, 0));
    },
    async reputation(subject, address) {
      const [row] = await driver.read(sql`
        SELECT coalesce(sum(score), 0) FROM doorward_reputation
        WHERE (subject = ${subject} OR address = ${address}) AND updated_at > ${clock.now() - reputationKeptMs}`);
      return int(row ?? [0], 0);
    },
    async provenance(userId) {
      const [row] = await driver.read(sql`SELECT provenance FROM doorward_user WHERE id = ${userId}`);
      return row === undefined ? noProvenance : (JSON.parse(text(row, 0)) as Provenance);
    },
    async groups(references) {
      const wanted = list(references);
      const rows = await driver.read(
        sql`SELECT ${groupColumns.of('g')} FROM doorward_group g WHERE g.pk IN (${wanted}) OR g.name IN (${wanted})`,
      );
      const groups = rows.map(groupFrom);
      return references.map(
        (reference) =>
          groups.find(({ pk }) => pk === reference) ?? groups.find(({ name }) => name === reference) ?? null,
      );
    },
    async groupsOf(userId) {
      const rows = await driver.read(sql`
        WITH RECURSIVE above (pk, depth) AS (
          SELECT group_pk, 0 FROM doorward_membership WHERE user_id = ${userId}
          UNION
          SELECT child.parent, above.depth + 1 FROM above JOIN doorward_group child ON child.pk = above.pk
          WHERE child.parent IS NOT NULL AND above.depth < 20
        )
        SELECT ${groupColumns.of('g')}, (SELECT min(depth) FROM above WHERE above.pk = g.pk)
        FROM doorward_group g WHERE g.pk IN (SELECT pk FROM above) ORDER BY g.name`);
      return rows.map((row) => ({
        ...groupFrom(row),
        ...(int(row, groupColumns.names.length) === 0 ? {} : { inherited: true as const }),
      }));
    },
    membersWithin: (group) => membersWithin(driver, group),
    // The window's length was decided when its first attempt was counted.
    async attempts(bucket, _windowMs, now) {
      const [row] = await driver.read(
        sql`SELECT count FROM doorward_attempt WHERE bucket = ${bucket} AND expires_at > ${now}`,
      );
      return int(row ?? [0], 0);
    },
    setupSecret: () => setupSecret(driver),
    async token(hash) {
      const [row] = await driver.read(sql`SELECT ${tokenColumns.of('t')} FROM doorward_token t WHERE t.hash = ${hash}`);
      return row === undefined ? null : tokenFrom(row);
    },
    invitation: (hash) => invitationByHash(driver, hash),
    runKey: (hash) => runKey(driver, hash),
    async sessionsOf(userId) {
      const now = clock.now();
      const rows = await driver.read(sql`
        SELECT token_hash, impersonator_id FROM doorward_session WHERE user_id = ${userId} AND expires_at > ${now}
          AND (idle_timeout IS NULL OR last_used_at + idle_timeout > ${now})`);
      return rows.map((row) => ({ tokenHash: text(row, 0), impersonatorId: intOrNull(row, 1) }));
    },
    ...authenticatorReads(driver, keyring),
    ...consentReads(driver, clock),
    // One text, and both of its parts are carried out, whoever it is.
    async hashToCompare(userId, draw) {
      const [row] = await driver.read(sql`
        SELECT secret, 1 AS own FROM doorward_credential WHERE user_id = ${userId ?? 0} AND kind = 'password' AND name = ''
        UNION ALL SELECT * FROM (SELECT secret, 0 FROM doorward_credential WHERE kind = 'password' AND name = ''
          AND user_id >= (SELECT CAST(${draw} AS bigint) % (max(user_id) + 1) FROM doorward_credential)
          ORDER BY user_id LIMIT 1) drawn
        ORDER BY own DESC LIMIT 1`);
      return row === undefined ? null : { hash: text(row, 0), isOwn: int(row, 1) === 1 };
    },
  };
}

async function usersByEmail(driver: Driver, key: string): Promise<readonly User[]> {
  const rows = await driver.read(sql`
    SELECT ${userColumns.of('u')} FROM doorward_user u WHERE u.email_key = ${key}
    ORDER BY CASE WHEN u.email_verified_at IS NULL THEN 1 ELSE 0 END, u.id LIMIT 100`);
  return rows.map((row) => userFrom(row)).filter((user) => user !== null);
}

async function membersWithin(driver: Driver, group: string): Promise<readonly User[]> {
  const rows = await driver.read(sql`
    WITH RECURSIVE below (pk, depth) AS (
      SELECT pk, 0 FROM doorward_group WHERE pk = ${group}
      UNION
      SELECT child.pk, below.depth + 1 FROM below JOIN doorward_group child ON child.parent = below.pk
      WHERE below.depth < 20
    )
    SELECT ${userColumns.of('u')} FROM doorward_user u WHERE u.is_active = 1 AND u.id IN
      (SELECT m.user_id FROM doorward_membership m JOIN below ON below.pk = m.group_pk) ORDER BY u.id LIMIT 1000`);
  return rows.map((row) => userFrom(row)).filter((user) => user !== null);
}

async function setupSecret(driver: Driver): Promise<string | null> {
  const [row] = await driver.read(sql`SELECT secret_hash FROM doorward_setup WHERE ${noAdministrator}`);
  return textOrNull(row ?? [], 0);
}

/** Strangers may claim an address as often as they like: who verified it is looked for apart from who has it. */
async function userByIdentifier(
  driver: Driver,
  fields: readonly IdentifierField[],
  typed: string,
  exact: boolean,
): Promise<User | null> {
  const key = usernameKey(typed);
  if (key === '') return null;
  const [username, email, upn] = (['username', 'email', 'upn'] as const).map((field) =>
    fields.includes(field) ? key : null,
  );
  const columns = userColumns.of('u');
  const rows = await driver.read(sql`
    SELECT ${columns}, 'username' FROM doorward_user u WHERE u.username_key = ${username ?? null}
    UNION ALL SELECT * FROM (SELECT ${columns}, 'verified' FROM doorward_user u
      WHERE u.email_key = ${email ?? null} AND u.email_verified_at IS NOT NULL LIMIT 2) v
    UNION ALL SELECT * FROM (SELECT ${columns}, 'email' FROM doorward_user u WHERE u.email_key = ${email ?? null} LIMIT 2) e
    UNION ALL SELECT * FROM (SELECT ${columns}, 'upn' FROM doorward_user u WHERE u.upn_key = ${upn ?? null} LIMIT 2) p`);
  const found = (by: string): User[] => {
    const named = rows.filter((row) => row[userColumns.names.length] === by);
    return named.map((row) => userFrom(row)).filter((user) => user !== null);
  };
  const named = { username: found('username')[0] ?? null, verified: found('verified'), email: found('email') };
  return identifiedBy({ ...named, upn: found('upn') }, fields, typed, exact);
}
