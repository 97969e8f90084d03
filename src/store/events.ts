/** The audit record, as lists. */
import type { NewEvent } from '../engine/effects.ts';
import type { Driver } from './driver.ts';
import { int, json, text, textOrNull } from './rows.ts';
import { every, type Row, type Sql, sql } from './sql.ts';

export interface EventFilter {
  readonly action?: string;
  /** Who did it, whom it is about, or on whose behalf an administrator did it. */
  readonly userId?: number;
  /** Milliseconds since the epoch; from then on. */
  readonly since?: number;
  /** Milliseconds since the epoch; before that. */
  readonly until?: number;
  /** Only those with a greater id. */
  readonly after?: number;
  /** 100 by default. */
  readonly limit?: number;
  readonly offset?: number;
}

/** An audit record with its id; ids grow in the order of writing. */
export type StoredEvent = NewEvent & { readonly id: number };

/** The newest first. */
export async function listEvents(driver: Driver, filter: EventFilter): Promise<readonly StoredEvent[]> {
  const { limit = 100, offset = 0 } = filter;
  const rows = await driver.read(sql`
    SELECT id, action, actor, on_behalf_of, context, address, request_id, flow, created_at FROM doorward_event
    WHERE ${where(filter)} ORDER BY id DESC LIMIT ${limit} OFFSET ${offset}`);
  return rows.map(eventFrom);
}

/** How many there are, whatever the limit. */
export async function countEvents(driver: Driver, filter: EventFilter): Promise<number> {
  const [row] = await driver.read(sql`SELECT count(*) FROM doorward_event WHERE ${where(filter)}`);
  return int(row ?? [0], 0);
}

function where({ action, userId, since, until, after }: EventFilter): Sql {
  return every([
    ...(action === undefined ? [] : [sql`action = ${action}`]),
    ...(userId === undefined ? [] : [sql`(user_id = ${userId} OR behalf_id = ${userId})`]),
    ...(since === undefined ? [] : [sql`created_at >= ${since}`]),
    ...(until === undefined ? [] : [sql`created_at < ${until}`]),
    ...(after === undefined ? [] : [sql`id > ${after}`]),
  ]);
}

function eventFrom(row: Row): StoredEvent {
  const user = textOrNull(row, 2);
  const onBehalfOf = textOrNull(row, 3);
  return {
    id: int(row, 0),
    action: text(row, 1),
    user: user === null ? null : (JSON.parse(user) as NewEvent['user']),
    ...(onBehalfOf === null ? {} : { onBehalfOf: JSON.parse(onBehalfOf) as NonNullable<NewEvent['onBehalfOf']> }),
    context: json(row, 4),
    address: text(row, 5),
    requestId: text(row, 6),
    flow: textOrNull(row, 7),
    at: int(row, 8),
  };
}
