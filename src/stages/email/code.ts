/** Short codes: so few tries that guessing is hopeless, counted in the commit that discloses the outcome. */
import type { Effect } from '../../engine/effects.ts';
import type { RunKey } from '../../engine/run-key.ts';
import type { Desk } from '../../engine/stage.ts';
import { parseDuration } from '../../kernel/duration.ts';
import { networkOf } from '../../kernel/network.ts';
import { sameText } from '../../kernel/secrets.ts';
import type { EmailConfig } from './config.ts';
import { codeHash } from './message.ts';
import type { Recipient } from './recipient.ts';

const hour = 3_600_000;
/** Wrong codes: of one message, of one address, of one client. */
const limits = { message: 5, address: 20, client: 50 } as const;

export interface CodeVerdict {
  readonly ok: boolean;
  /** No further code is let through. */
  readonly limited: boolean;
  readonly effects: readonly Effect[];
}

export async function checkCode(
  desk: Desk<EmailConfig>,
  { key, hash, typed, to }: { key: RunKey | null; hash: string; typed: string; to: Recipient },
): Promise<CodeVerdict> {
  const { tools, read, visitor, config } = desk;
  tools.limits.spend('codes', visitor);
  const at = tools.now();
  const guards = [
    { bucket: `code:${hash}`, limit: limits.message, windowMs: parseDuration(config.token_expiry), at },
    { bucket: `code:${tools.hashToken(to.subject)}`, limit: limits.address, windowMs: hour, at },
    // Who guesses at others' codes does not begin anew by a right one of their own.
    { bucket: `code@${networkOf(visitor.address)}`, limit: limits.client, windowMs: hour, at, keepsCount: true },
  ] as const;
  const counts = await Promise.all(guards.map(({ bucket, windowMs }) => read.attempts(bucket, windowMs, at)));
  const left = Math.min(...guards.map(({ limit }, index) => limit - (counts[index] ?? 0)));
  if (left <= 0) return { ok: false, limited: true, effects: [] };
  const ok = sameText(key?.codeHash ?? '', codeHash(desk, typed.replace(/[\s-]/g, '')));
  const kind = ok ? 'attempt.succeed' : 'attempt.fail';
  return { ok, limited: !ok && left <= 1, effects: guards.map((guard): Effect => ({ ...guard, kind })) };
}
