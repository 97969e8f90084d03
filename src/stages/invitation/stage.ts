/**
 * Lets those pass who hold an invitation to this flow, with data that they cannot change (stages.md 4). Opening the link
 * changes nothing: the write that follows uses the invitation up, in its own commit.
 */
import * as z from 'zod';
import type { Claim } from '../../engine/claim.ts';
import type { Invitation } from '../../engine/invitation.ts';
import { type PlanContext, promptPairs, promptValue } from '../../engine/plan-context.ts';
import { type Desk, defineStage, type Outcome } from '../../engine/stage.ts';
import { hashToken } from '../../kernel/ids.ts';
import { Secret } from '../../kernel/secrets.ts';
import { text } from '../../protocol/text.ts';
import { withFixedData } from './fixed-data.ts';

const config = z.object({
  continue_flow_without_invitation: z
    .boolean()
    .default(false)
    .describe('Those without a valid invitation go on as well; policies can ask for invitation_in_effect.'),
});
type InvitationDesk = Desk<z.infer<typeof config>>;

/** Plan context: the hash of the secret that is in effect. */
const inEffectKey = 'doorward/invitation';

/** Missing, unknown, expired, used up, or of another flow (IN-2): one answer for all. */
const message = text('invitation.invalid');

/** The invitation stage. */
export const invitation = defineStage({
  kind: 'invitation',
  model: 'authentik_stages_invitation.invitationstage',
  component: 'ak-stage-invitation-form',
  description: 'Lets those pass who hold an invitation, with data that they cannot change.',
  config,
  needs: [],
  gives: ['prompt_data', 'invitation', 'invitation_in_effect'],
  proof: ({ continue_flow_without_invitation: mayPassWithout }) => ({
    ...{ proves: ['invitation'], mayPassWithout, bringsAnswers: true },
  }),
  async enter(desk): Promise<Outcome> {
    const { config, context } = desk;
    const hash = hashHeld(desk);
    const found = hash === null ? null : await desk.read.invitation(hash);
    if (hash === null || found === null || !isValid(desk, found))
      return config.continue_flow_without_invitation ? { kind: 'pass' } : { kind: 'deny', message };
    // A second stage, or the same one after the flow went back to it: nothing is merged twice.
    return context[inEffectKey] === hash ? { kind: 'pass' } : { kind: 'pass', context: accepted(context, hash, found) };
  },
});

/** IN-1; else the invitation that is in effect already. Plain, as for every token: a link outlives a change of the secret key. */
function hashHeld({ query, context }: InvitationDesk): string | null {
  const typed = promptValue(context, 'token');
  const held = [query.itoken, query.token, typed instanceof Secret ? typed.reveal() : typed];
  const secret = held.find((one) => typeof one === 'string' && one !== '');
  if (typeof secret === 'string') return hashToken(secret);
  const known = context[inEffectKey];
  return typeof known === 'string' ? known : null;
}

/** Whether it opens this flow, here and now (IN-3). What this very run used up stays good for it (W34). */
function isValid({ context, flow, tools }: InvitationDesk, found: Invitation): boolean {
  if (found.flow !== null && found.flow !== flow.slug) return false;
  if (found.expiresAt <= tools.now()) return false;
  return !found.singleUse || found.uses === 0 || claimFor(context, found)?.used === true;
}

function accepted(context: PlanContext, hash: string, found: Invitation): PlanContext {
  const claims = context['doorward/claims'] ?? [];
  // A secret that was typed has done its duty.
  const prompt_data = (promptPairs(context) ?? []).filter(([key]) => key !== 'token');
  return {
    ...{ invitation_in_effect: true, invitation: shown(found), [inEffectKey]: hash },
    ...withFixedData({ ...context, prompt_data }, found),
    'doorward/claims': claimFor(context, found) === undefined ? [...claims, claimOf(found)] : claims,
  };
}

function claimFor({ 'doorward/claims': claims = [] }: PlanContext, { uuid }: Invitation): Claim | undefined {
  return claims.find(({ effect }) => effect.kind === 'invitation.use' && effect.uuid === uuid);
}

/** IN-5, IN-6. */
function claimOf({ uuid, name }: Invitation): Claim {
  return {
    effect: { kind: 'invitation.use', uuid },
    event: { action: 'invitation_used', context: { invitation_uuid: uuid.replaceAll('-', ''), invitation: name } },
    otherwise: message,
  };
}

/** As policies see it. */
function shown(found: Invitation): object {
  const { uuid: pk, name, flow, fixedData: fixed_data, singleUse: single_use, createdBy: created_by } = found;
  return {
    ...{ pk, name, flow, fixed_data, single_use, created_by },
    expires: new Date(found.expiresAt).toISOString(),
  };
}
