import { isPlainObject, type Json, type JsonObject } from '../kernel/json.ts';
import { Secret } from '../kernel/secrets.ts';
import type { Claim } from './claim.ts';
import type { Origin } from './provenance.ts';

/** What `prompt_data` may hold in memory: JSON, or what was typed in confidence. */
export type PromptValue = Json | Secret;

/** Collected answers in the order they came; a list of pairs, since objects reorder keys that look like numbers. */
export type PromptData = readonly (readonly [key: string, value: PromptValue])[];

/** A user that the flow is about: one that exists (or is made in this commit), or a stand-in that hides that none does. */
export type PendingUser = { readonly ref: number } | { readonly decoy: true; readonly typed: string };

/** A link to an external identity provider that a source asks to be written with the user (W26, W27). */
export interface SourceConnection {
  readonly source: string;
  readonly identifier: string;
  readonly isNew: boolean;
}

/** What a user's fields held when their prompts were shown, by field key; null for nothing (W31). */
export interface Baseline {
  /** Whose values these are; for any other user they count for nothing. */
  readonly user: number;
  readonly values: JsonObject;
}

/** Where keys of prompt_data come from; of several entries for one key the last counts. */
export interface KeyOrigin {
  readonly origin: Origin;
  /** Also those that were asked and left empty. */
  readonly keys: readonly string[];
}

/**
 * What is known in a run, by the reference's names (flow-engine.md 2.7). Values are JSON, so a run can be kept.
 * Absent and null differ: the presence of a key is a statement of its own (W1 to W3).
 */
export interface PlanContext {
  readonly prompt_data?: PromptData | Json;
  readonly pending_user?: PendingUser;
  readonly pending_user_identifier?: string;
  readonly user_backend?: string;
  readonly auth_method?: string;
  readonly auth_method_args?: JsonObject;
  /** References to groups: names or pks. */
  readonly groups?: Json;
  readonly user_type?: Json;
  readonly user_path?: Json;
  readonly redirect?: string;
  /** An address to prove in place of the visitor's own (EM-2). */
  readonly email?: unknown;
  /** The address that was proven in this run: user_write writes no other one. */
  readonly 'doorward/proven_email'?: string;
  readonly deny_message?: string;
  /** The slug of the flow that a redirect stage left. */
  readonly is_redirected?: string;
  readonly redirect_stage_target?: string;
  readonly 'goauthentik.io/sources/connection'?: SourceConnection;
  readonly 'doorward/baseline'?: Baseline;
  readonly 'doorward/origins'?: readonly KeyOrigin[];
  /** Keys of prompt_data that no prompt may change any more; a path stands for all inside it. */
  readonly 'doorward/fixed'?: readonly string[];
  readonly 'doorward/claims'?: readonly Claim[];
  /** Users that this run made, by the binding that did: what begins again makes no second one (W34). */
  readonly 'doorward/made'?: Readonly<Record<string, number>>;
  readonly [key: string]: unknown;
}

/** The reference's name of the built-in password backend. */
export const inbuiltBackend = 'authentik.core.auth.InbuiltBackend';

/** The answers as pairs; an object (from `execute`, a source, an invitation) keeps its own order. null: none (W1). */
export function promptPairs(context: PlanContext): PromptData | null {
  const data: unknown = context.prompt_data;
  if (Array.isArray(data)) return data.every(isPair) ? (data as PromptData) : null;
  return isPlainObject(data) ? (Object.entries(data) as [string, PromptValue][]) : null;
}

function isPair(item: unknown): boolean {
  return Array.isArray(item) && item.length === 2 && typeof item[0] === 'string';
}

/** `pairs` with each of `values` replaced in place or appended. */
export function mergePrompt(pairs: PromptData, values: PromptData): PromptData {
  const merged = new Map<string, PromptValue>(pairs);
  for (const [key, value] of values) merged.set(key, value);
  return [...merged];
}

/** The value of one answer. */
export function promptValue(context: PlanContext, key: string): PromptValue | undefined {
  return promptPairs(context)?.find(([name]) => name === key)?.[1];
}

/** What a run knows as JSON, secrets sealed by `seal`. */
export function freeze<Known>(known: Known, seal: (plain: string) => string): JsonObject {
  return replaceSecrets(known, (secret) => ({ $sealed: seal(secret.reveal()) })) as JsonObject;
}

/** What was kept, sealed values opened by `open`; throws when one cannot be opened, and then the run is denied. */
export function thaw<Known>(frozen: JsonObject, open: (sealed: string) => string): Known {
  return thawed(frozen, open) as Known;
}

/** A prompted text that looks like a sealed value cannot be one: prompts never store objects of their own. */
function replaceSecrets(value: unknown, replace: (secret: Secret) => unknown): unknown {
  if (value instanceof Secret) return replace(value);
  if (Array.isArray(value)) return value.map((item) => replaceSecrets(item, replace));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceSecrets(item, replace)]));
}

function thawed(value: unknown, open: (sealed: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => thawed(item, open));
  if (value === null || typeof value !== 'object') return value;
  const sealed = '$sealed' in value ? value.$sealed : undefined;
  if (typeof sealed === 'string') return new Secret(open(sealed));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, thawed(item, open)]));
}
