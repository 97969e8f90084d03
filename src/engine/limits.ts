/**
 * How much one client may have of work that costs: local budgets in front of it, and counters in the commit, which all
 * nodes share (CONTRACT: Limits). A client is a network, or a device that its user signed in with before.
 */
import { networkOf } from '../kernel/network.ts';
import type { Effect } from './effects.ts';
import type { User } from './user.ts';
import type { Visitor } from './visitor.ts';

/** Passwords that are hashed, messages that are sent, codes and captchas that are checked. */
export type CostlyWork = 'passwords' | 'messages' | 'codes';

/** The room `app` answers. */
export interface Limits {
  /**
   * Takes one from the budgets of this node: the client's, and that of all clients that are not known.
   *
   * @throws DoorwardError `rate_limited`, and then nothing was taken
   */
  spend(work: CostlyWork, visitor: Visitor): void;
  /** Counts a new user, for the client and for all; shared between nodes. @param run spreads the count of all */
  signUp(visitor: Visitor, run: string): readonly Effect[];
  /** What to throw when the commit refused that. */
  signUpsUsedUp(): Error;
}

/** For runs without a browser, and where limits are turned off. */
export const noLimits: Limits = {
  spend: () => undefined,
  signUp: () => [],
  signUpsUsedUp: () => new Error('sign-ups are not counted here'),
};

/** Who is at the door, for local budgets; null where nothing is known of them. */
export function clientOf(visitor: Visitor): { readonly key: string; readonly known: boolean } | null {
  const { session, remembered = [], address } = visitor;
  if (session !== null) return { key: `session ${session.uuid}`, known: true };
  const device = remembered.find(({ what }) => what === 'device');
  if (device !== undefined) return { key: `device ${device.user} ${device.at}`, known: true };
  return address === '' ? null : { key: networkOf(address), known: false };
}

/** A name for the visitor's device where this very user signed in with it before (UL-5); null for any other. */
export function knownDevice(visitor: Visitor, user: User | null): string | null {
  if (user === null) return null;
  if (visitor.session !== null && visitor.user?.id === user.id) return visitor.session.uuid;
  const { remembered = [] } = visitor;
  const device = remembered.find(({ what, user: uuid }) => what === 'device' && uuid === user.uuid);
  return device === undefined ? null : String(device.at);
}

/** A counter that attempts are let through by. */
export interface Guard {
  readonly bucket: string;
  readonly limit: number;
  readonly windowMs: number;
  readonly at: number;
}

type Window = Pick<Guard, 'limit' | 'windowMs'>;

/**
 * Counters of attempts on one account: from one network, and from all. A device that the account's user signed in with
 * has one of its own instead: who guesses elsewhere never locks it out (CVE-2026-19607).
 */
export function accountGuards(
  visitor: Visitor,
  user: User | null,
  { bucket, at, here, anywhere }: { bucket: string; at: number; here: Window; anywhere: Window | null },
): readonly Guard[] {
  const device = knownDevice(visitor, user);
  if (device !== null) return [{ bucket: `${bucket}!${device}`, ...here, at }];
  const near = { bucket: `${bucket}@${networkOf(visitor.address)}`, ...here, at };
  return anywhere === null ? [near] : [near, { bucket, ...anywhere, at }];
}
