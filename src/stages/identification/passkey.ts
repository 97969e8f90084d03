/** A passkey in place of a name: the browser offers it, and it says who it is. */
import { factorAttempt } from '../../engine/factor-attempts.ts';
import { byPasskeyAlone } from '../../engine/factors.ts';
import type { Desk, Outcome } from '../../engine/stage.ts';
import { isPlainObject, type JsonObject } from '../../kernel/json.ts';
import type { PasskeyOptions } from '../../protocol/challenge.ts';
import { text } from '../../protocol/text.ts';
import { requestOptions, usedPasskey } from '../passkey.ts';

type PasskeyDesk = Desk<JsonObject & { readonly webauthn_stage: string | null }>;

/** What the challenge says of passkeys: nothing where no stage allows them. */
export function offeredPasskey(desk: PasskeyDesk): { readonly passkey_challenge?: PasskeyOptions } {
  return isOffered(desk) ? { passkey_challenge: requestOptions(desk, [], 'required') } : {};
}

/** Whoever's it is, it is the only proof: so it must know its user by more than being there (AV-6, AV-8). */
export async function byPasskey(desk: PasskeyDesk, sent: JsonObject): Promise<Outcome> {
  const attempt = await factorAttempt(desk, 'webauthn', { user: null, typed: '' });
  const limited: Outcome = { kind: 'deny', message: text('authenticator.limited') };
  if (attempt.limited) return limited;
  const used = isOffered(desk) ? await usedPasskey(desk, sent, { owner: null, verification: 'required' }) : null;
  const owner = used === null ? null : await desk.read.user(used.authenticator.userId);
  if (used === null || owner?.isActive !== true || !isAllowedModel(desk, used.authenticator.data.aaguid))
    return { ...(attempt.last ? limited : passkeyRefused), effects: attempt.failed };
  const effects = [...used.effects, ...attempt.succeeded];
  return { kind: 'pass', context: byPasskeyAlone(used.authenticator), effects };
}

export const passkeyRefused: Outcome = {
  kind: 'retry',
  problems: { passkey: [{ code: 'invalid', text: text('authenticator_validate.passkey') }] },
};

function stageConfig({ config, object }: PasskeyDesk): JsonObject | null {
  const stage = config.webauthn_stage === null ? null : object(config.webauthn_stage);
  return stage !== null && isPlainObject(stage.config) ? (stage.config as JsonObject) : null;
}

function isOffered(desk: PasskeyDesk): boolean {
  const classes = stageConfig(desk)?.device_classes;
  return Array.isArray(classes) && classes.includes('webauthn');
}

function isAllowedModel(desk: PasskeyDesk, aaguid: unknown): boolean {
  const models = stageConfig(desk)?.webauthn_allowed_device_types;
  return !Array.isArray(models) || models.length === 0 || models.includes(String(aaguid));
}
