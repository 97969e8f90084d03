/** What a person can put right: problems at the fields of the prompt that asked for them (W28, W31–W33). */
import { hasVerified } from '../../engine/identifier.ts';
import { promptPairs, promptValue } from '../../engine/plan-context.ts';
import { profileProblems } from '../../engine/profile.ts';
import { attributeField } from '../../engine/provenance.ts';
import type { Desk, Outcome } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';
import { sameJson } from '../../kernel/json.ts';
import { codePoints, isAddress, usernameKey } from '../../kernel/text.ts';
import { type FieldProblem, type FieldProblems, type Text, text } from '../../protocol/text.ts';
import { attributePath } from '../own-field.ts';
import type { Changes } from './dispatch.ts';
import type { UserTarget } from './target.ts';

/** Unicode code points (W33). */
const longest = { username: 150, email: 254 } as const;

/** The message of every refusal that a visitor can do nothing about (W40). */
export const failed: Text = text('user_write.failed');

/** The first problem that keeps these changes from being written, or null. */
export async function findProblem(
  desk: Desk,
  target: UserTarget,
  after: User,
  { changes, conflicts }: { readonly changes: Changes; readonly conflicts: FieldProblems },
): Promise<Outcome | null> {
  if (after.username === '') {
    desk.tools.log('warn', 'Aborting write to empty username', { stage: desk.stage.name });
    const blank = { code: 'blank', text: text('prompt.blank') };
    return revise(desk, { username: [blank] }, text('user_write.username_required'));
  }
  const problems = { ...conflicts, ...misfits(desk, target, after), ...tooLong(changes) };
  const fields = Object.keys(problems);
  if (fields.length > 0) {
    desk.tools.log('info', 'user write has problems with fields', { stage: desk.stage.name, fields });
    const conflictAlone = fields.every((field) => Object.hasOwn(conflicts, field));
    return revise(desk, problems, conflictAlone ? text('user_write.conflict') : failed);
  }
  return (await isTaken(desk, target.user, after)) ? usernameTaken(desk) : null;
}

/**
 * The prompt that asked for the username comes again; where none did, the write is denied (W32). Of an address nothing
 * is said: whether it has an account is nobody else's business.
 */
export function usernameTaken(desk: Desk): Outcome {
  const username = promptValue(desk.context, 'username');
  if (typeof username === 'string' && isAddress(username) && !desk.unattended) return { kind: 'deny', message: failed };
  return revise(desk, { username: [{ code: 'unique', text: text('prompt.username_taken') }] }, failed);
}

/** Nobody locks the last active administrator out, themselves included (decision 19). */
export function lastAdministrator(desk: Desk): Outcome {
  const said = text('error.last_administrator');
  return revise(desk, { is_active: [{ code: 'last_administrator', text: said }] }, said);
}

/** Back to the prompt, if this run has one that collected the fields; else denied with `otherwise`. */
export function revise(desk: Desk, problems: FieldProblems, otherwise: Text): Outcome {
  const collected = new Set(keysOf(desk));
  const asked = !desk.unattended && Object.keys(problems).every((key) => collected.has(key));
  return asked ? { kind: 'revise', problems, otherwise } : { kind: 'deny', message: otherwise, problems };
}

/** Keys that were collected, and those that were asked and left empty. */
function keysOf({ context }: Desk): readonly string[] {
  const asked = (context['doorward/origins'] ?? []).flatMap(({ keys }) => keys);
  return [...asked, ...(promptPairs(context) ?? []).map(([key]) => key)];
}

/** What the profile schema says of the attributes, at the keys that asked for them. */
function misfits(desk: Desk, { user: before, created }: UserTarget, after: User): FieldProblems {
  const { profile } = desk.tools;
  if (profile === null || (!created && sameJson(before.attributes, after.attributes))) return {};
  const keys = keysOf(desk).flatMap((key) => {
    const path = attributePath(key);
    return path === null ? [] : [{ key, path }];
  });
  const problems = new Map<string, readonly FieldProblem[]>();
  for (const { path, problem } of profileProblems(profile, created ? null : before.attributes, after.attributes)) {
    const asked = keys.find((known) => sameJson(known.path, path.slice(0, known.path.length)));
    const field = asked?.key ?? attributeField(path);
    problems.set(field, [...(problems.get(field) ?? []), problem]);
  }
  return Object.fromEntries(problems);
}

function tooLong({ columns }: Changes): FieldProblems {
  const problems: Record<string, FieldProblem[]> = {};
  for (const field of ['username', 'email'] as const) {
    const max = longest[field];
    if (codePoints(columns[field] ?? '') > max)
      problems[field] = [{ code: 'max_length', text: text('prompt.max_length', { max }) }];
  }
  return problems;
}

/**
 * Looked up before the costly hash, as advice; the commit decides (W32, CONTRACT: Trust). A user's own name in other
 * case is free. Nobody calls themselves by another user's address: people who have it would wonder who that is. Who
 * verified it may, unless somebody else did as well (CVE-2026-19607, decision 17).
 */
async function isTaken(desk: Desk, before: User, after: User): Promise<boolean> {
  const key = usernameKey(after.username);
  if (key === usernameKey(before.username)) return false;
  const holder = await desk.read.userByUsername(key);
  if (holder !== null && holder.id !== after.id) return true;
  if (!isAddress(key)) return false;
  const others = (await desk.read.usersByEmail(key)).filter(({ id }) => id !== after.id);
  return others.some(({ emailVerifiedAt }) => emailVerifiedAt !== null || !hasVerified(after, key));
}
