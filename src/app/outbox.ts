import { DoorwardError } from '../kernel/errors.ts';
import type { Outbox, PendingMessage } from '../store/outbox.ts';
import { mailOf } from './mail.ts';

/** A message that was not delivered yet, for operators. */
export interface OutboxEntry {
  /** The same in every attempt (`webhook-id`). */
  readonly id: string;
  readonly kind: PendingMessage['kind'];
  /** `set_aside`: it was tried often enough; nobody tries it again until it is asked for. */
  readonly state: PendingMessage['state'];
  /** Where it goes: an address, or a server without path and query; null when it cannot be opened. */
  readonly to: string | null;
  /** pk of the user whom it is about. */
  readonly user: number | null;
  readonly tries: number;
  readonly lastError: string | null;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** When it is tried next. */
  readonly dueAt: number;
}

/** The outbox for operators. */
export interface OutboxDesk {
  /** What is not delivered, oldest first: the first 1,000. */
  list(): Promise<readonly OutboxEntry[]>;
  /**
   * Lets messages that were set aside be tried again, from the first wait on; returns how many.
   *
   * @throws DoorwardError `not_found` naming ids that are not set aside; the others are tried again
   */
  retry(ids: readonly string[] | 'all'): Promise<number>;
}

const listed = 1_000;

export function outboxDesk(outbox: Outbox): OutboxDesk {
  return {
    list: async () => (await outbox.pending(listed)).map(entryOf),
    async retry(ids) {
      const found = new Set(await outbox.replay(ids === 'all' ? null : ids));
      const missing = ids === 'all' ? [] : ids.filter((id) => !found.has(id));
      if (missing.length > 0)
        throw new DoorwardError('not_found', `not set aside (see doorward outbox list): ${missing.join(', ')}`);
      return found.size;
    },
  };
}

function entryOf({
  uuid,
  kind,
  state,
  payload,
  userId,
  tries,
  lastError,
  createdAt,
  dueAt,
}: PendingMessage): OutboxEntry {
  const to = kind === 'mail' && payload !== null ? mailOf(payload).to.address : originOf(payload?.url);
  return { id: uuid, kind, state, to, user: userId, tries, lastError, createdAt, dueAt };
}

function originOf(url: unknown): string | null {
  return typeof url === 'string' && URL.canParse(url) ? new URL(url).origin : null;
}
