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

/** Why a message did not arrive, for operators. `forGood`: another try would come to the same. */
export type Undelivered = string | { readonly why: string; readonly forGood: true };

/** @returns null when it arrived */
export type Deliver = (message: Letter) => Promise<Undelivered | null>;

export interface DeliveryParts {
  readonly outbox: Outbox;
  readonly channels: ReadonlyMap<string, Deliver>;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  now(): number;
}

const pollEveryMs = 1_000;
/** Whoever leaves a message is answered before it is delivered: how long that takes would tell who is written to. */
const afterAnswerMs = 25;
const atOnce = 8;
/** Longer than any attempt takes. */
const leaseMs = 30_000;
/** After the first failed try, the second, and so on; the last one repeats. Milliseconds. */
const waits = [5_000, 30_000, 120_000, 600_000, 3_600_000, 21_600_000] as const;
const mostTries = 12;

/** Looks for messages every second, and soon when poked. What is under way is waited for at the end. */
export function startDelivery(parts: DeliveryParts): Jobs {
  const channels = [...parts.channels].map(([channel, deliver]) => startChannel(parts, channel, deliver));
  let soon: NodeJS.Timeout | null = null;
  const look = (): void => {
    soon = null;
    for (const channel of channels) channel.poke();
  };
  return {
    poke() {
      soon ??= setTimeout(look, afterAnswerMs).unref();
    },
    async stop() {
      if (soon !== null) {
        clearTimeout(soon);
        look();
      }
      await Promise.all(channels.map((channel) => channel.stop()));
    },
  };
}

/** Each message that ends makes room for the next, so that one that hangs holds up nobody but its own user. */
function startChannel(parts: DeliveryParts, channel: string, deliver: Deliver): Jobs {
  const underWay = new Set<Promise<void>>();
  const job = startJob(`delivery of ${channel}`, pollEveryMs, startDue, parts.log);
  async function startDue(): Promise<void> {
    const free = atOnce - underWay.size;
    if (free === 0) return;
    for (const message of await parts.outbox.lease(channel, free, leaseMs)) start(message);
  }
  function start(message: LeasedMessage): void {
    const attempted = attempt(parts, message, deliver)
      .catch((error: unknown) => parts.log('warn', `delivery of ${channel} failed`, { error: String(error) }))
      .finally(() => {
        underWay.delete(attempted);
        job.poke();
      });
    underWay.add(attempted);
  }
  return {
    poke: () => job.poke(),
    async stop() {
      await job.stop();
      await Promise.all(underWay);
    },
  };
}

async function attempt({ outbox, log, now }: DeliveryParts, message: LeasedMessage, deliver: Deliver): Promise<void> {
  const { payload, tries } = message;
  const reason: Undelivered | null =
    payload === null
      ? { why: 'it cannot be opened: its secret key is gone', forGood: true }
      : await deliver({ ...message, payload }).catch((error: unknown) => String(error));
  if (reason === null) return outbox.delivered(message);
  const { why, forGood } = typeof reason === 'string' ? { why: reason, forGood: false } : reason;
  const about = { id: message.uuid, channel: message.channel, tries, why };
  if (forGood || tries >= mostTries) {
    await outbox.setAside(message, why);
    log('error', 'a message was set aside; see doorward outbox list', about);
    return;
  }
  await outbox.retryLater(message, why, now() + (waits[tries - 1] ?? waits[waits.length - 1] ?? 0));
  log('warn', 'a message could not be delivered and will be tried again', about);
}
