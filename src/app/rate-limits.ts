/** The budgets of work that costs, by kind: a client's own, and that of all clients together (docs/rate-limits.md). */
import { type CostlyWork, clientOf, type Limits } from '../engine/limits.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { networkOf } from '../kernel/network.ts';

/** How much of one kind of work there is; Infinity for any amount. */
export interface BudgetOptions {
  /** Within `windowMs`, for one client: an IPv4 address, an IPv6 /64, or a device that is known. */
  readonly perClient?: number;
  /** For all clients together that are not known devices. */
  readonly inAll?: number;
  /** Milliseconds. */
  readonly windowMs?: number;
}

/** What differs from the defaults. */
export interface RateLimitOptions {
  /** Passwords that are hashed or checked, for each node. */
  readonly passwords?: BudgetOptions;
  /** Messages that visitors have sent, for each node. */
  readonly messages?: BudgetOptions;
  /** Codes and captchas that are checked, for each node. */
  readonly codes?: BudgetOptions;
  /** New users that visitors make, for all nodes together. */
  readonly signUps?: BudgetOptions;
}

type Budget = Required<BudgetOptions>;
type Budgets = Readonly<Record<CostlyWork | 'signUps', Budget>>;

const minute = 60_000;
const hour = 60 * minute;

/** An office of some hundred people behind one address signs in within minutes. */
const defaults: Budgets = {
  passwords: { perClient: 300, inAll: 30_000, windowMs: 5 * minute },
  messages: { perClient: 100, inAll: 10_000, windowMs: hour },
  codes: { perClient: 300, inAll: 30_000, windowMs: 5 * minute },
  signUps: { perClient: 200, inAll: 20_000, windowMs: hour },
};

/** So many clients are told apart at a time; the one that came longest ago is forgotten first. */
const mostClients = 20_000;
/** The count of all sign-ups is spread over so many rows: they would wait for each other at one. */
const spread = 16;

/** @throws DoorwardError `configuration` */
export function createRateLimits(options: RateLimitOptions, now: () => number): Limits {
  const budgets = budgetsOf(options);
  const local = (of: CostlyWork) => ({
    perClient: new LocalBudget(budgets[of].perClient, budgets[of].windowMs),
    inAll: new LocalBudget(budgets[of].inAll, budgets[of].windowMs),
  });
  const spent = { passwords: local('passwords'), messages: local('messages'), codes: local('codes') };
  const { signUps } = budgets;
  const windowAt = (at: number): number => Math.floor(at / signUps.windowMs);
  return {
    spend(work, visitor) {
      const { perClient, inAll } = spent[work];
      const client = clientOf(visitor);
      const at = now();
      const own = client === null ? 0 : perClient.wait(client.key, at);
      const all = client?.known === true ? 0 : inAll.wait('', at);
      if (own > 0) throw limited(`one client used up its ${work}`, own);
      if (all > 0) throw limited(`all clients together used up the ${work} of this node`, all);
      if (client !== null) perClient.take(client.key, at);
      if (client?.known !== true) inAll.take('', at);
    },
    signUp({ address }, run) {
      const at = now();
      const { perClient, inAll, windowMs } = signUps;
      const rows = inAll < spread * 100 ? 1 : spread;
      const share = (run.charCodeAt(0) || 0) % rows;
      const counted = { kind: 'attempt.sign_up', windowMs, at } as const;
      const name = `sign-up:${windowAt(at)}`;
      return [
        ...(address === '' ? [] : [{ ...counted, bucket: `${name}@${networkOf(address)}`, limit: perClient }]),
        { ...counted, bucket: `${name}#${share}`, limit: Math.ceil(inAll / rows) },
      ].filter(({ limit }) => limit !== Number.POSITIVE_INFINITY);
    },
    signUpsUsedUp() {
      const at = now();
      return limited('the sign-ups of this window are used up', (windowAt(at) + 1) * signUps.windowMs - at);
    },
  };
}

function limited(detail: string, waitMs: number): DoorwardError {
  return new DoorwardError('rate_limited', detail, { retryAfter: waitMs / 1000 });
}

/**
 * So many in a window, then evenly as the window goes on (the generic cell rate algorithm): of each key one number is
 * kept, when it has its whole budget again.
 */
class LocalBudget {
  readonly #windowMs: number;
  readonly #eachMs: number;
  readonly #wholeAt = new Map<string, number>();

  constructor(count: number, windowMs: number) {
    this.#windowMs = windowMs;
    this.#eachMs = windowMs / count;
  }

  /** Milliseconds until there is one for this key; 0: now. */
  wait(key: string, now: number): number {
    const missing = this.#after(key, now) - now - this.#windowMs;
    // Less is what division leaves over.
    return missing > 0.001 ? missing : 0;
  }

  take(key: string, now: number): void {
    const after = this.#after(key, now);
    this.#wholeAt.delete(key);
    this.#wholeAt.set(key, after);
    if (this.#wholeAt.size <= mostClients) return;
    const [oldest = ''] = this.#wholeAt.keys();
    this.#wholeAt.delete(oldest);
  }

  #after(key: string, now: number): number {
    return Math.max(now, this.#wholeAt.get(key) ?? 0) + this.#eachMs;
  }
}

function budgetsOf(options: RateLimitOptions): Budgets {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(defaults, name));
  if (unknown !== undefined)
    throw new DoorwardError('configuration', `rateLimits: "${unknown}" is none of ${Object.keys(defaults).join(', ')}`);
  return {
    passwords: budget('passwords', options.passwords),
    messages: budget('messages', options.messages),
    codes: budget('codes', options.codes),
    signUps: budget('signUps', options.signUps),
  };
}

function budget(name: keyof Budgets, given: BudgetOptions = {}): Budget {
  const all = { ...defaults[name], ...given };
  for (const [member, value] of Object.entries(all))
    if (!(value >= 1) || (member === 'windowMs' && !Number.isFinite(value)))
      throw new DoorwardError('configuration', `rateLimits.${name}.${member}: ${value} is not a number from 1`);
  return all;
}
