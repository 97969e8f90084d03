/** What decides whether a stage is visited or an answer taken: functions of the application, policies, groups. */
import { type PlanContext, promptPairs } from '../../engine/plan-context.ts';
import type { AnyPolicy, Policy, PolicyDesk, PolicyVerdict } from '../../engine/policy.ts';
import type { User } from '../../engine/user.ts';
import type { Visitor } from '../../engine/visitor.ts';
import type { JsonObject } from '../../kernel/json.ts';
import type { Text } from '../../protocol/text.ts';
import type { Answers, TypedField } from './field.ts';

/** What a function of the application may ask about a run. */
export interface FlowRequest {
  readonly visitor: Visitor;
  /** What is known in the run, by the reference's names. */
  readonly context: PlanContext;
  /** Whom the flow is about: the pending user, else who is signed in; null for nobody known. */
  user(): Promise<User | null>;
  /** Whether that user is in the group of this name, or in one below it. */
  memberOf(group: string): Promise<boolean>;
  /** What was answered to a prompt so far; nothing under a key that was not asked yet. */
  answersTo<Fields extends Readonly<Record<string, TypedField>>>(prompt: {
    readonly fields: Fields;
  }): Partial<Answers<Fields>>;
}

/** A plain yes or no, or more: what the visitor reads, and members to set in the plan context. */
export type FunctionAnswer =
  | boolean
  | {
      readonly passing: boolean;
      readonly messages?: readonly Text[];
      /** `undefined` removes one. It cannot say who somebody is (`pending_user`, `auth_method`, …). */
      readonly contextPatch?: Readonly<Record<string, unknown>>;
    };

/** What it throws denies: a stage is never skipped because a function failed. */
export type FlowFunction = (request: FlowRequest) => FunctionAnswer | Promise<FunctionAnswer>;

/** A policy with its configuration. */
export interface PolicyUse {
  readonly policy: AnyPolicy;
  readonly config: JsonObject;
}

/** A group, by its name. */
export interface GroupUse {
  readonly group: string;
}

/** A condition that is not negated. */
export type Plain = FlowFunction | PolicyUse | GroupUse;

/** One condition; of several all must hold. */
export type Condition = Plain | { readonly not: Plain };

/** One or several, as options take them. */
export type Conditions = Condition | readonly Condition[];

/**
 * A policy as a condition: one that is shipped, or one of your own (`definePolicy`), which need not be installed then.
 *
 * @example
 * userLogin({ when: policy(officeHours, {}) });
 */
export function policy<Config extends JsonObject>(declared: Policy<Config>, config: Partial<Config>): PolicyUse {
  return { policy: declared, config: config as JsonObject };
}

/** Holds for members of a group, by its name. Where there is no such group it is made, without rights. */
export function inGroup(name: string): GroupUse {
  return { group: name };
}

/** Holds where the other one does not. What cannot be evaluated denies all the same. */
export function not(condition: Plain): Condition {
  return { not: condition };
}

export function listOf(conditions: Conditions | undefined): readonly Condition[] {
  if (conditions === undefined) return [];
  return Array.isArray(conditions) ? (conditions as readonly Condition[]) : [conditions as Condition];
}

/** A condition without its negation. */
export function plainOf(condition: Condition): { readonly negate: boolean; readonly plain: Plain } {
  return 'not' in condition ? { negate: true, plain: condition.not } : { negate: false, plain: condition };
}

type FunctionDesk = Pick<PolicyDesk, 'request' | 'read'>;

/** A function of the application as a policy evaluates it. */
export function verdictOf(decide: FlowFunction) {
  return async (desk: FunctionDesk): Promise<PolicyVerdict> => {
    const answer = await decide(requestOf(desk));
    if (typeof answer === 'boolean') return { passing: answer, messages: [] };
    return { ...answer, messages: answer.messages ?? [] };
  };
}

/** What was answered under these keys. */
export function answersIn(context: PlanContext, keys: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries((promptPairs(context) ?? []).filter(([key]) => keys.includes(key)));
}

function requestOf({ request, read }: FunctionDesk): FlowRequest {
  const { userId, context, visitor } = request;
  return {
    ...{ visitor, context },
    user: async () => (userId === null ? null : read.user(userId)),
    memberOf: async (group) => userId !== null && (await read.groupsOf(userId)).some((member) => member.name === group),
    answersTo: <Fields extends Readonly<Record<string, TypedField>>>({ fields }: { readonly fields: Fields }) =>
      answersIn(context, Object.keys(fields)) as Partial<Answers<Fields>>,
  };
}
