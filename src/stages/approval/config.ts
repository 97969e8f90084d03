import * as z from 'zod';
import { isPositiveDuration } from '../../kernel/duration.ts';

const wrong = 'is not a duration; write for example days=7 or hours=12';

export const approvalConfig = z.object({
  approvers_group: z.string().describe('The group whose members decide, those of the groups inside it included.'),
  required: z.number().int().min(1).max(100).default(1).describe('So many different people must approve.'),
  deadline: z.string().refine(isPositiveDuration, wrong).default('days=7').describe('Denied then, if nobody decided.'),
  reminder: z
    .union([z.literal(''), z.string().refine(isPositiveDuration, wrong)])
    .default('')
    .describe('After so long those who said nothing are reminded, once; empty for never.'),
  message: z.string().max(1_000).default('').describe('What approvers are asked, above what the applicant filled in.'),
});
export type ApprovalConfig = z.infer<typeof approvalConfig>;
