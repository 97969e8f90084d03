/**
 * How often somebody may be wrong with a code or a passkey: counted per user and kind of authenticator, from one
 * address and from all together. A code has few digits, so what all addresses may try is little, and holds for longer
 * than of passwords; who typed the password has come so far already.
 */
import type { AuthenticatorKind } from './authenticator.ts';
import type { Effect } from './effects.ts';
import { accountGuards } from './limits.ts';
import { loginFailed } from './password-check.ts';
import { reputationChange, reputationSubject } from './reputation.ts';
import type { Desk } from './stage.ts';
import type { User } from './user.ts';

const here = { limit: 5, windowMs: 5 * 60_000 } as const;
const anywhere = { limit: 20, windowMs: 60 * 60_000 } as const;

/** Whose proof is judged. */
export interface FactorSubject {
  /** null for a stand-in, and where a passkey says who it is. */
  readonly user: User | null;
  /** What a stand-in typed; '' for nobody at all. */
  readonly typed: string;
}

/** One attempt, counted with what it decides. */
export interface FactorAttempt {
  /** None is left in this window. */
  readonly limited: boolean;
  /** This one was the last. */
  readonly last: boolean;
  readonly failed: readonly Effect[];
  /** Refused with `limited` when others used the window up meanwhile: then the success is not disclosed. */
  readonly succeeded: readonly Effect[];
}

export async function factorAttempt(desk: Desk, kind: AuthenticatorKind, who: FactorSubject): Promise<FactorAttempt> {
  const { visitor, tools, read } = desk;
  const at = tools.now();
  const named = who.user !== null || who.typed !== '';
  const subject = named ? reputationSubject(tools, who.user?.id ?? null, who.typed) : 'anybody';
  tools.limits.spend('codes', visitor);
  const bucket = `authenticator:${kind}:${subject}`;
  const guards = accountGuards(visitor, who.user, { bucket, at, here, anywhere: named ? anywhere : null });
  const left = await Promise.all(
    guards.map(async ({ bucket, limit, windowMs }) => limit - (await read.attempts(bucket, windowMs, at))),
  );
  const reputation = (by: -1 | 1): readonly Effect[] => (named ? [reputationChange(desk, subject, by)] : []);
  return {
    limited: Math.min(...left) <= 0,
    last: Math.min(...left) <= 1,
    failed: [
      ...guards.map((guard): Effect => ({ kind: 'attempt.fail', ...guard })),
      ...reputation(-1),
      loginFailed(desk, who.user),
    ],
    succeeded: [...guards.map((guard): Effect => ({ kind: 'attempt.succeed', ...guard })), ...reputation(1)],
  };
}
