/** Whether what was sent proves that the visitor has one of the authenticators that they were asked for. */
import type { Authenticator, AuthenticatorKind } from '../../engine/authenticator.ts';
import type { Effect } from '../../engine/effects.ts';
import { type FactorAttempt, type FactorSubject, factorAttempt } from '../../engine/factor-attempts.ts';
import type { Json, JsonObject } from '../../kernel/json.ts';
import { sameText } from '../../kernel/secrets.ts';
import { usedPasskey } from '../passkey.ts';
import { recoveryCodeTyped } from '../recovery-codes.ts';
import { acceptedStep, totpCode } from '../totp.ts';
import { provenByMail, useOfMail } from './by-email.ts';
import type { ValidateDesk } from './config.ts';
import { type Asked, accepts, isAllowed } from './offer.ts';

/** A proof, or what its failure costs. */
export type Judged =
  | { readonly kind: 'right'; readonly authenticator: Authenticator; readonly effects: readonly Effect[] }
  | { readonly kind: 'wrong'; readonly effects: readonly Effect[] }
  | { readonly kind: 'limited'; readonly effects: readonly Effect[] };

/** Longer codes are nobody's. */
const longestCode = 100;

/**
 * A code, tried against the authenticators that are allowed and against no other (AV-5): digits alone are an app's
 * or came by mail, anything else is a recovery code.
 */
export async function judgeCode(desk: ValidateDesk, asked: Asked, typed: Json): Promise<Judged> {
  const kinds = kindsOf(asked, typed);
  const [kind] = kinds;
  const attempt = await factorAttempt(desk, kind, await subjectOf(desk, asked));
  if (attempt.limited) return { kind: 'limited', effects: [] };
  const written = String(typed);
  const own = asked.kind === 'user' ? asked.authenticators.filter((one) => kinds.includes(one.kind)) : [];
  for (const authenticator of written.length > longestCode ? [] : own) {
    const use = await useOf(desk, authenticator, typed);
    if (use !== null) return right(authenticator, [use, ...provenByMail(desk, authenticator)], attempt);
  }
  return wrong(attempt);
}

/** Which kinds a code may be of; failures count against the first. */
function kindsOf(asked: Asked, typed: Json): readonly [AuthenticatorKind, ...AuthenticatorKind[]] {
  if (totpCode(typed, 6) === null) return ['static'];
  const hasApp = asked.kind !== 'user' || asked.authenticators.some(({ kind }) => kind === 'totp');
  return hasApp ? ['totp', 'email'] : ['email'];
}

function useOf(desk: ValidateDesk, one: Authenticator, typed: Json): Promise<Effect | null> | Effect | null {
  if (one.kind === 'totp') return useOfApp(desk, one, typed);
  if (one.kind === 'static') return useOfSheet(desk, one, String(typed));
  const code = totpCode(typed, 6);
  return one.kind === 'email' && code !== null ? useOfMail(desk, one, code) : null;
}

/** A passkey (AV-6): the user's own, or, where nobody is known yet, whoever's it is. */
export async function judgePasskey(desk: ValidateDesk, asked: Asked, sent: JsonObject): Promise<Judged> {
  const attempt = await factorAttempt(desk, 'webauthn', await subjectOf(desk, asked));
  if (attempt.limited) return { kind: 'limited', effects: [] };
  if (!accepts(desk, 'webauthn') || (asked.kind !== 'user' && asked.kind !== 'holder')) return wrong(attempt);
  // A passkey that is the only proof must know its user by more than being there.
  const rules =
    asked.kind === 'user'
      ? { owner: asked.id, verification: desk.config.webauthn_user_verification }
      : ({ owner: null, verification: 'required' } as const);
  const used = await usedPasskey(desk, sent, rules);
  if (used === null || !isAllowed(desk, used.authenticator)) return wrong(attempt);
  const owner = await desk.read.user(used.authenticator.userId);
  return owner?.isActive === true ? right(used.authenticator, used.effects, attempt) : wrong(attempt);
}

function right(authenticator: Authenticator, uses: readonly Effect[], { succeeded }: FactorAttempt): Judged {
  return { kind: 'right', authenticator, effects: [...uses, ...succeeded] };
}

function wrong({ failed, last }: FactorAttempt): Judged {
  return { kind: last ? 'limited' : 'wrong', effects: failed };
}

/** Whose attempt it is. */
export async function subjectOf({ read }: ValidateDesk, asked: Asked): Promise<FactorSubject> {
  const user = asked.kind === 'user' ? await read.user(asked.id) : null;
  return { user, typed: asked.kind === 'decoy' ? asked.typed : '' };
}

async function useOfApp(desk: ValidateDesk, app: Authenticator, typed: Json): Promise<Effect | null> {
  const { uuid, userId, secret, data, counter } = app;
  if (secret === null) {
    desk.tools.log('warn', 'the secret of an authenticator cannot be read, so no code of it is right', {
      authenticator: uuid,
    });
    return null;
  }
  const [digits, drift] = [Number(data.digits), Number(data.drift)];
  const at = desk.tools.now();
  const code = totpCode(typed, digits);
  const accepted =
    code === null ? null : await acceptedStep({ secret: secret.reveal(), digits, drift, counter }, code, at);
  if (accepted === null) return null;
  const use = { step: accepted.step, data: { ...data, drift: accepted.drift } };
  return { kind: 'authenticator.use', uuid, userId, at, use };
}

async function useOfSheet(desk: ValidateDesk, sheet: Authenticator, typed: string): Promise<Effect | null> {
  const { uuid, userId } = sheet;
  const hashes = desk.tools.codeHashes(uuid, recoveryCodeTyped(typed));
  const left = await desk.read.recoveryCodes(uuid);
  const code = left.find((one) => hashes.some((hash) => sameText(hash, one)));
  return code === undefined ? null : { kind: 'authenticator.use', uuid, userId, at: desk.tools.now(), use: { code } };
}
