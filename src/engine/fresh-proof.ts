/** Whether somebody proved lately who they are: what a change of authenticators takes (docs/authenticators.md). */
import type { Authenticator } from './authenticator.ts';
import type { Session } from './user.ts';

/** A sign-in, and a page on which something is set up, count for so long. */
export const freshProofMs = 15 * 60_000;

/** Where a visitor proves it again, and comes back from. */
export const provePath = '/flows/-/prove/';

/**
 * The session began a moment ago; and with an authenticator, if the user had one by then: a stolen password alone must
 * not add an authenticator of the thief's.
 */
export function isFreshProof(
  { createdAt, factors }: Pick<Session, 'createdAt' | 'factors'>,
  authenticators: readonly Authenticator[],
  now: number,
): boolean {
  if (createdAt + freshProofMs <= now) return false;
  return factors.length > 0 || authenticators.every((one) => one.createdAt >= createdAt);
}
