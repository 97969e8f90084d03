import type { Connection } from '../engine/connection.ts';
import type { Effect } from '../engine/effects.ts';
import { newUuid } from '../kernel/ids.ts';
import type { Driver } from './driver.ts';
import { int, text } from './rows.ts';
import { every, type Row, type Sql, sql } from './sql.ts';
import { type Compilers, must } from './statement.ts';

/** Which connections to list. */
export interface ConnectionFilter {
  readonly userId?: number;
  readonly uuid?: string;
  /** From 1. */
  readonly page?: number;
  /** 100 by default. */
  readonly pageSize?: number;
}

/** The oldest first. */
export async function listConnections(driver: Driver, filter: ConnectionFilter): Promise<readonly Connection[]> {
  const { page = 1, pageSize = 100 } = filter;
  const rows = await driver.read(sql`
    SELECT c.uuid, c.user_id, c.source, c.identifier, c.created_at FROM doorward_connection c
    WHERE ${conditions(filter)} ORDER BY c.created_at, c.source, c.identifier LIMIT ${pageSize} OFFSET ${(page - 1) * pageSize}`);
  return rows.map(connectionFrom);
}

export async function countConnections(driver: Driver, filter: ConnectionFilter): Promise<number> {
  const [row] = await driver.read(sql`SELECT count(*) FROM doorward_connection c WHERE ${conditions(filter)}`);
  return int(row ?? [0], 0);
}

function conditions({ userId, uuid }: ConnectionFilter): Sql {
  return every([
    ...(userId === undefined ? [] : [sql`c.user_id = ${userId}`]),
    ...(uuid === undefined ? [] : [sql`c.uuid = ${uuid}`]),
  ]);
}

function connectionFrom(row: Row): Connection {
  return {
    ...{ uuid: text(row, 0), userId: int(row, 1), source: text(row, 2), identifier: text(row, 3) },
    createdAt: int(row, 4),
  };
}

/** Users' links to identity providers. */
export const connectionStatements: Compilers<Extract<Effect['kind'], `connection.${string}`>> = {
  'connection.save': ({ kind, userId, source, identifier }, { now }) => [
    must(
      { reason: 'taken', effect: kind, field: 'identifier' },
      [`connection:${source}:${identifier}`],
      sql`INSERT INTO doorward_connection (source, identifier, uuid, user_id, created_at)
        VALUES (${source}, ${identifier}, ${newUuid()}, ${userId}, ${now})
        ON CONFLICT (source, identifier) DO UPDATE SET user_id = excluded.user_id
        WHERE doorward_connection.user_id = excluded.user_id`,
    ),
  ],
  'connection.remove': ({ kind, uuid, userId }) => [
    must(
      { reason: 'missing', effect: kind },
      [`connection:${uuid}`],
      sql`DELETE FROM doorward_connection WHERE uuid = ${uuid} AND user_id = ${userId}`,
    ),
  ],
};
