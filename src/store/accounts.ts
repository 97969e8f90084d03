import type { Approval } from '../engine/approval.ts';
import type { Connection } from '../engine/connection.ts';
import type { Consent } from '../engine/consent.ts';
import type { Group, Session, Token, User } from '../engine/user.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Keyring } from '../kernel/secrets.ts';
import { usernameKey } from '../kernel/text.ts';
import { administrators, noAdministrator } from './administrators.ts';
import { type ApprovalFilter, listApprovals } from './approval-rows.ts';
import { type ConnectionFilter, countConnections, listConnections } from './connection-rows.ts';
import { type ConsentFilter, countConsents, listConsents } from './consent-rows.ts';
import type { Driver } from './driver.ts';
import { countEvents, type EventFilter, listEvents, type StoredEvent } from './events.ts';
import {
  countInvitations,
  findInvitation,
  type InvitationFilter,
  type ListedInvitation,
  listInvitations,
} from './invitation-rows.ts';
import { keptByDefault, type Purged, purge, type Retention } from './purge.ts';
import {
  groupColumns,
  groupFrom,
  int,
  sessionColumns,
  sessionFrom,
  text,
  tokenColumns,
  tokenFrom,
  userColumns,
  userFrom,
} from './rows.ts';
import { every, flag, type Sql, sql } from './sql.ts';

/** Which users to list. */
export interface UserFilter {
  /** In the username, the name or the e-mail address, whatever the case. */
  readonly search?: string;
  readonly isActive?: boolean;
  /** pk of a group; its own members, not those of its children. */
  readonly group?: string;
  /** From 1. */
  readonly page?: number;
  /** 100 by default. */
  readonly pageSize?: number;
}

/** A session as its owner sees it: never a token's hash. */
export type ListedSession = Omit<Session, 'tokenHash' | 'returnsTo'> & { readonly current: boolean };

/** Lists for the command line, the API and the account page. Changes go through `commit`. */
export interface Accounts {
  /** In the order of their ids; `total` counts all pages. */
  listUsers(filter: UserFilter): Promise<{ readonly users: readonly User[]; readonly total: number }>;
  findUser(reference: { readonly uuid: string } | { readonly username: string }): Promise<User | null>;
  listGroups(): Promise<readonly Group[]>;
  /** Members of the group itself, in the order of their ids. */
  membersOf(group: string): Promise<readonly User[]>;
  /** @param currentHash token hash of the session that asks, to mark it */
  listSessions(userId: number, currentHash: string | null): Promise<readonly ListedSession[]>;
  findSession(uuid: string): Promise<Session | null>;
  /** The newest first. */
  listEvents(filter: EventFilter): Promise<readonly StoredEvent[]>;
  countEvents(filter: EventFilter): Promise<number>;
  /** Tokens of one purpose, expired or not, the newest first. */
  listTokens(purpose: string): Promise<readonly (Omit<Token, 'hash'> & { readonly username: string })[]>;
  /** Those that expire last come first. */
  listInvitations(filter: InvitationFilter): Promise<readonly ListedInvitation[]>;
  countInvitations(filter: InvitationFilter): Promise<number>;
  findInvitation(uuid: string): Promise<ListedInvitation | null>;
  /** Those that wait; the ones that end first come first. */
  listApprovals(filter: ApprovalFilter): Promise<readonly Approval[]>;
  /** Those that hold, the newest first. */
  listConsents(filter: ConsentFilter): Promise<readonly Consent[]>;
  countConsents(filter: ConsentFilter): Promise<number>;
  /** The oldest first. */
  listConnections(filter: ConnectionFilter): Promise<readonly Connection[]>;
  countConnections(filter: ConnectionFilter): Promise<number>;
  hasAdministrator(): Promise<boolean>;
  /** Replaces the one-time secret of the initial setup; does nothing and answers false when there is an administrator. */
  ensureSetupSecret(hash: string): Promise<boolean>;
  /** Deletes what has expired and nobody needs any more. */
  purge(now: number, retention?: Retention): Promise<Purged>;
}

export function accountsOn(driver: Driver, clock: Clock, keyring: Keyring): Accounts {
  const users = async (query: Sql): Promise<User[]> => present((await driver.read(query)).map((row) => userFrom(row)));
  return {
    async listUsers({ page = 1, pageSize = 100, ...filter }) {
      const where = every(userConditions(filter));
      const [counted] = await driver.read(sql`SELECT count(*) FROM doorward_user u WHERE ${where}`);
      const found = await users(sql`
        SELECT ${userColumns.of('u')} FROM doorward_user u WHERE ${where}
        ORDER BY u.id LIMIT ${pageSize} OFFSET ${(page - 1) * pageSize}`);
      return { users: found, total: int(counted ?? [0], 0) };
    },
    async findUser(reference) {
      const which =
        'uuid' in reference
          ? sql`u.uuid = ${reference.uuid}`
          : sql`u.username_key = ${usernameKey(reference.username)}`;
      return (await users(sql`SELECT ${userColumns.of('u')} FROM doorward_user u WHERE ${which}`))[0] ?? null;
    },
    async listGroups() {
      return (await driver.read(sql`SELECT ${groupColumns.of('g')} FROM doorward_group g ORDER BY g.name`)).map(
        groupFrom,
      );
    },
    membersOf: (group) =>
      users(sql`SELECT ${userColumns.of('u')} FROM doorward_user u WHERE ${memberOf(group)} ORDER BY u.id`),
    async listSessions(userId, currentHash) {
      const now = clock.now();
      const rows = await driver.read(sql`
        SELECT ${sessionColumns.of('s')} FROM doorward_session s WHERE s.user_id = ${userId} AND s.expires_at > ${now}
          AND (s.idle_timeout IS NULL OR s.last_used_at + s.idle_timeout > ${now})
        ORDER BY s.last_used_at DESC, s.uuid`);
      return present(rows.map((row) => sessionFrom(row))).map(({ tokenHash, returnsTo: _, ...session }) => ({
        ...session,
        current: tokenHash === currentHash,
      }));
    },
    async findSession(uuid) {
      const [row] = await driver.read(
        sql`SELECT ${sessionColumns.of('s')} FROM doorward_session s WHERE s.uuid = ${uuid}`,
      );
      return sessionFrom(row ?? []);
    },
    listEvents: (filter) => listEvents(driver, filter),
    countEvents: (filter) => countEvents(driver, filter),
    async listTokens(purpose) {
      const rows = await driver.read(sql`
        SELECT ${tokenColumns.of('t')}, u.username FROM doorward_token t JOIN doorward_user u ON u.id = t.user_id
        WHERE t.purpose = ${purpose} ORDER BY t.created_at DESC, t.uuid`);
      return rows.map((row) => {
        const { hash: _, ...token } = tokenFrom(row);
        return { ...token, username: text(row, tokenColumns.names.length) };
      });
    },
    listInvitations: (filter) => listInvitations(driver, filter),
    countInvitations: (filter) => countInvitations(driver, filter),
    findInvitation: (uuid) => findInvitation(driver, uuid),
    listApprovals: (filter) => listApprovals(driver, keyring, filter),
    listConsents: (filter) => listConsents(driver, clock.now(), filter),
    countConsents: (filter) => countConsents(driver, clock.now(), filter),
    listConnections: (filter) => listConnections(driver, filter),
    countConnections: (filter) => countConnections(driver, filter),
    async hasAdministrator() {
      return (await driver.read(sql`SELECT 1 WHERE EXISTS (${administrators})`)).length > 0;
    },
    async ensureSetupSecret(hash) {
      const rows = await driver.write(sql`
        INSERT INTO doorward_setup (id, secret_hash, created_at)
        SELECT 1, CAST(${hash} AS text), CAST(${clock.now()} AS bigint) WHERE ${noAdministrator}
        ON CONFLICT (id) DO UPDATE SET secret_hash = excluded.secret_hash, created_at = excluded.created_at
        RETURNING id`);
      return rows.length > 0;
    },
    purge: (now, retention = keptByDefault) => purge(driver, now, retention),
  };
}

function userConditions({ search, isActive, group }: UserFilter): Sql[] {
  const pattern = `%${usernameKey(search ?? '').replace(/[\\%_]/g, '\\$&')}%`;
  return [
    ...(search === undefined || search === ''
      ? []
      : [
          sql`(u.username_key LIKE ${pattern} ESCAPE '\\' OR u.email_key LIKE ${pattern} ESCAPE '\\' OR lower(u.name) LIKE ${pattern} ESCAPE '\\')`,
        ]),
    ...(isActive === undefined ? [] : [sql`u.is_active = ${flag(isActive)}`]),
    ...(group === undefined ? [] : [memberOf(group)]),
  ];
}

function memberOf(group: string): Sql {
  return sql`u.id IN (SELECT user_id FROM doorward_membership WHERE group_pk = ${group})`;
}

function present<T>(values: readonly (T | null)[]): T[] {
  return values.filter((value) => value !== null);
}
