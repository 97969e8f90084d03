/**
 * What refers to an entry that was left out (`skipUnsupported`) is left out in turn: a list loses the item, an optional
 * member stays away, and an entry that cannot do without it is skipped.
 */
import { isPlainObject, type Json, type JsonObject } from '../kernel/json.ts';

/** Stands in a resolved value for the pk of what was left out; known by identity, and false to `!If` and conditions. */
export const skipped: JsonObject = Object.freeze({});

/** The members without what was left out, and the names of those that lost something. */
export function withoutSkipped(members: JsonObject): { readonly kept: JsonObject; readonly lost: readonly string[] } {
  const lost: string[] = [];
  const kept: [string, Json][] = [];
  for (const [name, value] of Object.entries(members)) {
    if (holdsSkipped(value)) lost.push(name);
    if (value !== skipped) kept.push([name, cleaned(value)]);
  }
  return { kept: Object.fromEntries(kept), lost };
}

function holdsSkipped(value: Json): boolean {
  if (value === skipped) return true;
  if (Array.isArray(value)) return value.some(holdsSkipped);
  return isPlainObject(value) && Object.values(value as JsonObject).some(holdsSkipped);
}

function cleaned(value: Json): Json {
  if (Array.isArray(value)) return value.filter((item: Json) => item !== skipped).map(cleaned);
  if (!isPlainObject(value)) return value;
  const members = Object.entries(value as JsonObject).filter(([, item]) => item !== skipped);
  return Object.fromEntries(members.map(([name, item]) => [name, cleaned(item)]));
}
