/** Codes by mail in the validate stage: sent when they are asked for (AV-4), tried like any other code. */
import type { Authenticator } from '../../engine/authenticator.ts';
import type { Effect } from '../../engine/effects.ts';
import type { Outcome } from '../../engine/stage.ts';
import { text } from '../../protocol/text.ts';
import { emailCodeConfig, isRightCode, keptCode, sendCode, sentCode } from '../email-code.ts';
import type { ValidateDesk } from './config.ts';
import { type Asked, offer } from './offer.ts';

/** Sends a code to the authenticator's address, and shows the same page. */
export async function sendToAuthenticator(
  desk: ValidateDesk,
  asked: Extract<Asked, { kind: 'user' }>,
  { data }: Authenticator,
): Promise<Outcome> {
  const user = await desk.read.user(asked.id);
  const config = emailCodeConfig.safeParse(data);
  const made =
    user === null || !config.success
      ? null
      : sendCode(desk, { user, address: String(data.email), config: config.data });
  if (made === null) return { kind: 'deny', message: text('email.refused') };
  return {
    kind: 'ask',
    challenge: offer(desk, asked),
    messages: [text('authenticator_email.sent')],
    memo: keptCode(made.sent),
    effects: made.effects,
  };
}

/** A code that came by mail proves the address, too, where it is the account's own. */
export function provenByMail({ tools }: ValidateDesk, { kind, userId: id, data }: Authenticator): readonly Effect[] {
  return kind === 'email' ? [{ kind: 'user.email_verified', id, email: String(data.email), at: tools.now() }] : [];
}

/** The use of a code that was sent in this very run; the run's own step makes it good once. */
export function useOfMail(desk: ValidateDesk, email: Authenticator, typed: string): Effect | null {
  const sent = sentCode(desk.memo);
  const at = desk.tools.now();
  if (sent === null || sent.user !== email.userId || sent.address !== email.data.email) return null;
  if (!isRightCode(sent, typed, at)) return null;
  return { kind: 'authenticator.use', uuid: email.uuid, userId: email.userId, use: { signatures: 0 }, at };
}
