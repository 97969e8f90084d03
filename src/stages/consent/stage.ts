import * as z from 'zod';
import type { PlanContext, PromptValue } from '../../engine/plan-context.ts';
import { defineStage, type Outcome } from '../../engine/stage.ts';
import { parseDuration } from '../../kernel/duration.ts';
import { newUuid } from '../../kernel/ids.ts';
import { isPlainObject, member } from '../../kernel/json.ts';
import { sameText } from '../../kernel/secrets.ts';
import type { ConsentChallenge, Permission } from '../../protocol/challenge.ts';
import { text } from '../../protocol/text.ts';

const config = z.object({
  mode: z
    .enum(['always_require', 'permanent', 'expiring'])
    .default('expiring')
    .describe('How long a consent to an application holds. Without an application it is always asked for.'),
  consent_expire_in: z
    .string()
    .refine(isDuration, 'is not a duration; write for example weeks=4 or days=1;hours=12')
    .default('weeks=4')
    .describe('How long it holds in the mode "expiring".'),
});

/**
 * Asks the visitor to agree to what the plan context lists (CO-1 to CO-5). A consent is stored for an application; where
 * there is none it is asked for each time and nothing is stored (CO-2).
 */
export const consent = defineStage({
  kind: 'consent',
  model: 'authentik_stages_consent.consentstage',
  component: 'ak-stage-consent-form',
  description: 'Asks the visitor to agree to what an application wants.',
  config,
  needs: [],
  gives: ['consent_permissions', 'consent_additional_permissions'],
  proof: () => ({ asks: true }),
  enter: async ({ context }) => asking(context),
  async answer({ context, memo }, response): Promise<Outcome> {
    const [given, expected] = [member(response, 'token'), tokenIn(memo)];
    if (typeof given !== 'string' || expected === null || !sameText(given, expected))
      return {
        ...asking(context),
        kind: 'retry',
        problems: { token: [{ code: 'invalid', text: text('consent.invalid_token') }] },
      };
    const { permissions, additional_permissions } = permissionsIn(context);
    return {
      kind: 'pass',
      context: { consent_permissions: permissions, consent_additional_permissions: additional_permissions },
    };
  },
});

/** CO-1: each page that is shown has a token of its own, so that nobody agrees by a click on another page. */
function asking(context: PlanContext): Extract<Outcome, { kind: 'ask' }> {
  const token = newUuid();
  const header = context.consent_header;
  const challenge: ConsentChallenge = {
    component: 'ak-stage-consent',
    header_text: typeof header === 'string' ? header : '',
    ...permissionsIn(context),
    token,
  };
  return { kind: 'ask', challenge, memo: { token } };
}

function permissionsIn(context: PlanContext): Pick<ConsentChallenge, 'permissions' | 'additional_permissions'> {
  return {
    permissions: listOf(context.consent_permissions),
    additional_permissions: listOf(context.consent_additional_permissions),
  };
}

/** What is not a permission is left out: a policy may have put anything there. */
function listOf(value: unknown): readonly Permission[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown): readonly Permission[] => {
    if (!isPlainObject(one)) return [];
    const { id, name } = one;
    return typeof id === 'string' && typeof name === 'string' ? [{ id, name }] : [];
  });
}

function tokenIn(memo: PromptValue): string | null {
  return isPlainObject(memo) && typeof memo.token === 'string' ? memo.token : null;
}

function isDuration(written: string): boolean {
  try {
    return parseDuration(written) >= 0;
  } catch {
    return false;
  }
}
