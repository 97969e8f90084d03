/**
 * Registers a passkey or a security key. The library verifies what the browser sends; the commit takes each challenge
 * once and each passkey once. It gets the user, and proof of who they are, from session or run.
 */
import * as z from 'zod';
import { withFactor } from '../../engine/factors.ts';
import { type Desk, defineStage, type Outcome, type Response } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';
import { isPlainObject } from '../../kernel/json.ts';
import { type Text, text } from '../../protocol/text.ts';
import { added, contextAfter, newAuthenticator, whoSetsUp } from '../authenticator-setup.ts';
import { type NewPasskey, registrationOptions, verifiedPasskey } from '../passkey.ts';

/** The reference's AAGUID of models that nobody knows. */
const unknownModel = '00000000-0000-0000-0000-000000000000';

const config = z.object({
  configure_flow: z.string().nullable().default(null).describe('Flow in which a user sets one up.'),
  friendly_name: z.string().nullable().default(null).describe('What users read where they choose it.'),
  user_verification: z
    .enum(['required', 'preferred', 'discouraged'])
    .default('preferred')
    .describe('Whether the device asks for a fingerprint, a face or a PIN.'),
  resident_key_requirement: z
    .enum(['discouraged', 'preferred', 'required'])
    .default('preferred')
    .describe('Whether the passkey knows whose it is, so that no name must be typed.'),
  authenticator_attachment: z
    .enum(['platform', 'cross-platform'])
    .nullable()
    .default(null)
    .describe('Built into the device, or separate; by default both.'),
  device_type_restrictions: z
    .array(z.uuid())
    .default([])
    .describe('Models that are allowed (AAGUID); none: all. It takes the word of the device.'),
  max_attempts: z.number().int().min(0).default(0).describe('Failures before the flow ends; 0: any number.'),
});
type WebAuthnDesk = Desk<z.infer<typeof config>>;

/** The setup of a passkey (WA-1 to WA-6). */
export const authenticatorWebauthn = defineStage({
  kind: 'authenticator_webauthn',
  model: 'authentik_stages_authenticator_webauthn.authenticatorwebauthnstage',
  component: 'ak-stage-authenticator-webauthn-form',
  description: 'Registers a passkey or a security key.',
  config,
  references: { configure_flow: 'flow' },
  needs: [],
  gives: ['auth_method_args'],
  touchesBrowser: true,
  proof: () => ({ asks: true }),
  enter: (desk) => ask(desk, 0),
  answer,
  refused: async (desk, { reason }) => again(desk, reason === 'taken' ? text('authenticator_webauthn.known') : failed),
});

const failed = text('authenticator_webauthn.failed');

async function ask(desk: WebAuthnDesk, attempts: number): Promise<Outcome> {
  const setUp = await whoSetsUp(desk);
  if ('outcome' in setUp) return setUp.outcome;
  const { user } = setUp;
  const known = await desk.read.authenticatorsOf(user.id);
  const registration = await registrationOptions(desk, { user, known, wishes: desk.config });
  return {
    kind: 'ask',
    challenge: { component: 'ak-stage-authenticator-webauthn', registration },
    ...(attempts === 0 ? {} : { memo: { attempts } }),
  };
}

async function answer(desk: WebAuthnDesk, response: Response): Promise<Outcome> {
  const setUp = await whoSetsUp(desk);
  if ('outcome' in setUp) return setUp.outcome;
  const passkey = await verifiedPasskey(desk, response, desk.config);
  if (passkey === null) return again(desk, failed);
  if (!isAllowed(desk, passkey))
    return again(desk, text('authenticator_webauthn.model', { brand: desk.tools.brandName }));
  if ((await desk.read.authenticatorByCredential(passkey.credential)) !== null)
    return again(desk, text('authenticator_webauthn.known'));
  return keep(desk, setUp.user, passkey);
}

/** WA-5: the same page, so often as is allowed. */
async function again(desk: WebAuthnDesk, problem: Text): Promise<Outcome> {
  const { max_attempts: most } = desk.config;
  const attempts = attemptsOf(desk) + 1;
  if (most > 0 && attempts >= most) return { kind: 'deny', message: text('authenticator_webauthn.attempts') };
  const asked = await ask(desk, attempts);
  if (asked.kind !== 'ask') return asked;
  return { ...asked, kind: 'retry', problems: { response: [{ code: 'invalid', text: problem }] } };
}

function attemptsOf({ memo }: WebAuthnDesk): number {
  return isPlainObject(memo) && typeof memo.attempts === 'number' ? memo.attempts : 0;
}

function isAllowed({ config }: WebAuthnDesk, { aaguid }: NewPasskey): boolean {
  const { device_type_restrictions: models } = config;
  return models.length === 0 || models.includes(aaguid === '' ? unknownModel : aaguid);
}

function keep(desk: WebAuthnDesk, user: User, { credential, counter, data, used }: NewPasskey): Outcome {
  const made = newAuthenticator(desk, user, 'webauthn', text('authenticator.webauthn'));
  const authenticator = { ...made, credential, counter, data };
  return {
    kind: 'pass',
    context: {
      ...contextAfter(desk, authenticator),
      auth_method_args: withFactor(desk.context, { ...authenticator, codesLeft: 0 }),
    },
    effects: [used, ...added(desk, user, authenticator)],
  };
}
