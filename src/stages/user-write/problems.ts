/** What a person can put right: problems at the fields of the prompt that asked for them (W28, W31–W33). */
import { promptPairs, promptValue } from '../../engine/plan-context.ts';
import type { Desk, Outcome } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';
import { isPlainObject, type Json, type JsonObject, member, sameJson } from '../../kernel/json.ts';
import { codePoints, usernameKey } from '../../kernel/text.ts';
import { type FieldProblem, type FieldProblems, type Text, text } from '../../protocol/text.ts';
import { readPath } from './attributes.ts';
import type { Changes, Written } from './dispatch.ts';
import type { UserTarget } from './target.ts';

/** Unicode code points (W33). */
const longest = { username: 150, email: 254 } as const;

/** The message of every refusal that a visitor can do nothing about (W40). */
export const failed: Text = text('user_write.failed');

/** The first problem that keeps these changes from being written, or null. */
export async function findProblem(
  desk: Desk,
  { user: before, created }: UserTarget,
  after: User,
  changes: Changes,
): Promise<Outcome | null> {
  if (after.username === '') {
    desk.tools.log('warn', 'Aborting write to empty username', { stage: desk.stage.name });
    const blank = { code: 'blank', text: text('prompt.blank') };
    return revise(desk, { username: [blank] }, text('user_write.username_required'));
  }
  const lengthy = tooLong(changes);
  if (lengthy !== null) return revise(desk, lengthy, failed);
  const conflicting =
    desk.unattended || created ? [] : conflicts(desk.context['doorward/baseline'], before, after, changes.written);
  if (conflicting.length > 0) {
    const conflict = { code: 'conflict', text: text('user_write.conflict') };
    return revise(desk, Object.fromEntries(conflicting.map((key) => [key, [conflict]])), failed);
  }
  return (await isTaken(desk, before, after)) ? usernameTaken(desk) : null;
}

/**
 * The prompt that asked for the username comes again; where none did, the write is denied (W32). Of an address nothing
 * is said: whether it has an account is nobody else's business.
 */
export function usernameTaken(desk: Desk): Outcome {
  const username = promptValue(desk.context, 'username');
  if (typeof username === 'string' && /^[^\s@]+@[^\s@]+$/.test(username)) return { kind: 'deny', message: failed };
  return revise(desk, { username: [{ code: 'unique', text: text('prompt.username_taken') }] }, failed);
}

/** Back to the prompt, if this run has one that collected the fields; else denied with `otherwise`. */
function revise(desk: Desk, problems: FieldProblems, otherwise: Text): Outcome {
  const collected = new Set(promptPairs(desk.context)?.map(([key]) => key));
  const asked = !desk.unattended && Object.keys(problems).every((key) => collected.has(key));
  return asked ? { kind: 'revise', problems, otherwise } : { kind: 'deny', message: otherwise };
}

function tooLong({ columns }: Changes): FieldProblems | null {
  const problems: Record<string, FieldProblem[]> = {};
  for (const field of ['username', 'email'] as const) {
    const max = longest[field];
    if (codePoints(columns[field] ?? '') > max)
      problems[field] = [{ code: 'max_length', text: text('prompt.max_length', { max }) }];
  }
  return Object.keys(problems).length === 0 ? null : problems;
}

/**
 * Looked up before the costly hash, as advice; the unique index decides (W32, CONTRACT: Trust). A user's own name in
 * other case is free.
 */
async function isTaken(desk: Desk, before: User, after: User): Promise<boolean> {
  const key = usernameKey(after.username);
  if (key === usernameKey(before.username)) return false;
  const holder = await desk.read.userByUsername(key);
  return holder !== null && holder.id !== after.id;
}

/** Keys that this flow changes and somebody else changed since their prompt was shown (W31). */
function conflicts(baseline: unknown, before: User, after: User, written: readonly Written[]): readonly string[] {
  if (!isPlainObject(baseline)) return [];
  const seen = baseline as JsonObject;
  return written
    .filter(({ key, field }) => {
      const shown = member(seen, key);
      if (shown === undefined) return false;
      const now = valueAt(before, field);
      return !sameJson(now, shown) && !sameJson(now, valueAt(after, field));
    })
    .map(({ key }) => key);
}

/** A field's value as baselines hold it: null where there is none. */
function valueAt(user: User, field: string): Json {
  if (field === 'username' || field === 'name' || field === 'email' || field === 'path' || field === 'type')
    return user[field];
  if (field === 'is_active') return user.isActive;
  const path = field.split('.');
  return (path[0] === 'attributes' ? readPath(user.attributes, path.slice(1)) : undefined) ?? null;
}
