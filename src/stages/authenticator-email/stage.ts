/**
 * Sets up codes by mail: an address that a code has proven. It gets the user, and proof of who they are, from session or
 * run; the address is the user's own, one that was prompted for, or is asked here.
 */

import * as z from 'zod';
import { withFactor } from '../../engine/factors.ts';
import { freshProofMs } from '../../engine/fresh-proof.ts';
import { promptValue } from '../../engine/plan-context.ts';
import { type Desk, defineStage, type Outcome, type Response } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';
import { member } from '../../kernel/json.ts';
import { text, wholeForm } from '../../protocol/text.ts';
import { added, contextAfter, newAuthenticator, whoSetsUp } from '../authenticator-setup.ts';
import { emailCodeConfig, isRightCode, keptCode, type SentCode, sendCode, sentCode } from '../email-code.ts';
import { maskedAddress } from '../masked-address.ts';
import { totpCode } from '../totp.ts';

const config = emailCodeConfig.extend({
  configure_flow: z.string().nullable().default(null).describe('Flow in which a user sets them up.'),
  friendly_name: z.string().nullable().default(null).describe('What users read where they choose it.'),
});
type EmailDesk = Desk<z.infer<typeof config>>;

/** The setup of codes by mail (AE-1 to AE-7). */
export const authenticatorEmail = defineStage({
  kind: 'authenticator_email',
  model: 'authentik_stages_authenticator_email.authenticatoremailstage',
  component: 'ak-stage-authenticator-email-form',
  description: 'Sets up codes that are sent by mail.',
  config,
  references: { configure_flow: 'flow' },
  needs: [],
  gives: ['auth_method_args'],
  proof: () => ({ asks: true }),
  secretFields: () => ['code'],
  async enter(desk) {
    const setUp = await whoSetsUp(desk);
    if ('outcome' in setUp) return setUp.outcome;
    const { user } = setUp;
    if ((await desk.read.authenticatorsOf(user.id)).some(({ kind }) => kind === 'email'))
      return { kind: 'deny', message: text('authenticator_email.registered') };
    const address = knownAddress(desk, user);
    if (address === '' || desk.unattended) return { kind: 'ask', challenge: challengeOf(null) };
    return send(desk, user, address);
  },
  async answer(desk, response) {
    const setUp = await whoSetsUp(desk);
    if ('outcome' in setUp && setUp.outcome.kind !== 'finish') return setUp.outcome;
    const sent = sentCode(desk.memo);
    const isStale = sent === null ? 'outcome' in setUp : sent.until + freshProofMs <= desk.tools.now();
    if (isStale && 'outcome' in setUp) return setUp.outcome;
    const user = 'user' in setUp ? setUp.user : await desk.read.user(sent?.user ?? 0);
    return user === null ? { kind: 'deny', message: null } : judge(desk, user, sent, response);
  },
  async refused(_desk, { reason }) {
    return { kind: 'deny', message: reason === 'limited' ? text('authenticator.limited') : null };
  },
});

/** AE-3 */
function knownAddress({ context }: EmailDesk, user: User): string {
  const prompted = promptValue(context, 'email');
  return user.email !== '' ? user.email : typeof prompted === 'string' ? prompted : '';
}

function challengeOf(address: string | null) {
  return {
    component: 'ak-stage-authenticator-email',
    ...{ email: address === null ? null : maskedAddress(address), email_required: address === null },
  } as const;
}

function send(desk: EmailDesk, user: User, address: string): Outcome {
  const made = sendCode(desk, { user, address, config: desk.config });
  if (made === null) return { kind: 'deny', message: text('email.refused') };
  return { kind: 'ask', challenge: challengeOf(address), memo: keptCode(made.sent), effects: made.effects };
}

async function judge(desk: EmailDesk, user: User, sent: SentCode | null, response: Response): Promise<Outcome> {
  const address = member(response, 'email');
  if (typeof address === 'string' && address.trim() !== '') {
    if (!/^[^\s@]+@[^\s@]+$/.test(address.trim()) || address.length > 254)
      return problem('email', 'invalid', 'prompt.invalid_email');
    return send(desk, user, address.trim());
  }
  if (sent === null) return problem(wholeForm, 'required', 'authenticator_email.required');
  if (member(response, 'resend') !== undefined) return send(desk, user, sent.address);
  const code = totpCode(member(response, 'code'), 6);
  const attempts = {
    bucket: `authenticator:email_setup:${user.id}`,
    limit: 5,
    windowMs: 5 * 60_000,
    at: desk.tools.now(),
  };
  if (code === null || !isRightCode(sent, code, desk.tools.now()))
    return {
      ...problem(wholeForm, 'invalid', 'authenticator_email.invalid'),
      effects: [{ kind: 'attempt.fail', ...attempts }],
    };
  const { subject, from_address, use_global_settings, template, token_expiry } = desk.config;
  const authenticator = {
    ...newAuthenticator(desk, user, 'email', text('authenticator.email')),
    data: { email: sent.address, subject, from_address, use_global_settings, template, token_expiry },
  };
  return {
    kind: 'pass',
    context: {
      ...contextAfter(desk, authenticator),
      auth_method_args: withFactor(desk.context, { ...authenticator, codesLeft: 0 }),
    },
    effects: [
      ...added(desk, user, authenticator),
      { kind: 'user.email_verified', id: user.id, email: sent.address, at: desk.tools.now() },
      { kind: 'attempt.succeed', ...attempts },
    ],
  };
}

function problem(
  field: string,
  code: string,
  key: 'prompt.invalid_email' | 'authenticator_email.required' | 'authenticator_email.invalid',
): Outcome {
  return { kind: 'retry', problems: { [field]: [{ code, text: text(key) }] } };
}
