import { type PlanContext, promptValue } from '../engine/plan-context.ts';
import { Secret } from '../kernel/secrets.ts';
import { text } from '../protocol/text.ts';

/**
 * The password that a policy is asked about, as it was typed: an answer of a prompt, else a member of the plan context.
 * null where there is none.
 */
export function typedPassword(context: PlanContext, field: string): string | null {
  const value = promptValue(context, field) ?? context[field];
  const typed = value instanceof Secret ? value.reveal() : value;
  return typeof typed === 'string' && typed !== '' ? typed : null;
}

/** A program brought a hash in the password's place (`trustedHashes` of `execute`): nobody can look into that. */
export function isHashTrusted(context: PlanContext): boolean {
  return context['doorward/trusted_hashes'] === true && promptValue(context, 'password_hash') !== undefined;
}

/** What is said where there is no password to judge. */
export const passwordMissing = text('password_policy.missing');
