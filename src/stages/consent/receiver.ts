/** Whose consent it is, and what it is given to (decision 18). */
import type { Consent } from '../../engine/consent.ts';
import type { PlanContext } from '../../engine/plan-context.ts';
import type { Desk } from '../../engine/stage.ts';
import { isPlainObject } from '../../kernel/json.ts';
import type { Permission } from '../../protocol/challenge.ts';

/** What is asked, and what a stored consent must be about. */
export type Asked = Pick<Consent, 'givenTo' | 'name' | 'wording' | 'permissions'>;

/**
 * An application is agreed with by its list alone. Without one it is this stage of this flow, and what it says is part of
 * it; one that says nothing is a bare "go on", which nobody would know again, so nothing is kept of it.
 */
export function askedIn({ context, flow, stage }: Pick<Desk, 'context' | 'flow' | 'stage'>): Asked | null {
  const permissions = permissionsIn(context);
  const application = applicationIn(context.application);
  if (application !== null)
    return { givenTo: { application: application.slug }, name: application.name, wording: '', permissions };
  const wording = wordingIn(context);
  if (wording === '' && permissions.length === 0) return null;
  return { givenTo: { flow: flow.slug, stage: stage.pk }, name: stage.name, wording, permissions };
}

/**
 * Whose flow it is, if they have shown that it is theirs: a name that was only typed neither tells what its owner agreed
 * to, nor agrees in their name. null also for whoever is not written yet.
 */
export function ownerOf({
  context,
  visitor,
  unattended,
}: Pick<Desk, 'context' | 'visitor' | 'unattended'>): number | null {
  const pending = context.pending_user;
  const id = pending === undefined ? visitor.user?.id : 'ref' in pending ? pending.ref : undefined;
  if (id === undefined) return null;
  const isMade = Object.values(context['doorward/made'] ?? {}).includes(id);
  const isProven = id === visitor.user?.id || isMade || context.auth_method !== undefined || unattended;
  return isProven ? id : null;
}

/** All that is asked, each once. */
function permissionsIn(context: PlanContext): readonly Permission[] {
  const all = [...listOf(context.consent_permissions), ...listOf(context.consent_additional_permissions)];
  return [...new Map(all.map((one) => [one.id, one])).values()];
}

export function wordingIn({ consent_header: header }: PlanContext): string {
  return typeof header === 'string' ? header : '';
}

/** What is not a permission is left out: a policy may have put anything there. */
export function listOf(value: unknown): readonly Permission[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown): readonly Permission[] => {
    if (!isPlainObject(one)) return [];
    const { id, name } = one;
    return typeof id === 'string' && typeof name === 'string' ? [{ id, name }] : [];
  });
}

/** By its slug or name, or as an object with one of them. */
function applicationIn(value: unknown): { readonly slug: string; readonly name: string } | null {
  const { slug, name } = isPlainObject(value) ? value : { slug: value, name: value };
  const known = [slug, name].filter((one) => typeof one === 'string' && one !== '');
  const [first, last] = [known[0], known.at(-1)];
  return typeof first === 'string' && typeof last === 'string' ? { slug: first, name: last } : null;
}
