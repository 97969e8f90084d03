/** What somebody else changed between the prompts of this flow and its write (W31). */
import { promptValue } from '../../engine/plan-context.ts';
import type { Desk } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';
import { type Json, member, readPath, sameJson } from '../../kernel/json.ts';
import { Secret } from '../../kernel/secrets.ts';
import { codePoints } from '../../kernel/text.ts';
import { type FieldProblem, type FieldProblems, text } from '../../protocol/text.ts';
import { mayBeShown, watched } from '../own-field.ts';
import type { Written } from './dispatch.ts';
import type { UserTarget } from './target.ts';

/** The fields of this flow's prompts that somebody else changed, to something else than this flow would. */
export interface Meanwhile {
  /** Keys whose value is the one that was shown: the visitor left the field alone, so the other's change stays. */
  readonly leftAlone: ReadonlySet<string>;
  /** Both changed the field; by key, as problems. */
  readonly conflicts: FieldProblems;
}

/** Longer values stand in no message. */
const mostShown = 200;

/** @param after the user as this flow alone would leave them */
export function changedMeanwhile(
  desk: Desk,
  { user: before, created }: UserTarget,
  after: User,
  written: readonly Written[],
): Meanwhile {
  const baseline = desk.context['doorward/baseline'];
  const leftAlone = new Set<string>();
  const conflicts: Record<string, readonly FieldProblem[]> = {};
  const mine = !created && !desk.unattended && baseline?.user === before.id ? baseline.values : {};
  for (const { key, field } of written) {
    const shown = member(mine, key);
    if (shown === undefined) continue;
    const [now, wanted] = [valueAt(before, field), valueAt(after, field)];
    if (looksLike(now, shown) || sameJson(now, wanted)) continue;
    if (looksLike(wanted, shown)) leftAlone.add(key);
    else conflicts[key] = [conflictOf(desk, before, key, now)];
  }
  return { leftAlone, conflicts };
}

/** A field's value as baselines hold it: null where there is none. */
export function valueAt(user: User, field: string): Json {
  if (field === 'username' || field === 'name' || field === 'email' || field === 'path' || field === 'type')
    return user[field];
  if (field === 'is_active') return user.isActive;
  if (field === 'email_verified') return user.emailVerifiedAt !== null;
  const path = field.split('.');
  return (path[0] === 'attributes' ? readPath(user.attributes, path.slice(1)) : undefined) ?? null;
}

/** Whoever sends a form writes an empty text where there was nothing: that is no change to anybody else's eyes. */
function looksLike(value: Json, shown: Json): boolean {
  return sameJson(asShown(watched(value)), asShown(shown));
}

/** Forms show nothing, an empty text and a box that is not ticked alike, and numbers as text. */
function asShown(value: Json): Json {
  if (value === null || value === false) return '';
  return typeof value === 'number' ? String(value) : value;
}

/** What the visitor typed stays in the field; the words say what stands there now, to whoever may know it. */
function conflictOf(desk: Desk, user: User, key: string, now: Json): FieldProblem {
  const code = 'conflict';
  const secret = promptValue(desk.context, key) instanceof Secret;
  if (secret || !mayBeShown(user, desk)) return { code, text: text('user_write.conflict') };
  const value = asShown(now);
  if (value === '') return { code, text: text('user_write.conflict_removed') };
  if (typeof value !== 'string' || codePoints(value) > mostShown) return { code, text: text('user_write.conflict') };
  return { code, text: text('user_write.conflict_now', { value }) };
}
