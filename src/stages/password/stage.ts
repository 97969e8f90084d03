/**
 * Asks the pending user's password. It gets the pending user from the plan context, a decoy included, and says who
 * was proven by which backend; a decoy's password is always wrong, at the same cost and with the same counters.
 */
import * as z from 'zod';
import { passkeyMethod } from '../../engine/factors.ts';
import { checkPassword, longestTyped } from '../../engine/password-check.ts';
import { inbuiltBackend } from '../../engine/plan-context.ts';
import { type Desk, defineStage, type Outcome, type Response } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';
import { member } from '../../kernel/json.ts';
import { text } from '../../protocol/text.ts';

const config = z.object({
  backends: z
    .array(z.string())
    .default([inbuiltBackend])
    .describe('Where passwords are checked; unknown backends are skipped.'),
  configure_flow: z.string().nullable().default(null).describe('Flow in which a user changes their password.'),
  failed_attempts_before_cancel: z.number().int().min(1).default(5).describe('Wrong passwords before the flow ends.'),
  allow_show_password: z.boolean().default(false).describe('The visitor may have the password shown.'),
});
type PasswordDesk = Desk<z.infer<typeof config>>;

/** The password stage (PW-1 to PW-9). */
export const password = defineStage({
  kind: 'password',
  model: 'authentik_stages_password.passwordstage',
  component: 'ak-stage-password-form',
  description: "Asks the pending user's password.",
  config,
  references: { configure_flow: 'flow' },
  // A flow that requires a signed-in visitor has one from the start (W4).
  needs: ['pending_user'],
  gives: ['pending_user', 'user_backend', 'auth_method', 'auth_method_args'],
  // Without a backend that is known nobody's password is right (PW-2).
  proof: ({ backends }) => ({ asks: true, proves: ['password'], denies: !backends.includes(inbuiltBackend) }),
  secretFields: () => ['password'],
  async enter(desk) {
    if ((await whoIsPending(desk)) === null) return { kind: 'deny', message: null };
    // Who signs in by a passkey alone has proven more than a password does.
    if (desk.flow.designation === 'authentication' && desk.context.auth_method === passkeyMethod)
      return { kind: 'pass' };
    const recovery = desk.recoveryPath();
    const link = recovery === null ? {} : { recovery_url: recovery };
    const { allow_show_password } = desk.config;
    return { kind: 'ask', challenge: { component: 'ak-stage-password', ...link, allow_show_password } };
  },
  answer,
  async refused(_desk, refusal) {
    return refusal.reason === 'limited' ? tooMany : { kind: 'deny', message: null };
  },
});

const tooMany: Outcome = { kind: 'deny', message: text('password.limited') };
const invalid = { code: 'invalid', text: text('password.invalid') } as const;

async function answer(desk: PasswordDesk, response: Response): Promise<Outcome> {
  const typed = member(response, 'password');
  if (typeof typed !== 'string' || typed === '')
    return { kind: 'retry', problems: { password: [{ code: 'required', text: text('prompt.required') }] } };
  if (typed.length > longestTyped) return { kind: 'retry', problems: { password: [invalid] } };
  const pending = await whoIsPending(desk);
  if (pending === null) return { kind: 'deny', message: null };
  // PW-2: without a backend that is known, nobody's password is right.
  const user = desk.config.backends.includes(inbuiltBackend) ? pending.user : null;
  const limit = desk.config.failed_attempts_before_cancel;
  const verdict = await checkPassword(desk, { user, typed: pending.typed, password: typed, limit });
  const { effects } = verdict;
  if (verdict.limited) return { ...tooMany, effects };
  if (!verdict.ok) return { kind: 'retry', problems: { password: [invalid] }, effects };
  const { auth_method = 'password', auth_method_args = {} } = desk.context;
  const proven = user === null ? {} : { pending_user: { ref: user.id } };
  return { kind: 'pass', context: { ...proven, user_backend: inbuiltBackend, auth_method, auth_method_args }, effects };
}

/** The pending user, or the stand-in that hides that there is none; null when nobody is pending (PW-1). */
async function whoIsPending(
  desk: PasswordDesk,
): Promise<{ readonly user: User | null; readonly typed: string } | null> {
  const pending = desk.context.pending_user;
  const { user: visitor } = desk.visitor;
  // Who is signed in proves it once more, before a change of the password.
  if (pending === undefined) return visitor === null ? null : { user: visitor, typed: visitor.username };
  // A stand-in costs the look that an account costs.
  const user = await desk.read.user('ref' in pending ? pending.ref : 0);
  if ('decoy' in pending) return { user: null, typed: pending.typed };
  return user === null ? null : { user, typed: desk.context.pending_user_identifier ?? user.username };
}
