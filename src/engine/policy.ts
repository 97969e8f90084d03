import type { z } from 'zod';
import type { JsonObject } from '../kernel/json.ts';
import type { Text } from '../protocol/text.ts';
import type { Effect } from './effects.ts';
import type { PolicyRequest } from './policy-request.ts';
import type { Reads, Tools } from './ports.ts';

/**
 * The policy contract. A policy answers one question about a visitor, and never writes: it reads through its desk and
 * returns a verdict. What it throws is a policy that failed to run, and then the flow denies (CVE-2024-47070).
 */
export interface Policy<Config extends JsonObject = JsonObject> {
  /** Folder and table name, snake_case: `event_matcher`. */
  readonly kind: string;
  /** The reference's model, as in blueprints. */
  readonly model: string;
  /** The reference's admin form component. */
  readonly component: string;
  readonly description: string;
  /** What an administrator sets; without `name`, which every policy has. */
  readonly config: z.ZodType<Config>;
  /** Its verdicts have neither `contextPatch` nor effects; the proof of flows then knows what the plan context holds. */
  readonly setsNothing?: true;
  evaluate(desk: PolicyDesk<Config>): Promise<PolicyVerdict>;
  /** What is wrong with a configuration beyond its schema, such as the syntax of an expression; asked when it is saved. */
  problems?(config: Config, tools: Pick<Tools, 'expressions'>): Promise<readonly PolicyProblem[]>;
}

/** A member of a policy's configuration that cannot stay so. */
export interface PolicyProblem {
  readonly member: string;
  readonly text: string;
}

/** All that a policy gets to see. */
export interface PolicyDesk<Config extends JsonObject = JsonObject> {
  readonly config: Config;
  /** The policy's own name. */
  readonly name: string;
  readonly request: PolicyRequest;
  /** Sees the effects that are still pending in this request. */
  readonly read: Reads;
  readonly tools: Tools;
  /** Milliseconds that its binding gives it; a policy that takes longer has failed. */
  readonly timeoutMs: number;
  /** Aborted when that time is up, so that nothing goes on for nobody. */
  readonly signal: AbortSignal;
  /**
   * Asks another policy of the same flow version by its name, with more in the context. Depth is limited to 5.
   * @throws Error for an unknown name, and for a policy that could not find out
   */
  call(name: string, context: Readonly<Record<string, unknown>>): Promise<PolicyVerdict>;
}

/** What a policy says. */
export interface PolicyVerdict {
  readonly passing: boolean;
  /**
   * It could not find out: as if it had thrown, but with words for the visitor, who may try again at a form. Whatever
   * `passing` says, it denies.
   */
  readonly failed?: true;
  /** For the visitor, whether it passes or not. */
  readonly messages: readonly Text[];
  /**
   * Members to set in the plan context; `undefined` removes one. Committed with the step. Members that say who somebody
   * is (`guardedKeys`) may be set only where the binding allows it.
   */
  readonly contextPatch?: Readonly<Record<string, unknown>>;
  readonly effects?: readonly Effect[];
}

/** Who the flow is about and what was proved: a policy sets these only where its binding allows it (CONTRACT: Outcomes). */
export const guardedKeys = [
  'pending_user',
  'pending_user_identifier',
  'user_backend',
  'auth_method',
  'auth_method_args',
  'is_redirected',
  'goauthentik.io/sources/connection',
] as const;

/**
 * Types a policy's declaration by its config schema.
 *
 * @example
 * export const officeHours = definePolicy({
 *   kind: 'office_hours', model: 'example.officehourspolicy', component: 'ak-policy-office-hours-form',
 *   description: 'Passes from nine to five, UTC.', config: z.object({}),
 *   evaluate: async ({ tools }) => {
 *     const hour = new Date(tools.now()).getUTCHours();
 *     return { passing: hour >= 9 && hour < 17, messages: [] };
 *   },
 * });
 */
export function definePolicy<Config extends JsonObject>(policy: Policy<Config>): Policy<Config> {
  return policy;
}

/** Any policy, as the table holds it; its config was checked by its own schema before it is used. */
export type AnyPolicy = Policy<JsonObject>;
