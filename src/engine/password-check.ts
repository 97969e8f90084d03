/**
 * One way to check a password, for every stage that asks one: the same cost, the same counters and the same answer
 * whether the account is unknown, inactive or has another password (ID-2, ID-4, PW-3, CONTRACT: Outcomes).
 */
import { usernameKey } from '../kernel/text.ts';
import { eventActor } from './acting.ts';
import type { Effect } from './effects.ts';
import { accountGuards } from './limits.ts';
import { reputationChange, reputationSubject } from './reputation.ts';
import type { Desk } from './stage.ts';
import type { User } from './user.ts';

/** Failures are counted in windows of five minutes: guessing is slowed down, and nobody is locked out for long. */
export const passwordWindowMs = 300_000;

/**
 * UTF-16 units of a name or password that is looked at: Unicode normalisation takes quadratic time, so a body of
 * combining marks would stop the server for minutes. Nobody has a longer one.
 */
export const longestTyped = 1_024;

export interface PasswordAttempt {
  /** null when the typed identifier is nobody's. */
  readonly user: User | null;
  /** What the visitor typed to say who they are. */
  readonly typed: string;
  readonly password: string;
  /** So many failures in a window are let through from one address. */
  readonly limit: number;
}

/**
 * From all addresses together so many times as many are let through: who guesses from one place locks out nobody but
 * themselves (CVE-2026-19607), and a guesser with many places is still slowed down.
 */
const addressesPerWindow = 20;

export interface PasswordVerdict {
  readonly ok: boolean;
  /** To be committed with the decision: the count, the event, the renewal of an outdated hash. */
  readonly effects: readonly Effect[];
  /** No further attempt is let through in this window. */
  readonly limited: boolean;
}

/**
 * Checks one password. A success holds only when the commit still allows it: its effect is refused with `limited` when
 * other attempts used up the window meanwhile.
 */
export async function checkPassword(desk: Desk, attempt: PasswordAttempt): Promise<PasswordVerdict> {
  const { user, password, limit } = attempt;
  const at = desk.tools.now();
  const subject = reputationSubject(desk.tools, user?.id ?? null, attempt.typed);
  const guards = accountGuards(desk.visitor, user, {
    // By the name that was typed: one account's names do not share a counter, or it would tell that they are one's.
    ...{ bucket: `password:${desk.tools.hashToken(usernameKey(attempt.typed))}`, at },
    here: { limit, windowMs: passwordWindowMs },
    anywhere: { limit: limit * addressesPerWindow, windowMs: passwordWindowMs },
  });
  const left = await Promise.all(
    guards.map(async ({ bucket, limit }) => limit - (await desk.read.attempts(bucket, passwordWindowMs, at))),
  );
  if (Math.min(...left) <= 0) return { ok: false, effects: [], limited: true };
  const identifier = usernameKey(user === null ? attempt.typed : user.username);
  const check = await desk.tools.verifyPassword(user?.isActive ? user.id : null, password, identifier);
  if (user === null || !check.ok) {
    const counted = guards.map((guard): Effect => ({ kind: 'attempt.fail', ...guard }));
    const effects = [...counted, reputationChange(desk, subject, -1), loginFailed(desk, user)];
    return { ok: false, effects, limited: Math.min(...left) <= 1 };
  }
  const { stored, renewed } = check;
  const renewal: readonly Effect[] =
    stored === null || renewed === null ? [] : [{ kind: 'password.renew', userId: user.id, from: stored, to: renewed }];
  const allowed = guards.map((guard): Effect => ({ kind: 'attempt.succeed', ...guard }));
  return { ok: true, effects: [...allowed, ...renewal, reputationChange(desk, subject, 1)], limited: false };
}

/** What the audit record says of a proof that was not one. */
export function loginFailed(desk: Desk, user: User | null): Effect {
  const { visitor, stage, flow, tools } = desk;
  return {
    kind: 'event',
    event: {
      action: 'login_failed',
      ...eventActor(visitor, user),
      context: { stage: { pk: stage.pk, name: stage.name } },
      address: visitor.address,
      requestId: visitor.requestId,
      flow: flow.slug,
      at: tools.now(),
    },
  };
}
