/** Whom the validate stage asks, and what it offers them. */
import type { Authenticator, AuthenticatorKind } from '../../engine/authenticator.ts';
import { authenticatorKinds } from '../../engine/authenticator.ts';
import type { ConfigurationStage, DeviceChallenge, ValidateChallenge } from '../../protocol/challenge.ts';
import { text } from '../../protocol/text.ts';
import { maskedAddress } from '../masked-address.ts';
import { requestOptions } from '../passkey.ts';
import type { ValidateDesk } from './config.ts';

/** `holder`: whose passkey it is says who it is. A stand-in is asked as a user with an authenticator app. */
export type Asked =
  | { readonly kind: 'user'; readonly id: number; readonly authenticators: readonly Authenticator[] }
  | { readonly kind: 'decoy'; readonly typed: string }
  | { readonly kind: 'holder' }
  | { readonly kind: 'nobody' };

/** Who must prove themselves here, with the authenticators that are allowed (AV-1, AV-2). */
export async function whoIsAsked(desk: ValidateDesk): Promise<Asked> {
  const { context, flow, visitor, read } = desk;
  const pending = context.pending_user;
  if (pending !== undefined && 'decoy' in pending) return { kind: 'decoy', typed: pending.typed };
  if (pending === undefined && flow.designation === 'authentication' && accepts(desk, 'webauthn'))
    return { kind: 'holder' };
  const id = pending === undefined ? visitor.user?.id : pending.ref;
  if (id === undefined) return { kind: 'nobody' };
  const all = await read.authenticatorsOf(id);
  return { kind: 'user', id, authenticators: all.filter((one) => isAllowed(desk, one)) };
}

export function accepts({ config }: ValidateDesk, kind: AuthenticatorKind): boolean {
  return config.device_classes.includes(kind);
}

export function isAllowed(desk: ValidateDesk, { kind, data }: Authenticator): boolean {
  const models = desk.config.webauthn_allowed_device_types;
  if (kind === 'webauthn' && models.length > 0 && !models.includes(String(data.aaguid))) return false;
  return accepts(desk, kind);
}

/** What is shown: each class once, the one used last first. */
export function offer(desk: ValidateDesk, asked: Asked): ValidateChallenge {
  const classes = authenticatorKinds.filter((kind) => accepts(desk, kind));
  const challenges =
    asked.kind === 'user'
      ? classes.flatMap((kind) => offerOf(desk, kind, asked) ?? [])
      : asked.kind === 'nobody'
        ? []
        : [madeUp(desk, classes, asked)];
  return { component: 'ak-stage-authenticator-validate', device_challenges: challenges, configuration_stages: [] };
}

function offerOf(
  desk: ValidateDesk,
  kind: AuthenticatorKind,
  { authenticators }: Extract<Asked, { kind: 'user' }>,
): DeviceChallenge | null {
  const own = authenticators.filter((one) => one.kind === kind);
  const [latest] = own.toSorted((a, b) => (b.lastUsedAt ?? 0) - (a.lastUsedAt ?? 0));
  if (latest === undefined) return null;
  // Who proved nothing yet learns nothing of the account but how it is asked.
  const at = isProven(desk) ? latest.lastUsedAt : null;
  return challengeOf(desk, kind, {
    uid: latest.uuid,
    own,
    lastUsed: at === null ? null : new Date(at).toISOString(),
  });
}

function isProven({ context, visitor }: ValidateDesk): boolean {
  return context.auth_method !== undefined || (context.pending_user === undefined && visitor.user !== null);
}

/** For a stand-in, the same each time; for the holder of a passkey, any of this site (AV-2). */
function madeUp(
  desk: ValidateDesk,
  classes: readonly AuthenticatorKind[],
  asked: { readonly kind: 'decoy'; readonly typed: string } | { readonly kind: 'holder' },
): DeviceChallenge {
  if (asked.kind === 'holder') return challengeOf(desk, 'webauthn', { uid: '-1', own: [], lastUsed: null });
  const [kind = 'totp'] = classes;
  const draw = Buffer.from(desk.tools.hashToken(`authenticator\n${asked.typed}`));
  const hex = draw.toString('hex').padEnd(32, '0');
  const uid = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  return challengeOf(desk, kind, { uid, own: [], lastUsed: null });
}

function challengeOf(
  desk: ValidateDesk,
  kind: AuthenticatorKind,
  { uid, own, lastUsed }: { uid: string; own: readonly Authenticator[]; lastUsed: string | null },
): DeviceChallenge {
  const verification = uid === '-1' ? 'required' : desk.config.webauthn_user_verification;
  const challenge =
    kind === 'webauthn' ? requestOptions(desk, own, verification) : kind === 'email' ? emailOf(own) : {};
  return { device_class: kind, device_uid: uid, challenge, last_used: lastUsed };
}

/** Where the code goes, as its owner knows it. */
function emailOf([one]: readonly Authenticator[]): { readonly email: string } {
  return { email: one === undefined ? '' : maskedAddress(String(one.data.email)) };
}

/** What a user without authenticator may set up. */
export function configurations(desk: ValidateDesk): readonly ConfigurationStage[] {
  return desk.config.configuration_stages.flatMap((pk) => {
    const stage = desk.object(pk);
    if (stage?.stageKind === undefined) return [];
    const kind = stage.stageKind.replace(/^authenticator_/, '');
    const known = kind === 'totp' || kind === 'static' || kind === 'webauthn' || kind === 'email';
    const meta_model_name = `authentik_stages_${stage.stageKind}.${stage.stageKind.replaceAll('_', '')}stage`;
    return [
      { pk, name: stage.name, verbose_name: known ? text(`authenticator.${kind}`) : stage.name, meta_model_name },
    ];
  });
}
