/** How much the sign-ins of late say for or against somebody at an address: what the policy `reputation` goes by. */
import { usernameKey } from '../kernel/text.ts';
import type { Effect } from './effects.ts';
import type { Tools } from './ports.ts';
import type { Desk } from './stage.ts';

/** One person at one address has a score within these bounds, the reference's. */
export const reputationBounds = { lowest: -5, highest: 5 } as const;

/** A score that nothing was added to for so long is forgotten. */
export const reputationKeptMs = 86_400_000;

/** Whoever was identified, or typed a name that is nobody's: a keyed hash, since it may be a password by mistake. */
export function reputationSubject(tools: Pick<Tools, 'hashToken'>, userId: number | null, typed: string): string {
  return userId === null ? `typed:${tools.hashToken(usernameKey(typed))}` : `user:${userId}`;
}

/** A sign-in went well or not; committed with what the stage decides. */
export function reputationChange(
  { visitor, tools }: Pick<Desk, 'visitor' | 'tools'>,
  subject: string,
  by: -1 | 1,
): Effect {
  return { kind: 'reputation.add', subject, address: visitor.address, by, at: tools.now() };
}
