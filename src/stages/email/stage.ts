/**
 * Proves an address: a message with a link and a short code, either of which is good once. It gets whose address it is
 * from the plan context, and gives the address that was proven. What it does for somebody who has no account is the same,
 * but for the message.
 */
import { eventActor } from '../../engine/acting.ts';
import type { Effect } from '../../engine/effects.ts';
import type { RunKey } from '../../engine/run-key.ts';
import { type Desk, defineStage, type Outcome, type Response } from '../../engine/stage.ts';
import { isPlainObject, member } from '../../kernel/json.ts';
import type { ConsentChallenge, EmailChallenge } from '../../protocol/challenge.ts';
import { deviceText } from '../../protocol/device.ts';
import { type Text, text, wholeForm } from '../../protocol/text.ts';
import { maskedAddress } from '../masked-address.ts';
import { checkCode } from './code.ts';
import { type EmailConfig, emailConfig } from './config.ts';
import { send, templateOf } from './message.ts';
import { type Recipient, recipientOf } from './recipient.ts';

type EmailDesk = Desk<EmailConfig>;

/** The email stage (EM-1 to EM-11). */
export const email = defineStage({
  kind: 'email',
  model: 'authentik_stages_email.emailstage',
  component: 'ak-stage-email-form',
  description: 'Sends a link and a code, and waits for one of them: the address is proven then.',
  config: emailConfig,
  needs: [],
  gives: ['auth_method'],
  proof: ({ activate_user_on_success: activates }) => ({ asks: true, proves: ['email'], activates }),
  secretFields: () => ['code'],
  enter,
  answer,
  confirmation,
  async signal(desk, signal) {
    if (signal.kind !== 'link') return gone;
    const { key } = signal;
    const to = await recipientOf(desk);
    return to === null || to === 'unchanged' ? gone : proven(desk, to, key, []);
  },
  async refused(desk, { reason }) {
    if (reason !== 'limited') return gone;
    const to = desk.memo === null ? await recipientOf(desk) : null;
    return to === null || to === 'unchanged' ? problem('limited', 'email.too_many', 'code') : sendTo(desk, to);
  },
});

function problem(code: string, key: 'email.gone' | 'email.wrong_code' | 'email.too_many', field = wholeForm): Outcome {
  return { kind: 'retry', problems: { [field]: [{ code, text: text(key) }] } };
}

const gone = problem('invalid', 'email.gone');

async function enter(desk: EmailDesk): Promise<Outcome> {
  const { tools, stage } = desk;
  if (tools.mail.refused !== null) {
    tools.log('warn', 'a flow that sends mail was refused', { stage: stage.name, why: tools.mail.refused });
    return { kind: 'deny', message: text('email.refused'), undo: true };
  }
  if (!tools.mail.hasTemplate(templateOf(desk))) return noTemplate(desk);
  const to = await recipientOf(desk);
  if (to === null) return { kind: 'deny', message: text('email.no_address') };
  if (to === 'unchanged') return { kind: 'pass' };
  // Nobody is there to read it.
  return desk.unattended ? { kind: 'ask', challenge: challengeOf(to) } : sendTo(desk, to);
}

/** EM-11 */
function noTemplate(desk: EmailDesk): Outcome {
  const { stage, flow, visitor, tools } = desk;
  const message = `the stage ${stage.name} names the mail template "${desk.config.template}", which does not exist`;
  tools.log('warn', 'configuration error', { stage: stage.name, message });
  const event = {
    ...{ action: 'configuration_error', user: null, context: { message }, flow: flow.slug, at: tools.now() },
    ...{ address: visitor.address, requestId: visitor.requestId },
  };
  return { kind: 'deny', message: text('email.refused'), effects: [{ kind: 'event', event }] };
}

async function answer(desk: EmailDesk, response: Response): Promise<Outcome> {
  const to = await recipientOf(desk);
  if (to === null || to === 'unchanged') return { kind: 'deny', message: null };
  const typed = member(response, 'code');
  if (typeof typed !== 'string' || member(response, 'resend') !== undefined) return sendTo(desk, to);
  if (typed.trim() === '' || typed.length > 100) return problem('invalid', 'email.wrong_code', 'code');
  const { hash } = memoOf(desk);
  const key = await desk.read.runKey(hash);
  const verdict = await checkCode(desk, { key, hash, typed, to });
  if (verdict.ok && key !== null && key.run === desk.run.id) return proven(desk, to, key, verdict.effects);
  const said = verdict.limited
    ? problem('limited', 'email.too_many', 'code')
    : problem('invalid', 'email.wrong_code', 'code');
  return { ...said, effects: verdict.effects };
}

/** Sends, at first and again (EM-9, EM-10). The older link and code are void then. */
async function sendTo(desk: EmailDesk, to: Recipient): Promise<Outcome> {
  const { hash: before, sent } = memoOf(desk);
  const challenge = challengeOf(to);
  const { key, effects } =
    sent >= desk.config.recovery_max_attempts ? { key: null, effects: [] } : await send(desk, to);
  if (key === null)
    return { kind: 'ask', challenge, messages: [text('email.too_many_messages')], memo: { key: before, sent } };
  const messages = sent === 0 ? [] : [text('email.sent_again')];
  return { kind: 'ask', challenge, messages, effects, memo: { key, sent: sent + 1 } };
}

/** The hash of the key that was sent last, and how many were. */
function memoOf({ memo }: EmailDesk): { readonly hash: string; readonly sent: number } {
  if (!isPlainObject(memo)) return { hash: '', sent: 0 };
  return { hash: String(memo.key), sent: Number(memo.sent) };
}

/**
 * Link or code was right. It proves what it was made for, if that still holds: the same account, active, at the same
 * address, its password not changed meanwhile (EM-7).
 */
function proven(desk: EmailDesk, to: Recipient, key: RunKey, effects: readonly Effect[]): Outcome {
  const { context, config, tools } = desk;
  const { user, address, isMade } = to;
  const isSame = to.gets === 'link' && address === key.address && (user?.id ?? null) === key.userId;
  const isStale = !isMade && (user?.passwordChangedAt ?? 0) > key.asked.at;
  if (!isSame || isStale || key.expiresAt <= tools.now()) return gone;
  const activates = config.activate_user_on_success && user !== null && isMade && !user.isActive;
  return {
    kind: 'pass',
    context: {
      ...{ email_sent: true, 'doorward/proven_email': address },
      ...(key.takesOver ? { auth_method: context.auth_method ?? 'email' } : {}),
    },
    effects: [
      ...effects,
      { kind: 'run_key.use', hash: key.hash, at: tools.now() },
      ...(activates
        ? [{ kind: 'user.update', id: user.id, version: user.version, set: { isActive: true } } as const]
        : []),
      ...(user === null
        ? []
        : [{ kind: 'user.email_verified', id: user.id, email: address, at: tools.now() } as const]),
      provenEvent(desk, to),
    ],
  };
}

function provenEvent({ visitor, stage, flow, tools }: EmailDesk, { user, address: email }: Recipient): Effect {
  const context = { email, stage: { pk: stage.pk, name: stage.name } };
  return {
    kind: 'event',
    event: {
      ...{ action: 'email_verified', ...eventActor(visitor, user), context, flow: flow.slug, at: tools.now() },
      ...{ address: visitor.address, requestId: visitor.requestId },
    },
  };
}

function challengeOf({ isOwn, address }: Recipient): EmailChallenge {
  return { component: 'ak-stage-email', address: isOwn ? maskedAddress(address) : '' };
}

function confirmation(_: EmailDesk, key: RunKey): ConsentChallenge {
  const { agent, address: place, at } = key.asked;
  const header: Text = text(key.takesOver ? 'email.go_on_here' : 'email.confirm', { address: key.address });
  return {
    ...{ component: 'ak-stage-consent', header_text: header, permissions: [], additional_permissions: [], token: '' },
    asked: { device: deviceText(agent), place, at: new Date(at).toISOString() },
  };
}
