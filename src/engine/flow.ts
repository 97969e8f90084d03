import { isPlainObject, type Json, type JsonObject } from '../kernel/json.ts';
import type { Layout } from '../protocol/challenge.ts';
import type { Text } from '../protocol/text.ts';

export const designations = [
  'authentication',
  'authorization',
  'invalidation',
  'enrollment',
  'unenrollment',
  'recovery',
  'stage_configuration',
] as const;
export type Designation = (typeof designations)[number];

export const authenticationRequirements = [
  'none',
  'require_authenticated',
  'require_unauthenticated',
  'require_superuser',
  'require_redirect',
  'require_outpost',
] as const;
export type AuthenticationRequirement = (typeof authenticationRequirements)[number];

export const deniedActions = ['message_continue', 'message', 'continue'] as const;
export type DeniedAction = (typeof deniedActions)[number];

export const invalidResponseActions = ['retry', 'restart', 'restart_with_context'] as const;
export type InvalidResponseAction = (typeof invalidResponseActions)[number];

export const policyEngineModes = ['any', 'all'] as const;
export type PolicyEngineMode = (typeof policyEngineModes)[number];

/** A policy, a group or a user bound to a flow or a stage binding: exactly one of the three is set. */
export interface PolicyBinding {
  readonly pk: string;
  readonly order: number;
  readonly enabled: boolean;
  readonly negate: boolean;
  /** Seconds. */
  readonly timeout: number;
  readonly failureResult: boolean;
  /** Members of the plan context that say who somebody is, and that this policy may set all the same. */
  readonly writableContext: readonly string[];
  readonly policy: {
    readonly pk: string;
    readonly kind: string;
    readonly name: string;
    readonly config: JsonObject;
  } | null;
  /** pk of a group; members of its descendants count. */
  readonly group: string | null;
  readonly user: number | null;
}

/** What policies are bound to. */
export interface Bound {
  readonly pk: string;
  readonly policyEngineMode: PolicyEngineMode;
  readonly policies: readonly PolicyBinding[];
}

/** A stage as a flow version holds it; `config` was checked by the stage's schema when the version was compiled. */
export interface CompiledStage {
  readonly pk: string;
  readonly name: string;
  readonly kind: string;
  readonly config: JsonObject;
}

/** A stage at a place in a flow. */
export interface CompiledBinding extends Bound {
  readonly order: number;
  readonly stage: CompiledStage;
  readonly evaluateOnPlan: boolean;
  readonly reEvaluatePolicies: boolean;
  readonly invalidResponseAction: InvalidResponseAction;
}

/** Something that a stage's configuration refers to by pk: a prompt field, another stage, a flow. */
export interface CompiledObject {
  readonly pk: string;
  /** `flow`, `stage`, `prompt`, `group` or `policy`. */
  readonly kind: string;
  readonly name: string;
  readonly config: Json;
  /** Of a stage: its kind. */
  readonly stageKind?: string;
}

/** What a flow's prompts call a field; the first one's word where several ask for it. */
export function labelIn({ objects }: Pick<CompiledFlow, 'objects'>, key: string): Text | null {
  for (const { kind, config } of Object.values(objects)) {
    if (kind !== 'prompt' || !isPlainObject(config) || config.field_key !== key) continue;
    if (config.label !== undefined && config.label !== '') return config.label as Text;
  }
  return null;
}

/** The page of a flow that a stage's configuration refers to. */
export function pathOf(flow: CompiledObject): string {
  return `/if/flow/${slugOf(flow)}/`;
}

/** The slug of a flow that a stage's configuration refers to. */
export function slugOf({ config, name }: CompiledObject): string {
  const slug = isPlainObject(config) ? config.slug : undefined;
  return typeof slug === 'string' ? slug : name;
}

/** The page of the recovery flow that a stage of this flow links to; null where none does. */
export function recoveryPathIn({ objects }: Pick<CompiledFlow, 'objects'>): string | null {
  const flow = Object.values(objects).find(
    ({ kind, config }) => kind === 'flow' && isPlainObject(config) && config.designation === 'recovery',
  );
  return flow === undefined ? null : pathOf(flow);
}

/** One version of a flow: everything a run needs, by value. Runs finish on the version that they began. */
export interface CompiledFlow extends Bound {
  readonly slug: string;
  readonly version: number;
  readonly name: string;
  /** May hold `%(app)s` and `%(user)s`, in every language. */
  readonly title: Text;
  readonly designation: Designation;
  readonly authentication: AuthenticationRequirement;
  readonly deniedAction: DeniedAction;
  readonly layout: Layout;
  readonly background: string;
  readonly bindings: readonly CompiledBinding[];
  /** By pk. */
  readonly objects: Readonly<Record<string, CompiledObject>>;
}
