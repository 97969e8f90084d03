/** The profile schema as stages see it: what attributes may hold, and who may write them. */
import { type Json, type JsonObject, readPath, sameJson } from '../kernel/json.ts';
import type { FieldProblem } from '../protocol/text.ts';
import { changedPaths, type Origin } from './provenance.ts';

/** Whom a schema can name in `x-doorward-write`. */
export const profileWriters = ['visitor', 'administrator', 'source', 'invitation', 'library'] as const;
export type ProfileWriter = (typeof profileWriters)[number];

/** What does not fit, at the path of the attribute. */
export interface ProfileProblem {
  readonly path: readonly string[];
  readonly problem: FieldProblem;
}

/** A compiled profile schema. */
export interface Profile {
  check(attributes: JsonObject): readonly ProfileProblem[];
  /** Whether this writer may write at this path; an annotation above the path counts too. */
  mayWrite(path: readonly string[], writer: ProfileWriter): boolean;
}

/** Members that only the product writes (D-16); a profile schema need not know them. */
export const reservedPrefix = 'goauthentik.io/';

/**
 * The problems that a write brings. What was wrong before and is left as it was does not keep anybody from changing
 * something else, so a schema can come after the users.
 *
 * @param before null for a new user
 */
export function profileProblems(
  profile: Profile,
  before: JsonObject | null,
  after: JsonObject,
): readonly ProfileProblem[] {
  const found = profile.check(ownAttributes(after));
  if (found.length === 0 || before === null) return found;
  const old = profile.check(ownAttributes(before));
  return found.filter(
    ({ path, problem }) =>
      !sameJson(readPath(before, path), readPath(after, path)) ||
      !old.some((known) => known.problem.code === problem.code && sameJson(known.path, path)),
  );
}

/** Whether a writer may put `after` in the place of `before`: at the path, and at each value inside that changes. */
export function mayReplace(
  profile: Profile,
  writer: ProfileWriter,
  path: readonly string[],
  { before, after }: { readonly before: Json | undefined; readonly after: Json | undefined },
): boolean {
  if (!profile.mayWrite(path, writer)) return false;
  return changedPaths(before, after).every((inner) => profile.mayWrite([...path, ...inner], writer));
}

/** As whom an origin writes. What a flow gives without asking counts as the visitor's: it may have come from them. */
export function writerOf(origin: Origin, administrator: boolean): ProfileWriter {
  switch (origin.kind) {
    case 'source':
    case 'invitation':
      return origin.kind;
    case 'unattended':
      return 'library';
    case 'program':
      return origin.via === 'library' ? 'library' : 'administrator';
    default:
      return administrator ? 'administrator' : 'visitor';
  }
}

function ownAttributes(attributes: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !name.startsWith(reservedPrefix)));
}
