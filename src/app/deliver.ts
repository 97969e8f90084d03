/**
 * Delivers what the outbox holds. Each channel is a job of its own, so that a dead address holds no other; it gets
 * leased messages and gives back what became of them.
 */
import type { JsonObject } from '../kernel/json.ts';
import type { LeasedMessage, Outbox } from '../store/outbox.ts';
import { type Jobs, startJob } from './jobs.ts';
import type { Log } from './options.ts';

/** A message whose payload could be opened. */
export type Letter = LeasedMessage & { readonly payload: JsonObject };

/** @returns null when it arrived, else why not (for operators) */
export type Deliver = (message: Letter) => Promise<string | null>;

export interface DeliveryParts {
  readonly outbox: Outbox;
  readonly channels: ReadonlyMap<string, Deliver>;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  now(): number;
}

const pollEveryMs = 1_000;
const atOnce = 8;
/** Longer than any attempt takes. */
const leaseMs = 30_000;
/** After the first failed try, the second, and so on; the last one repeats. Milliseconds. */
const waits = [5_000, 30_000, 120_000, 600_000, 3_600_000, 21_600_000] as const;
const mostTries = 12;

/** Looks for messages every second, and at once when poked. A delivery under way is waited for at the end. */
export function startDelivery(parts: DeliveryParts): Jobs {
  let stopping = false;
  const jobs = [...parts.channels].map(([channel, deliver]) =>
    startJob(
      `delivery of ${channel}`,
      pollEveryMs,
      () => deliverDue(parts, channel, deliver, () => stopping),
      parts.log,
    ),
  );
  return {
    poke() {
      for (const job of jobs) job.poke();
    },
    async stop() {
      stopping = true;
      await Promise.all(jobs.map((job) => job.stop()));
    },
  };
}

async function deliverDue(
  parts: DeliveryParts,
  channel: string,
  deliver: Deliver,
  stopping: () => boolean,
): Promise<void> {
  while (!stopping()) {
    const messages = await parts.outbox.lease(channel, atOnce, leaseMs);
    if (messages.length === 0) return;
    const ended = await Promise.allSettled(messages.map((message) => attempt(parts, message, deliver)));
    const failed = ended.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }
}

async function attempt({ outbox, log, now }: DeliveryParts, message: LeasedMessage, deliver: Deliver): Promise<void> {
  const { payload, tries } = message;
  const why =
    payload === null
      ? 'it cannot be opened: its secret key is gone'
      : await deliver({ ...message, payload }).catch((error: unknown) => String(error));
  if (why === null) return outbox.delivered(message);
  const about = { id: message.uuid, channel: message.channel, tries, why };
  if (payload === null || tries >= mostTries) {
    await outbox.setAside(message, why);
    log('error', 'a message was set aside; see doorward outbox list', about);
    return;
  }
  await outbox.retryLater(message, why, now() + (waits[tries - 1] ?? waits[waits.length - 1] ?? 0));
  log('warn', 'a message could not be delivered and will be tried again', about);
}
