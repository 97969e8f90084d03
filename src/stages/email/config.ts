import * as z from 'zod';
import { parseDuration } from '../../kernel/duration.ts';

const duration = z.string().refine(isPositive, 'is not a duration; write for example minutes=30 or hours=1');

/** The reference's members; those of a mail server of its own (host, port …) are the installation's here (docs/mail.md). */
export const emailConfig = z.object({
  use_global_settings: z
    .boolean()
    .default(false)
    .describe('Sends as the installation does, whatever from_address says.'),
  from_address: z
    .union([z.literal(''), z.string().regex(/^[^\r\n]*@[^\r\n]+$/, 'is not an address')])
    .default('')
    .describe('Sender; the installation’s own where it is empty.'),
  token_expiry: duration.default('minutes=30').describe('How long link and code are good for.'),
  subject: z.string().default('').describe('In place of the template’s own subject.'),
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

function isPositive(written: string): boolean {
  try {
    return parseDuration(written) > 0;
  } catch {
    return false;
  }
}
