import type { IdentityProof, Permission } from '../../engine/stage-proof.ts';
import type { Walker } from './finding.ts';

/**
 * What is known of a visitor at a place of a flow. A stand-in for an unknown user is not told from a user whose name
 * was typed: it comes nowhere that such a user does not come, and less happens to it.
 */
export interface Standing {
  readonly visitor: Walker;
  /**
   * Whom the flow is about: `self`, who is signed in; `named`, an existing user; `new`, one that this run made;
   * `trusted`, whom a source, a program or a policy with the right to do so put there.
   */
  readonly pending: 'nobody' | 'self' | 'named' | 'new' | 'trusted';
  /** A new user who may sign in. */
  readonly active: boolean;
  /** A new user who has a password. */
  readonly hasPassword: boolean;
  /** A new user who was put into a group. */
  readonly joined: boolean;
  /** Who has the username that was asked: nobody yet, whom the flow is about, or another user that this run wrote. */
  readonly nameUsed: 'no' | 'own' | 'other';
  /** What was proven of the pending user. */
  readonly proven: ReadonlySet<IdentityProof>;
  /** Factors that were asked of them, given or not: who has no authenticator cannot give one. */
  readonly asked: ReadonlySet<string>;
  /** Factors that a policy kept from being asked. */
  readonly spared: ReadonlySet<string>;
  readonly allowed: ReadonlySet<Permission>;
  /** One-time secrets that opened a gate and were not used up yet. */
  readonly open: ReadonlySet<string>;
  readonly usedUp: ReadonlySet<string>;
  readonly answers: ReadonlyMap<string, Answer>;
  /** Keys that were asked since the last write. */
  readonly fresh: ReadonlySet<string>;
  /** Keys of the plan context that stages gave. */
  readonly keys: ReadonlySet<string>;
  /** What policies said on this path, of those that are asked in several places. */
  readonly said: ReadonlyMap<string, boolean>;
  /** One of them said something else later. */
  readonly unlikely: boolean;
  /** A policy ran: the plan context may hold more than stages gave. */
  readonly loose: boolean;
  /** Flows that began since a visitor last answered something. */
  readonly unasked: ReadonlySet<string>;
  readonly redirected: boolean;
  /** Something was written or somebody signed in. */
  readonly acted: boolean;
}

export interface Answer {
  readonly secret: boolean;
  readonly shown: boolean;
  /** pk of the binding that asked last. */
  readonly binding: string;
}

const none: ReadonlySet<never> = new Set();

/** How a visitor begins, with nothing known. */
export function beginning(visitor: Walker): Standing {
  return {
    ...{ visitor, pending: 'nobody', active: false, hasPassword: false, joined: false, nameUsed: 'no' },
    ...{ proven: none, asked: none, spared: none, allowed: none, open: none, usedUp: none, answers: new Map() },
    ...{ fresh: none, keys: none, said: new Map(), unlikely: false, loose: false, unasked: none },
    ...{ redirected: false, acted: false },
  };
}

/** How a flow begins anew, or another one after it, when the plan context does not go along. */
export function withoutContext({ visitor, unasked, usedUp }: Standing): Standing {
  return { ...beginning(visitor), unasked, usedUp };
}

/** How a run begins that a source or a program started: all that stages need may be there. */
export function trustedBeginning(visitor: Walker, keys: ReadonlySet<string>): Standing {
  return { ...beginning(visitor), pending: 'trusted', keys, loose: true, redirected: true };
}

/** The flow is about somebody else now: what was proven and what policies said of the one before is nothing to them. */
export function about(standing: Standing, pending: Standing['pending']): Standing {
  const { pending: before, proven, nameUsed } = standing;
  // Somebody whose name was only typed may be named once more.
  const isOther = nameUsed === 'own' && (before !== 'named' || proven.size > 0);
  return {
    ...{ ...standing, pending, active: false, hasPassword: false, joined: false },
    ...{ nameUsed: isOther ? 'other' : nameUsed, proven: none, asked: none, spared: none },
    ...{ said: new Map(), keys: plus(standing.keys, 'pending_user') },
  };
}

export function plus<Item>(set: ReadonlySet<Item>, ...items: readonly Item[]): ReadonlySet<Item> {
  return items.every((item) => set.has(item)) ? set : new Set([...set, ...items]);
}

export function minus<Item>(set: ReadonlySet<Item>, item: Item): ReadonlySet<Item> {
  return set.has(item) ? new Set([...set].filter((one) => one !== item)) : set;
}

/** Equal for standings that nothing tells apart from here on. */
export function standingKey(standing: Standing): string {
  return JSON.stringify(Object.values(standing).map(plain));
}

function plain(value: unknown): unknown {
  if (value instanceof Set) return [...value].sort();
  if (value instanceof Map) return [...value].map((pair) => JSON.stringify(pair)).sort();
  return value;
}
