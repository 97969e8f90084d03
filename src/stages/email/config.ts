import * as z from 'zod';
import { isPositiveDuration } from '../../kernel/duration.ts';
import { emailCodeConfig } from '../email-code.ts';

const duration = z.string().refine(isPositiveDuration, 'is not a duration; write for example minutes=30 or hours=1');

/** The reference's members; those of a mail server of its own (host, port …) are the installation's here (docs/mail.md). */
export const emailConfig = emailCodeConfig.extend({
  token_expiry: duration.default('minutes=30').describe('How long link and code are good for.'),
  template: z
    .string()
    .regex(/^[\w./-]*$/, 'is not the name of a template')
    .default('')
    .describe('confirmation, recovery, sign_in_link, or one of your own; by default as the flow is designated.'),
  activate_user_on_success: z.boolean().default(false).describe('Activates the user that this very run made.'),
  recovery_max_attempts: z.number().int().min(1).default(5).describe('Messages to one address within the time below.'),
  recovery_cache_timeout: duration.default('minutes=5').describe('The time in which they are counted.'),
});
export type EmailConfig = z.infer<typeof emailConfig>;
