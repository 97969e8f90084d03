/** What a blueprint can make: each model with its schema, its unique names and what it refers to. */
import * as z from 'zod';
import {
  authenticationRequirements,
  deniedActions,
  designations,
  invalidResponseActions,
  policyEngineModes,
} from '../engine/flow.ts';
import { type AnyPolicy, guardedKeys } from '../engine/policy.ts';
import type { AnyStage, ReferenceKind } from '../engine/stage.ts';
import { isPlainObject, type Json, type JsonObject } from '../kernel/json.ts';
import { layouts } from '../protocol/challenge.ts';
import { promptAttrs } from '../stages/prompt/field.ts';
import { checkAttrs, type Problem } from './issue-words.ts';

/** What kind of thing a model is; objects of one kind share their unique names (a stage's, whatever its model). */
export type ObjectKind = ReferenceKind | 'binding' | 'policy_binding' | 'user';

/** A member that holds the pk, or a list of pks, of something else. */
export interface Reference {
  readonly kinds: readonly ObjectKind[];
  /** What holds the reference goes with what it refers to; otherwise the reference is emptied. */
  readonly cascade?: boolean;
}

export interface Model {
  /** The reference's name in lower case. */
  readonly name: string;
  readonly kind: ObjectKind;
  readonly members: readonly string[];
  /** What a member is when it is not given, as far as the schema says. */
  defaults(): JsonObject;
  /** Sets of members that tell the objects of this kind apart. */
  readonly unique: readonly (readonly string[])[];
  readonly references: Readonly<Record<string, Reference>>;
  /** Members that may be written in several languages, as a map of language → text. */
  readonly texts: readonly string[];
  /** The checked attributes with defaults filled in, or what is wrong with them. */
  check(attrs: JsonObject): { readonly attrs: JsonObject } | { readonly problems: readonly Problem[] };
}

export const flowModel = 'authentik_flows.flow';
export const bindingModel = 'authentik_flows.flowstagebinding';
export const policyBindingModel = 'authentik_policies.policybinding';
export const promptModel = 'authentik_stages_prompt.prompt';
export const groupModel = 'authentik_core.group';
export const userModel = 'authentik_core.user';
export const metaApplyModel = 'authentik_blueprints.metaapplyblueprint';
/** A shipped file that was applied; not for blueprints (`shipped.ts`). */
export const shippedModel = 'doorward.shipped';
/** What became of a file of the watched folder; not for blueprints (`folder.ts`). */
export const blueprintModel = 'doorward.blueprint';

const name = z.string().min(1);
const pk = z.string().min(1);
const languages = z.object({ $lang: z.record(z.string(), z.string()) });
const order = z.int();

export const flowAttrs = z.object({
  name,
  slug: z.string().regex(/^[-a-zA-Z0-9_]+$/, 'expected only letters, digits, hyphens and underscores'),
  title: z.union([z.string(), languages]),
  designation: z.enum(designations),
  layout: z.enum(layouts).default('stacked'),
  background: z.string().nullable().default(null),
  compatibility_mode: z.boolean().default(false),
  denied_action: z.enum(deniedActions).default('message_continue'),
  authentication: z.enum(authenticationRequirements).default('none'),
  policy_engine_mode: z.enum(policyEngineModes).default('any'),
});

export const bindingAttrs = z
  .object({
    target: pk,
    stage: pk,
    order,
    evaluate_on_plan: z.boolean().default(false),
    re_evaluate_policies: z.boolean().default(true),
    invalid_response_action: z.enum(invalidResponseActions).default('retry'),
    policy_engine_mode: z.enum(policyEngineModes).default('any'),
  })
  .refine(({ evaluate_on_plan, re_evaluate_policies }) => evaluate_on_plan || re_evaluate_policies, {
    path: ['re_evaluate_policies'],
    message: 'either evaluate_on_plan or re_evaluate_policies must be true, or its policies would never count',
  });

export const policyBindingAttrs = z
  .object({
    target: pk,
    order: order.nonnegative(),
    policy: pk.nullable().default(null),
    group: pk.nullable().default(null),
    user: z.int().nullable().default(null),
    enabled: z.boolean().default(true),
    negate: z.boolean().default(false),
    timeout: z.int().positive().default(30),
    failure_result: z.boolean().default(false),
    writable_context: z.array(z.enum(guardedKeys)).default([]),
  })
  .refine((value) => [value.policy, value.group, value.user].filter((one) => one !== null).length === 1, {
    message: 'exactly one of policy, group and user must be set',
  });

const groupAttrs = z.object({
  name,
  is_superuser: z.boolean().default(false),
  parent: pk.nullable().default(null),
  attributes: z.record(z.string(), z.json()).default({}),
});

/** The kinds of stage and policy that exist here. */
export interface Installed {
  readonly stages: readonly AnyStage[];
  readonly policies: readonly AnyPolicy[];
}

/** All models that can be declared, by name in lower case; those of stages and policies are derived from their declarations. */
export function modelTable({ stages, policies }: Installed): ReadonlyMap<string, Model> {
  const models: Model[] = [
    model(flowModel, 'flow', flowAttrs, { unique: [['slug']], texts: ['title'] }),
    model(bindingModel, 'binding', bindingAttrs, {
      unique: [['target', 'stage', 'order']],
      references: { target: { kinds: ['flow'], cascade: true }, stage: { kinds: ['stage'], cascade: true } },
    }),
    model(policyBindingModel, 'policy_binding', policyBindingAttrs, {
      unique: [['policy', 'target', 'order']],
      references: {
        target: { kinds: ['flow', 'binding'], cascade: true },
        policy: { kinds: ['policy'], cascade: true },
        group: { kinds: ['group'], cascade: true },
        user: { kinds: ['user'], cascade: true },
      },
    }),
    model(promptModel, 'prompt', promptAttrs, {
      unique: [['name']],
      texts: ['label', 'placeholder', 'initial_value', 'sub_text'],
    }),
    model(groupModel, 'group', groupAttrs, { unique: [['name']], references: { parent: { kinds: ['group'] } } }),
    ...policies.map((policy) => named(policy, 'policy', {})),
    ...stages.map((stage) => named(stage, 'stage', stage.references ?? {})),
  ];
  return new Map(models.map((one) => [one.name, one]));
}

function model(
  key: string,
  kind: ObjectKind,
  schema: z.ZodType,
  more: Partial<Pick<Model, 'unique' | 'references' | 'texts'>>,
): Model {
  return {
    name: key,
    kind,
    members: membersOf(schema),
    defaults: () => defaultsOf(schema),
    unique: more.unique ?? [],
    references: more.references ?? {},
    texts: more.texts ?? [],
    check: (attrs) => checkAttrs(schema, attrs),
  };
}

/** The model of a stage or a policy: its name, and what its declaration says of its configuration. */
function named(
  declared: { readonly model: string; readonly config: z.ZodType },
  kind: 'stage' | 'policy',
  refersTo: Readonly<Record<string, ReferenceKind>>,
): Model {
  const references = Object.entries(refersTo).map(([key, other]) => [key, { kinds: [other] }] as const);
  return {
    name: declared.model.toLowerCase(),
    kind,
    members: ['name', ...membersOf(declared.config)],
    defaults: () => defaultsOf(declared.config),
    unique: [['name']],
    references: Object.fromEntries(references),
    texts: [],
    check(attrs) {
      const checkedName = checkAttrs(z.object({ name }), attrs);
      const { name: _, ...rest } = attrs;
      const config = checkAttrs(declared.config, rest);
      const problems = [checkedName, config].flatMap((result) => ('problems' in result ? result.problems : []));
      if ('problems' in checkedName || 'problems' in config) return { problems };
      return { attrs: { ...checkedName.attrs, ...config.attrs } };
    },
  };
}

/** The names that a schema knows; a schema that is no plain object knows none, and then all are passed on to it. */
function membersOf(schema: z.ZodType): readonly string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function defaultsOf(schema: z.ZodType): JsonObject {
  if (!(schema instanceof z.ZodObject)) return {};
  const defaults: [string, Json][] = [];
  for (const [key, member] of Object.entries(schema.shape)) {
    const { success, data } = z.safeParse(member, undefined);
    if (success && data !== undefined) defaults.push([key, data as Json]);
  }
  return Object.fromEntries(defaults);
}

/** `{ en: 'Name', de: 'Name' }` as a text in several languages; anything else as it is. */
export function asText(value: Json): Json {
  if (!isPlainObject(value)) return value;
  const texts = Object.entries(value);
  const isLanguages =
    texts.length > 0 && texts.every(([key, text]) => /^[a-z]{2,3}$/.test(key) && typeof text === 'string');
  return isLanguages ? { $lang: value as JsonObject } : (value as JsonObject);
}
