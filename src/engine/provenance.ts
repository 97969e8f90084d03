/**
 * Where the values of a user's fields came from, when, and by whom (never the values themselves). Kept with the user's
 * row and written by the statement that writes the row, so its version guards both.
 */
import { isPlainObject, type Json, type JsonObject, readPath, sameJson } from '../kernel/json.ts';

/** From where a value came. */
export type Origin =
  /** Somebody typed it into a form. */
  | { readonly kind: 'prompt' | 'setup'; readonly flow: string; readonly stage: string }
  /** A flow wrote it without asking: a policy or an earlier stage gave it. */
  | { readonly kind: 'flow'; readonly flow: string }
  /** A run without a browser. */
  | { readonly kind: 'unattended'; readonly flow: string }
  | { readonly kind: 'source'; readonly source: string }
  | { readonly kind: 'invitation'; readonly invitation: string }
  /** A program, the command line or the API changed the account outside of any flow. */
  | { readonly kind: 'program'; readonly via: string };

/** pk of who wrote it (of the administrator, where one acts as the user); `self` for the user; null for nobody known. */
export type WrittenBy = number | 'self' | null;

/** As it is stored: origins once, each field by the index of its origin, milliseconds since the epoch, and by whom. */
export interface Provenance {
  readonly origins: readonly Origin[];
  /** By column name, `password`, or path: `attributes.settings.locale`. */
  readonly fields: Readonly<Record<string, readonly [origin: number, at: number, by: WrittenBy]>>;
}

/** What is told of one field. `at` in milliseconds since the epoch. */
export interface FieldProvenance {
  readonly origin: Origin;
  readonly at: number;
  readonly by: WrittenBy;
}

export const noProvenance: Provenance = { origins: [], fields: {} };

/**
 * The name of an attribute's field by its path; a dot or a backslash inside a name is led by a backslash.
 *
 * @example
 * attributeField(['settings', 'locale']) === 'attributes.settings.locale';
 */
export function attributeField(path: readonly string[]): string {
  return ['attributes', ...path.map((name) => name.replace(/[\\.]/g, '\\$&'))].join('.');
}

/** The path of an attribute's field, or null for any other field. */
function pathOf(field: string): readonly string[] | null {
  if (!field.startsWith('attributes.')) return null;
  const names = field.slice('attributes.'.length).match(/(?<=^|\.)(?:\\[\\.]|[^\\.])*/g) ?? [];
  return names.map((name) => name.replace(/\\([\\.])/g, '$1'));
}

/**
 * What is known after a write. What it said of parts of an overwritten attribute goes, and so does what it said of
 * attributes that are no longer there.
 *
 * @param written the origin of each field whose value changed
 * @param attributes the user's attributes after the write
 */
export function withProvenance(
  known: Provenance,
  written: ReadonlyMap<string, Origin>,
  attributes: JsonObject,
  { at, by }: Omit<FieldProvenance, 'origin'>,
): Provenance {
  const fields = new Map<string, FieldProvenance>();
  for (const [field, provenance] of provenanceByField(known)) {
    const path = pathOf(field);
    if (!isReplaced(field, written) && (path === null || readPath(attributes, path) !== undefined))
      fields.set(field, provenance);
  }
  for (const [field, origin] of written) fields.set(field, { origin, at, by });
  const origins: Origin[] = [];
  const indexOf = (origin: Origin): number => {
    const index = origins.findIndex((other) => sameJson({ ...other }, { ...origin }));
    return index < 0 ? origins.push(origin) - 1 : index;
  };
  const entries = [...fields].map(([field, { origin, ...rest }]) => [field, [indexOf(origin), rest.at, rest.by]]);
  return { origins, fields: Object.fromEntries(entries) };
}

/** The field itself is written, or what it is a part of. */
function isReplaced(field: string, written: ReadonlyMap<string, Origin>): boolean {
  for (let end = field.length; end > 0; end = field.lastIndexOf('.', end - 1))
    if (written.has(field.slice(0, end))) return true;
  return false;
}

/** Each field with all that is known of it. */
export function provenanceByField({ origins, fields }: Provenance): ReadonlyMap<string, FieldProvenance> {
  const known = new Map<string, FieldProvenance>();
  for (const [field, [index, at, by]] of Object.entries(fields)) {
    const origin = origins[index];
    if (origin !== undefined) known.set(field, { origin, at, by });
  }
  return known;
}

/** Paths of the single values that differ; a list, or an object without members, is one value. */
export function changedPaths(before: Json | undefined, after: Json | undefined): readonly (readonly string[])[] {
  if (sameJson(before, after)) return [];
  const [left, right] = [membersOf(before), membersOf(after)];
  if ((left === null && before !== undefined) || (right === null && after !== undefined)) return [[]];
  const names = [...new Set([...Object.keys(left ?? {}), ...Object.keys(right ?? {})])];
  if (names.length === 0) return [[]];
  return names.flatMap((name) =>
    changedPaths(ownMember(left, name), ownMember(right, name)).map((path) => [name, ...path]),
  );
}

function membersOf(value: Json | undefined): JsonObject | null {
  return isPlainObject(value) ? (value as JsonObject) : null;
}

function ownMember(object: JsonObject | null, name: string): Json | undefined {
  return object === null ? undefined : readPath(object, [name]);
}
