/** Flows in code: what `defineFlow` takes, and what of it the types of users' attributes are made of. */
import type { AuthenticationRequirement, DeniedAction, Designation } from '../../engine/flow.ts';
import type { Layout } from '../../protocol/challenge.ts';
import type { Checked } from './check.ts';
import { type Condition, type Conditions, listOf } from './condition.ts';
import type { TypedField, Words } from './field.ts';
import type { StageFacts, TypedStage } from './stage.ts';

declare const writes: unique symbol;

/** A flow in code, checked by the compiler. */
export interface TypedFlow<Attributes = unknown> {
  readonly slug: string;
  readonly attrs: {
    readonly name: string;
    readonly title: Words;
    readonly designation: Designation;
    readonly authentication: AuthenticationRequirement;
    readonly denied_action: DeniedAction;
    readonly layout: Layout;
    readonly background: string | null;
  };
  readonly stages: readonly TypedStage[];
  readonly when: readonly Condition[];
  /** For the compiler alone: attributes that it writes, by path. */
  readonly [writes]?: Attributes;
}

/** What a flow is, besides its stages. */
export interface FlowOptions<Requirement extends AuthenticationRequirement, Given extends string> {
  /** In addresses: letters, digits, hyphens and underscores. */
  readonly slug: string;
  /** For administrators; the slug by default. */
  readonly name?: string;
  /** For visitors; the name by default. `%(user)s` and `%(app)s` are filled in. */
  readonly title?: Words;
  readonly designation: Designation;
  /** Who may enter; anybody by default. */
  readonly authentication?: Requirement;
  /** Who may enter, by conditions of your own. */
  readonly when?: Conditions;
  /** What somebody meets who may not enter; a message by default. */
  readonly deniedAction?: DeniedAction;
  readonly layout?: Layout;
  readonly background?: string;
  /** Plan context that comes from outside: from a policy, or from who calls `auth.flows.execute`. */
  readonly given?: readonly Given[];
}

/** What is known before the first stage. */
type Start<Requirement extends AuthenticationRequirement, Given extends string> =
  | Given
  | (Requirement extends 'require_authenticated' | 'require_superuser' ? 'pending_user' : never)
  | (Requirement extends 'require_redirect' ? 'is_redirected' : never);

/**
 * A flow in code. A field that the write stage would discard, a protected field without permission, a stage whose needs
 * nobody gives, and two prompts for one key do not compile.
 *
 * @example
 * const signUp = defineFlow({
 *   slug: 'sign-up',
 *   designation: 'enrollment',
 *   stages: [
 *     prompt({ fields: { username: field.username(), password: field.password(), 'attributes.company': field.text() } }),
 *     userWrite(),
 *     userLogin(),
 *   ],
 * });
 */
export function defineFlow<
  const Stages extends readonly TypedStage[],
  Requirement extends AuthenticationRequirement = 'none',
  const Given extends string = never,
>(
  flow: FlowOptions<Requirement, Given> & { readonly stages: Stages } & {
    readonly stages: Checked<Stages, Start<Requirement, Given>>;
  },
): TypedFlow<AttributePaths<Stages>> {
  const { slug, name = slug, title = name, designation, when, stages } = flow;
  const attrs: TypedFlow['attrs'] = {
    ...{ name, title, designation, authentication: flow.authentication ?? 'none', layout: flow.layout ?? 'stacked' },
    ...{ denied_action: flow.deniedAction ?? 'message_continue', background: flow.background ?? null },
  };
  return { slug, attrs, stages, when: listOf(when) };
}

type FactsIn<Stage> = Stage extends TypedStage<infer Facts> ? Facts : never;

/** Attributes that the prompts of a flow ask for, where the flow has a write. */
type AttributePaths<Stages extends readonly TypedStage[]> = 'user_write' extends FactsIn<Stages[number]>['kind']
  ? Flat<PathsOf<FactsIn<Stages[number]>>>
  : Record<never, never>;

type PathsOf<Facts> = Facts extends StageFacts
  ? {
      readonly [Key in keyof Facts['fields'] as Key extends `attributes${'.' | '_'}${infer Path}`
        ? Facts['fields'][Key]['written'] extends false
          ? never
          : Path
        : never]: Facts['fields'][Key] extends TypedField<infer Value> ? Exclude<Value, undefined> : never;
    }
  : never;

/** Any path of a union of flat types, with the union of its values. */
type Flat<Paths> = { readonly [Path in Paths extends unknown ? keyof Paths : never]: ValueAt<Paths, Path> };
type ValueAt<Paths, Path extends PropertyKey> = Paths extends { readonly [_ in Path]: infer Value } ? Value : never;

/** `{ 'a.b': string }` as `{ a?: { b?: string } }`: an attribute may be missing, whoever wrote the user. */
type Nested<Paths> = {
  readonly [Head in keyof Paths as Head extends `${infer First}.${string}`
    ? First
    : Head]?: Head extends `${infer First}.${string}` ? Nested<Below<Paths, First>> : Paths[Head];
};
type Below<Paths, First extends string> = {
  readonly [Path in keyof Paths as Path extends `${First}.${infer Rest}` ? Rest : never]: Paths[Path];
};

/** What users' attributes hold by these flows. */
export type AttributesOf<Flows extends readonly TypedFlow[]> = Nested<Flat<PathsIn<Flows[number]>>>;
type PathsIn<Flow> = Flow extends TypedFlow<infer Paths> ? Paths : never;
