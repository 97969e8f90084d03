import * as z from 'zod';
import { definePolicy } from '../../engine/policy.ts';
import type { PolicyRequest } from '../../engine/policy-request.ts';
import type { Tools } from '../../engine/ports.ts';
import { reputationSubject } from '../../engine/reputation.ts';

/**
 * Judges by the sign-ins of the last day: each that fails takes one from the score of a user at an address, each that
 * succeeds adds one. It passes when the score is bad, as in the reference: bind it to what a suspect shall meet.
 */
export const reputation = definePolicy({
  kind: 'reputation',
  model: 'authentik_policies_reputation.reputationpolicy',
  component: 'ak-policy-reputation-form',
  description: 'Passes when too many sign-ins of this user or from this address failed of late.',
  config: z
    .object({
      check_ip: z.boolean().default(true).describe("The scores at the visitor's address count."),
      check_username: z.boolean().default(true).describe('The scores of whom the flow is about count.'),
      threshold: z.int().default(-5).describe('Passes when the sum is this or less.'),
    })
    .refine(({ check_ip, check_username }) => check_ip || check_username, {
      path: ['check_ip'],
      message: 'check_ip or check_username must be true, or nothing would count',
    }),
  async evaluate({ config, request, read, tools }) {
    const subject = config.check_username ? subjectOf(request, tools) : null;
    const score = await read.reputation(subject, config.check_ip ? request.visitor.address : null);
    return { passing: score <= config.threshold, messages: [] };
  },
});

/** A stand-in has the reputation of the name that was typed: it must not be told from a user by having none. */
function subjectOf({ context, userId }: PolicyRequest, tools: Tools): string | null {
  const pending = context.pending_user;
  if (pending !== undefined && 'decoy' in pending) return reputationSubject(tools, null, pending.typed);
  return userId === null ? null : reputationSubject(tools, userId, '');
}
