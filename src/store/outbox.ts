import type { NewMessage } from '../engine/effects.ts';
import { nobodysChannel } from '../engine/mail.ts';
import type { Clock } from '../kernel/clock.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { Keyring } from '../kernel/secrets.ts';
import type { Driver } from './driver.ts';
import { int, intOrNull, text, textOrNull } from './rows.ts';
import { list, type Row, type Sql, sql } from './sql.ts';

/*
 * The outbox: messages that a commit left behind, until they are delivered. Whoever delivers leases a message first, so
 * several nodes can deliver at once; a lease that runs out (its node died) lets another one try. So a message leaves at
 * least once, always with the same id.
 */

/** A leased message. */
export interface LeasedMessage {
  /** Its row, found by this at once however many messages wait. */
  readonly id: number;
  readonly uuid: string;
  readonly kind: NewMessage['kind'];
  readonly channel: string;
  readonly userId: number | null;
  /** null when it cannot be opened: its key is gone. */
  readonly payload: JsonObject | null;
  /** This one included. */
  readonly tries: number;
}

/** A message that was not delivered yet. */
export interface PendingMessage extends LeasedMessage {
  readonly state: 'waiting' | 'leased' | 'set_aside';
  readonly createdAt: number;
  readonly dueAt: number;
  readonly lastError: string | null;
}

export interface OutboxCounts {
  readonly waiting: number;
  readonly setAside: number;
}

/** Times are milliseconds since the epoch. */
export interface Outbox {
  /** Leases due messages of a channel: of each user the oldest alone, so that each user's leave in order. */
  lease(channel: string, most: number, leaseMs: number): Promise<readonly LeasedMessage[]>;
  /** The payload is erased. */
  delivered(message: LeasedMessage): Promise<void>;
  /** The user's later messages in the channel wait as well. */
  retryLater(message: LeasedMessage, why: string, dueAt: number): Promise<void>;
  /** Nobody tries it again unless asked to; the user's later messages go on. */
  setAside(message: LeasedMessage, why: string): Promise<void>;
  /** What is not delivered, oldest first; stand-ins' messages are none. */
  pending(limit: number): Promise<readonly PendingMessage[]>;
  /** Lets messages that were set aside be tried again, all of them for null; their uuids. */
  replay(uuids: readonly string[] | null): Promise<readonly string[]>;
  counts(): Promise<OutboxCounts>;
}

const open = sql`sent_at IS NULL AND set_aside_at IS NULL`;

export function outboxOn(driver: Driver, keyring: Keyring, clock: Clock): Outbox {
  const setAside = async (message: LeasedMessage, why: string): Promise<void> => {
    const now = clock.now();
    await driver.write(sql`
      UPDATE doorward_outbox SET set_aside_at = ${now}, last_error = ${why}, leased_until = NULL
      WHERE id = ${message.id} AND tries = ${message.tries} AND ${open}`);
    await driver.write(sql`UPDATE doorward_outbox SET due_at = ${now} WHERE ${lineOf(message)} AND due_at > ${now}`);
  };
  return {
    async lease(channel, most, leaseMs) {
      const now = clock.now();
      const free = sql`${open} AND due_at <= ${now} AND (leased_until IS NULL OR leased_until <= ${now})`;
      // Looked for by a reader: an idle outbox never takes SQLite's write lock.
      const due = await driver.read(sql`
        SELECT id FROM doorward_outbox o WHERE channel = ${channel} AND ${free} AND NOT EXISTS (
          SELECT 1 FROM doorward_outbox earlier WHERE earlier.channel = o.channel AND earlier.user_id = o.user_id
            AND earlier.id < o.id AND earlier.sent_at IS NULL AND earlier.set_aside_at IS NULL)
        ORDER BY due_at, id LIMIT ${most}`);
      if (due.length === 0) return [];
      const rows = await driver.write(sql`
        UPDATE doorward_outbox SET leased_until = ${now + leaseMs}, tries = tries + 1
        WHERE id IN (${list(due.map((row) => int(row, 0)))}) AND ${free}
        RETURNING id, uuid, kind, channel, user_id, payload, tries`);
      return rows.map((row) => leasedFrom(row, keyring));
    },
    async delivered({ id }) {
      await driver.write(sql`
        UPDATE doorward_outbox SET sent_at = ${clock.now()}, payload = NULL, leased_until = NULL, last_error = NULL
        WHERE id = ${id} AND sent_at IS NULL`);
    },
    async retryLater(message, why, dueAt) {
      await driver.write(sql`
        UPDATE doorward_outbox SET due_at = ${dueAt}, last_error = ${why}, leased_until = NULL
        WHERE id = ${message.id} AND tries = ${message.tries} AND ${open}`);
      // They could not leave anyway, and are not looked at again and again meanwhile.
      await driver.write(
        sql`UPDATE doorward_outbox SET due_at = ${dueAt} WHERE ${lineOf(message)} AND due_at < ${dueAt}`,
      );
    },
    setAside,
    async pending(limit) {
      const now = clock.now();
      const rows = await driver.read(sql`
        SELECT id, uuid, kind, channel, user_id, payload, tries, created_at, due_at, last_error, leased_until, set_aside_at
        FROM doorward_outbox WHERE sent_at IS NULL AND channel <> ${nobodysChannel} ORDER BY id LIMIT ${limit}`);
      return rows.map((row) => pendingFrom(row, keyring, now));
    },
    async replay(uuids) {
      const which = uuids === null ? sql`1 = 1` : sql`uuid IN (${list(uuids)})`;
      const rows = await driver.write(sql`
        UPDATE doorward_outbox SET set_aside_at = NULL, due_at = ${clock.now()}, tries = 0
        WHERE set_aside_at IS NOT NULL AND sent_at IS NULL AND ${which} RETURNING uuid`);
      return rows.map((row) => text(row, 0));
    },
    async counts() {
      const [row = []] = await driver.read(
        sql`SELECT count(*), count(set_aside_at) FROM doorward_outbox WHERE sent_at IS NULL AND channel <> ${nobodysChannel}`,
      );
      return { waiting: int(row, 0) - int(row, 1), setAside: int(row, 1) };
    },
  };
}

/** What else this user is sent on this channel; nothing for a message without a user. */
function lineOf({ channel, userId, id }: LeasedMessage): Sql {
  return sql`channel = ${channel} AND user_id = ${userId ?? -1} AND id <> ${id} AND ${open}`;
}

function leasedFrom(row: Row, keyring: Keyring): LeasedMessage {
  const uuid = text(row, 1);
  const payload = keyring.open('outbox', textOrNull(row, 5) ?? '', uuid);
  return {
    ...{ id: int(row, 0), uuid, kind: text(row, 2) as NewMessage['kind'], channel: text(row, 3) },
    ...{ userId: intOrNull(row, 4), payload: payload === null ? null : (JSON.parse(payload) as JsonObject) },
    tries: int(row, 6),
  };
}

function pendingFrom(row: Row, keyring: Keyring, now: number): PendingMessage {
  const leased = (intOrNull(row, 10) ?? 0) > now;
  return {
    ...leasedFrom(row, keyring),
    state: intOrNull(row, 11) !== null ? 'set_aside' : leased ? 'leased' : 'waiting',
    createdAt: int(row, 7),
    dueAt: int(row, 8),
    lastError: textOrNull(row, 9),
  };
}
