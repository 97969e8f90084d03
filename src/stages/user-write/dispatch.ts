/**
 * What each key of prompt_data changes: the keys in their order, for each the first rule that matches (W10–W23).
 * Pure: it returns the changes, or why nothing may be written; prompt_data stays as it was (W23).
 */

import type { PromptData } from '../../engine/plan-context.ts';
import { reservedPrefix } from '../../engine/profile.ts';
import type { UserChanges } from '../../engine/user.ts';
import { isPlainObject, isUnsafeName, type Json, type JsonObject, readPath } from '../../kernel/json.ts';
import { Secret } from '../../kernel/secrets.ts';
import { isStorable } from '../../kernel/text.ts';
import { attributePath } from '../own-field.ts';
import { type Draft, draftOf, hasUnsafeName, isExact, sanitise, writePath } from './attributes.ts';

/** Protected fields that an administrator may open to prompt data (D-1). */
export const protectedFields = ['path', 'type', 'is_active'] as const;
export type ProtectedField = (typeof protectedFields)[number];

export interface DispatchRules {
  /** The user's attributes before the write. */
  readonly attributes: JsonObject;
  readonly writable: readonly ProtectedField[];
  readonly impersonating: boolean;
  /** `password_hash` is taken as a password (W11b). */
  readonly trustedHashes: boolean;
  /** What `email_verified` marks an address with; null: nobody is believed that (W11c). */
  readonly addressesVerifiedAt: number | null;
  /** Whether the profile schema lets this key's origin replace a value; absent: it may. */
  mayReplace?(key: string, path: readonly string[], values: { before: Json | undefined; after: Json }): boolean;
}

export type DiscardReason = 'disallowed' | 'protected' | 'unknown' | 'empty_path' | 'unsafe_path';

/** A key that was not written; `member` for a single member of `attributes`. */
export type Discarded = { readonly key: string; readonly member?: string; readonly reason: DiscardReason };

/** A key that was accepted, and the field it means: a column, `password` or a path such as `attributes.a.b`. */
export type Written = { readonly key: string; readonly field: string };

export interface Changes {
  readonly columns: UserChanges;
  readonly attributes: JsonObject;
  readonly password: { readonly plain: string } | { readonly hash: string } | null;
  readonly written: readonly Written[];
  readonly discarded: readonly Discarded[];
}

/** `why` is for the log: it names the key and never a value. */
export type Dispatched =
  | { readonly ok: true; readonly changes: Changes }
  | { readonly ok: false; readonly why: string; readonly key: string };

/** The changes while they are being gathered. */
interface Gathered {
  columns: UserChanges;
  readonly attributes: Draft;
  password: Changes['password'];
  readonly written: Written[];
  readonly discarded: Discarded[];
}

/** Why the whole write is refused, or null to go on. */
type Refusal = string | null;

const disallowedNames: ReadonlySet<string> = new Set(['groups', 'id', 'pk']);
const textFields: ReadonlySet<string> = new Set(['username', 'name', 'email']);
const protectedNames: ReadonlySet<string> = new Set([
  ...protectedFields,
  'uuid',
  'date_joined',
  'last_login',
  'is_superuser',
  'is_staff',
  'password_change_date',
  'last_updated',
]);
const writableTypes: ReadonlySet<unknown> = new Set(['internal', 'external', 'service_account']);

/** `attributes.room__choices` stands beside `attributes.room`. */
const choicesOf = '__choices';

/** Gathers what prompt_data changes. */
export function dispatch(pairs: PromptData, rules: DispatchRules): Dispatched {
  const gathered: Gathered = {
    columns: {},
    attributes: draftOf(rules.attributes),
    password: null,
    written: [],
    discarded: [],
  };
  const keys = new Set(pairs.map(([key]) => key));
  for (const [key, value] of pairs) {
    // PR-1: what was offered for an answer, and none itself.
    if (key.endsWith(choicesOf) && keys.has(key.slice(0, -choicesOf.length))) continue;
    const why = take(gathered, key, value, rules);
    if (why !== null) return { ok: false, why: `${why}: ${JSON.stringify(key)}`, key };
  }
  return { ok: true, changes: gathered };
}

function take(gathered: Gathered, key: string, value: unknown, rules: DispatchRules): Refusal {
  if (!isStorable(key)) return 'a key has a character that cannot be stored';
  if (key === 'component') return null; // W10: every client sends it
  if (key === 'password') return takePassword(gathered, key, value); // W11
  if (key === 'password_hash' && rules.trustedHashes) return takePassword(gathered, key, value); // W11b
  if (key === 'email_verified' && rules.addressesVerifiedAt !== null)
    return takeVerified(gathered, key, value, rules.addressesVerifiedAt); // W11c
  if (disallowedNames.has(key)) return discard(gathered, key, 'disallowed'); // W12
  if (key === 'attributes') return takeAttributes(gathered, value, rules); // W13
  const path = attributePath(key);
  if (path !== null) return takeAttribute(gathered, key, path, { value, rules }); // W14–W18
  if (textFields.has(key)) return takeText(gathered, key, value); // W19
  if (isWritable(key, rules)) return takeProtected(gathered, key, value); // W20
  return discard(gathered, key, protectedNames.has(key) ? 'protected' : 'unknown'); // W21
}

function takePassword(gathered: Gathered, key: string, value: unknown): Refusal {
  const text = value instanceof Secret ? value.reveal() : value;
  if (typeof text !== 'string' || text === '' || !isStorable(text)) return 'a password must be a non-empty text';
  gathered.password = key === 'password' ? { plain: text } : { hash: text };
  return write(gathered, key, 'password');
}

function takeVerified(gathered: Gathered, key: string, value: unknown, at: number): Refusal {
  const said = textOf(value);
  if (said !== 'true' && said !== 'false') return 'true or false is expected';
  gathered.columns = { ...gathered.columns, emailVerifiedAt: said === 'true' ? at : null };
  return write(gathered, key, key);
}

function takeAttributes(gathered: Gathered, value: unknown, rules: DispatchRules): Refusal {
  if (!isPlainObject(value)) return 'Attempt to overwrite complete attributes';
  if (hasUnsafeName(value)) return discard(gathered, 'attributes', 'unsafe_path');
  const kept = sanitise(value);
  if (kept === undefined) return 'an attribute cannot be stored';
  const members = Object.entries(kept as JsonObject);
  const allowed = members.filter(
    ([name, after]) =>
      !name.startsWith(reservedPrefix) && isAllowed(gathered, 'attributes', [name], { value: after, rules }),
  );
  const names = new Set(allowed.map(([name]) => name));
  for (const [name] of members)
    if (!names.has(name)) gathered.discarded.push({ key: 'attributes', member: name, reason: 'protected' });
  Object.assign(gathered.attributes, Object.fromEntries(allowed));
  return allowed.length === 0 && members.length > 0 ? null : write(gathered, 'attributes', 'attributes');
}

function takeAttribute(
  gathered: Gathered,
  key: string,
  path: readonly string[],
  { value, rules }: { readonly value: unknown; readonly rules: DispatchRules },
): Refusal {
  if (path.includes('')) return discard(gathered, key, 'empty_path'); // W17
  if (path.some(isUnsafeName) || hasUnsafeName(value)) return discard(gathered, key, 'unsafe_path'); // W18
  const kept = sanitise(value);
  if (kept === undefined) return 'an attribute cannot be stored';
  if (!isAllowed(gathered, key, path, { value: kept, rules })) return discard(gathered, key, 'protected');
  if (!writePath(gathered.attributes, path, kept)) return 'an attribute on the way is not an object'; // W16
  return write(gathered, key, ['attributes', ...path].join('.'));
}

function isAllowed(
  { attributes }: Gathered,
  key: string,
  path: readonly string[],
  { value, rules }: { readonly value: Json; readonly rules: DispatchRules },
): boolean {
  return rules.mayReplace?.(key, path, { before: readPath(attributes, path), after: value }) ?? true;
}

function takeText(gathered: Gathered, key: string, value: unknown): Refusal {
  const text = textOf(value);
  if (text === undefined) return 'a text is expected';
  gathered.columns = { ...gathered.columns, [key]: text };
  return write(gathered, key, key);
}

/** Text as it is; a number in its shortest decimal form, a bool as true or false (D-17). */
function textOf(value: unknown): string | undefined {
  if (value instanceof Secret) return textOf(value.reveal());
  if (typeof value === 'string') return isStorable(value) ? value : undefined;
  if (typeof value === 'number') return isExact(value) ? String(value) : undefined;
  return typeof value === 'boolean' ? String(value) : undefined;
}

function isWritable(key: string, rules: DispatchRules): key is ProtectedField {
  if (key === 'is_active' && rules.impersonating) return false;
  return rules.writable.some((field) => field === key);
}

function takeProtected(gathered: Gathered, key: ProtectedField, value: unknown): Refusal {
  const valid = {
    path: typeof value === 'string' && value !== '' && isStorable(value),
    type: writableTypes.has(value),
    is_active: typeof value === 'boolean',
  }[key];
  if (!valid) return 'a protected field has a value that it cannot take';
  gathered.columns = { ...gathered.columns, [key === 'is_active' ? 'isActive' : key]: value };
  return write(gathered, key, key);
}

function write(gathered: Gathered, key: string, field: string): null {
  gathered.written.push({ key, field });
  return null;
}

function discard(gathered: Gathered, key: string, reason: DiscardReason): null {
  gathered.discarded.push({ key, reason });
  return null;
}
