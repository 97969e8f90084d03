/**
 * What may stand in a user's attributes, and how a key of prompt_data finds its place there (W13–W18, W24, W25).
 * Pure: it works on drafts, private copies of the attributes of one write.
 */
import { isPlainObject, isUnsafeName, type Json, type JsonObject, member } from '../../kernel/json.ts';
import { Secret } from '../../kernel/secrets.ts';
import { isStorable } from '../../kernel/text.ts';

/** Attributes while they are being written. */
export interface Draft {
  [name: string]: Json;
}

/** Most that attributes may hold once a write has made them grow (D-18). */
export const attributeLimits = { depth: 32, members: 1_000, bytes: 256 * 1024 } as const;

/** Far beyond any depth that is accepted, far below what the call stack holds. */
const deepest = 500;

/** A copy of attributes to write on. */
export function draftOf(attributes: JsonObject): Draft {
  return structuredClone(attributes) as Draft;
}

/**
 * Writes a value at a path, making the objects on the way (W15).
 *
 * @returns false when something on the way is not an object (W16)
 */
export function writePath(draft: Draft, path: readonly string[], value: Json): boolean {
  if (path.length > deepest) return false;
  let place = draft;
  for (const name of path.slice(0, -1)) {
    const next = member(place, name);
    if (next === undefined) {
      const made: Draft = {};
      place[name] = made;
      place = made;
    } else if (isObject(next)) {
      place = next;
    } else {
      return false;
    }
  }
  for (const name of path.slice(-1)) place[name] = value;
  return true;
}

/** Whether a member anywhere inside a value has a name that reaches prototypes (W18). */
export function hasUnsafeName(value: unknown, depth = 0): boolean {
  if (depth > deepest || value === null || typeof value !== 'object') return false;
  if (Array.isArray(value) || value instanceof Set) return [...value].some((item) => hasUnsafeName(item, depth + 1));
  if (!isPlainObject(value)) return false;
  return Object.entries(value).some(([name, item]) => isUnsafeName(name) || hasUnsafeName(item, depth + 1));
}

/** A copy of a value as JSON, typed values converted (W24, W25); undefined when it cannot be stored (D-18). */
export function sanitise(value: unknown, depth = 0): Json | undefined {
  if (depth > deepest) return undefined;
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return isStorable(value) ? value : undefined;
  if (typeof value === 'number') return isExact(value) ? value : undefined;
  if (typeof value === 'bigint') return sanitise(Number(value));
  if (value instanceof Secret) return sanitise(value.reveal());
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
  if (value instanceof URL) return value.href;
  if (value instanceof Error) return sanitise(value.message);
  if (value instanceof Set || Array.isArray(value)) return sanitiseList(value, depth);
  return isPlainObject(value) ? sanitiseObject(value, depth) : undefined;
}

function sanitiseList(items: Iterable<unknown>, depth: number): Json | undefined {
  const list: Json[] = [];
  for (const item of items) {
    const kept = sanitise(item, depth + 1);
    if (kept === undefined) return undefined;
    list.push(kept);
  }
  return list;
}

function sanitiseObject(object: Record<string, unknown>, depth: number): Json | undefined {
  const members: [string, Json][] = [];
  for (const [name, item] of Object.entries(object)) {
    const kept = isStorable(name) ? sanitise(item, depth + 1) : undefined;
    if (kept === undefined) return undefined;
    members.push([name, kept]);
  }
  return Object.fromEntries(members);
}

/** 2^53 itself is refused too: 2^53 + 1 is read as the same number. */
export function isExact(number: number): boolean {
  return Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number));
}

/** Whether a write makes attributes grow past a limit; what was too large before may stay and may shrink. */
export function outgrows(before: JsonObject, after: JsonObject): boolean {
  const size = sizeOf(after);
  if (measures.every((measure) => size[measure] <= attributeLimits[measure])) return false;
  const old = sizeOf(before);
  return measures.some((measure) => size[measure] > old[measure]);
}

const measures = ['depth', 'members', 'bytes'] as const;

function sizeOf(attributes: JsonObject): Record<(typeof measures)[number], number> {
  let depth = 0;
  let members = 0;
  const visit = (value: Json, level: number): void => {
    if (value === null || typeof value !== 'object') return;
    depth = Math.max(depth, level);
    if (!Array.isArray(value)) members += Object.keys(value).length;
    for (const item of Object.values(value)) visit(item, level + 1);
  };
  visit(attributes, 1);
  return { depth, members, bytes: Buffer.byteLength(JSON.stringify(attributes)) };
}

/** Every object inside a draft is a copy of its own, so it may be written on. */
function isObject(value: Json): value is Draft {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
