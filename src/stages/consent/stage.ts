/**
 * Asks the visitor to agree to what the plan context lists (CO-1 to CO-5), unless they did before. What they agree to is
 * stored for the user whose flow it is, in the commit of the step; for one who is written later in this run, with that
 * write.
 */
import * as z from 'zod';
import type { Consent } from '../../engine/consent.ts';
import type { PlanContext, PromptValue } from '../../engine/plan-context.ts';
import { type Desk, defineStage, type Outcome } from '../../engine/stage.ts';
import { isDuration, parseDuration } from '../../kernel/duration.ts';
import { newUuid } from '../../kernel/ids.ts';
import { isPlainObject, type JsonObject, member } from '../../kernel/json.ts';
import { sameText } from '../../kernel/secrets.ts';
import type { ConsentChallenge, Permission } from '../../protocol/challenge.ts';
import { text } from '../../protocol/text.ts';
import { claimsWith, keep } from './keep.ts';
import { askedIn, listOf, ownerOf, wordingIn } from './receiver.ts';

const config = z.object({
  mode: z
    .enum(['always_require', 'permanent', 'expiring'])
    .default('expiring')
    .describe('How long a consent holds: it is asked for each time, once, or again after a while.'),
  consent_expire_in: z
    .string()
    .refine(isDuration, 'is not a duration; write for example weeks=4 or days=1;hours=12')
    .default('weeks=4')
    .describe('How long it holds in the mode "expiring".'),
});
type ConsentDesk = Desk<z.infer<typeof config>>;
/** What the page lists; kept, since a consent is to what was read and not to what holds later. */
type Lists = Pick<ConsentChallenge, 'permissions' | 'additional_permissions'>;

/** The consent stage. */
export const consent = defineStage({
  kind: 'consent',
  model: 'authentik_stages_consent.consentstage',
  component: 'ak-stage-consent-form',
  description: 'Asks the visitor to agree to what an application, or a text, wants.',
  config,
  needs: [],
  gives: ['consent_permissions', 'consent_additional_permissions'],
  proof: () => ({ asks: true }),
  async enter(desk): Promise<Outcome> {
    const known = await givenBefore(desk);
    const lists = listsOf(desk, known);
    const isKnown = known !== null && lists.additional_permissions.length === 0;
    return isKnown ? { kind: 'pass', context: contextOf(lists) } : asking(desk, lists);
  },
  async answer(desk, response): Promise<Outcome> {
    const { token: expected, lists } = memoOf(desk.memo);
    const given = member(response, 'token');
    if (typeof given !== 'string' || expected === null || !sameText(given, expected))
      return {
        ...asking(desk, expected === null ? listsOf(desk, null) : lists),
        kind: 'retry',
        problems: { token: [{ code: 'invalid', text: text('consent.invalid_token') }] },
      };
    return agreed(desk, lists);
  },
});

/** CO-3: what holds, and is about the same. */
async function givenBefore(desk: ConsentDesk): Promise<Consent | null> {
  const [owner, asked] = [keptFor(desk), askedIn(desk)];
  if (owner === null || owner === 'whoever_is_written' || asked === null) return null;
  const known = await desk.read.consent(owner, asked.givenTo);
  return known?.wording === asked.wording ? known : null;
}

/** Whose consent is kept. Nobody agrees in the name of somebody else. */
function keptFor(desk: ConsentDesk): number | 'whoever_is_written' | null {
  if (desk.config.mode === 'always_require' || desk.visitor.impersonator !== null) return null;
  return ownerOf(desk) ?? (desk.context.pending_user === undefined ? 'whoever_is_written' : null);
}

/** With a consent from before, what is new is listed by itself. */
function listsOf(desk: ConsentDesk, known: Consent | null): Lists {
  const { consent_permissions: permissions, consent_additional_permissions: additional } = desk.context;
  if (known === null) return { permissions: listOf(permissions), additional_permissions: listOf(additional) };
  const allowed = new Set(known.permissions.map(({ id }) => id));
  const all = askedIn(desk)?.permissions ?? [];
  return {
    permissions: all.filter(({ id }) => allowed.has(id)),
    additional_permissions: all.filter(({ id }) => !allowed.has(id)),
  };
}

/** CO-1: each page that is shown has a token of its own, so that nobody agrees by a click on another page. */
function asking({ context }: ConsentDesk, lists: Lists): Extract<Outcome, { kind: 'ask' }> {
  const token = newUuid();
  const challenge: ConsentChallenge = {
    component: 'ak-stage-consent',
    header_text: wordingIn(context),
    ...lists,
    token,
  };
  const memo = { token, permissions: plain(lists.permissions), additional: plain(lists.additional_permissions) };
  return { kind: 'ask', challenge, memo };
}

function plain(permissions: readonly Permission[]): readonly JsonObject[] {
  return permissions.map(({ id, name }) => ({ id, name }));
}

/** CO-4 */
async function agreed(desk: ConsentDesk, lists: Lists): Promise<Outcome> {
  const [owner, asked] = [keptFor(desk), askedIn(desk)];
  const context = contextOf(lists);
  if (owner === null || asked === null) return { kind: 'pass', context };
  const { mode, consent_expire_in: lifetime } = desk.config;
  const now = desk.tools.now();
  const given: Consent = {
    ...{ ...asked, permissions: [...lists.permissions, ...lists.additional_permissions] },
    ...{ uuid: newUuid(), userId: owner === 'whoever_is_written' ? 0 : owner, givenAt: now },
    expiresAt: mode === 'permanent' ? null : now + parseDuration(lifetime),
  };
  return owner === 'whoever_is_written'
    ? { kind: 'pass', context: { ...context, 'doorward/claims': claimsWith(desk, given) } }
    : { kind: 'pass', context, effects: await keep(desk, given) };
}

function contextOf({ permissions, additional_permissions: additional }: Lists): PlanContext {
  return { consent_permissions: permissions, consent_additional_permissions: additional };
}

function memoOf(memo: PromptValue): { readonly token: string | null; readonly lists: Lists } {
  const { token, permissions, additional } = isPlainObject(memo) ? memo : {};
  const lists = { permissions: listOf(permissions), additional_permissions: listOf(additional) };
  return { token: typeof token === 'string' ? token : null, lists };
}
