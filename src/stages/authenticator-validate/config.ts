import * as z from 'zod';
import type { Desk } from '../../engine/stage.ts';
import { isDuration } from '../../kernel/duration.ts';

const duration = z.string().refine(isDuration, 'is not a duration; write for example hours=8 or days=1;hours=12');

/** What an administrator sets of the validate stage. */
export const config = z
  .object({
    not_configured_action: z
      .enum(['skip', 'deny', 'configure'])
      .default('skip')
      .describe('What becomes of a user who has none of these authenticators.'),
    device_classes: z
      .array(z.enum(['static', 'totp', 'webauthn', 'duo', 'sms', 'email']))
      .default(['static', 'totp', 'webauthn', 'duo', 'sms', 'email'])
      .describe('What is accepted. duo and sms are taken from blueprints, but nobody has one here.'),
    configuration_stages: z.array(z.string()).default([]).describe('What a user without one may set up.'),
    last_auth_threshold: duration
      .default('seconds=0')
      .describe('A browser in which an authenticator was used so lately is not asked again; 0: always ask.'),
    webauthn_user_verification: z
      .enum(['required', 'preferred', 'discouraged'])
      .default('preferred')
      .describe('Whether a passkey asks for a fingerprint, a face or a PIN. It must where it alone signs in.'),
    webauthn_allowed_device_types: z
      .array(z.uuid())
      .default([])
      .describe('Models that are allowed (AAGUID); none: all. It takes the word of the device.'),
  })
  .refine((value) => value.not_configured_action !== 'configure' || value.configuration_stages.length > 0, {
    path: ['configuration_stages'],
    message: 'needs at least one stage when not_configured_action is configure',
  });

export type ValidateConfig = z.infer<typeof config>;
export type ValidateDesk = Desk<ValidateConfig>;
