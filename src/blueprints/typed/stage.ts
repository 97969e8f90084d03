import type { InvalidResponseAction } from '../../engine/flow.ts';
import type { AnyStage, Stage } from '../../engine/stage.ts';
import type { Json, JsonObject } from '../../kernel/json.ts';
import { type Condition, type Conditions, type FlowFunction, listOf, type PolicyUse } from './condition.ts';
import { snakeCase, type TypedField } from './field.ts';

declare const told: unique symbol;

export type Fields = Readonly<Record<string, TypedField>>;

/** What the compiler knows of a stage in a flow. */
export interface StageFacts {
  readonly kind: string;
  readonly needs: string;
  readonly gives: string;
  readonly fields: Fields;
  /** Protected fields that it may write; for a user write alone. */
  readonly writable: string;
}

/** A stage at a place in a flow, as code writes it. */
export interface TypedStage<Facts extends StageFacts = StageFacts> {
  readonly stage: AnyStage;
  /** By default made of flow, place and kind. */
  readonly name: string | null;
  /** By the reference's names. */
  readonly config: Readonly<Record<string, Setting>>;
  readonly fields: Facts['fields'];
  readonly when: readonly Condition[];
  /** Asked about the answers of a prompt. */
  readonly validate: readonly (FlowFunction | PolicyUse)[];
  readonly onInvalid: InvalidResponseAction;
  /** For the compiler alone. */
  readonly [told]?: Facts;
}

/** A value of a stage's configuration, or what will be known when the flow is carried out. */
export type Setting = Json | FlowLink | GroupLink | { readonly $inline: TypedStage };

/** A flow by its slug. */
export interface FlowLink {
  readonly $flow: string;
}

/** A group by its name; where there is none it is made, without rights. */
export interface GroupLink {
  readonly $group: string;
}

/** What every stage takes. */
export interface StageOptions {
  /** Unique among stages; by default made of flow, place and kind. */
  readonly name?: string;
  /** Where one of these does not hold, the stage is left out. */
  readonly when?: Conditions;
  /** What a wrong answer or a denial leads to; `retry` by default. */
  readonly onInvalid?: InvalidResponseAction;
}

type CamelCase<Name extends string> = Name extends `${infer First}_${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : Name;

/** A stage's own configuration in camel case; what is left out has the stage's default. */
export type SettingsOf<Declared, Omitted extends string = never> =
  Declared extends Stage<infer Config, infer _Needs, infer _Gives>
    ? {
        readonly [Name in Exclude<keyof Config & string, Omitted> as CamelCase<Name>]?: Config[Name];
      }
    : never;

type NeedsOf<Declared> = Declared extends { readonly needs: readonly (infer Needs)[] } ? Needs & string : never;
type GivesOf<Declared> = Declared extends { readonly gives: readonly (infer Gives)[] } ? Gives & string : never;

/** What the compiler knows of a stage without fields. */
export interface PlainFacts<Kind extends string, Needs extends string, Gives extends string> extends StageFacts {
  readonly kind: Kind;
  readonly needs: Needs;
  readonly gives: Gives;
  readonly fields: Record<never, never>;
  readonly writable: never;
}

/** A stage of a declaration, which says what it needs and gives. */
export type StageOf<Kind extends string, Declared> = TypedStage<PlainFacts<Kind, NeedsOf<Declared>, GivesOf<Declared>>>;

interface Made {
  readonly fields?: Fields;
  readonly validate?: TypedStage['validate'];
  /** Over what the options say. */
  readonly config?: Readonly<Record<string, Setting | undefined>>;
}

/** A stage of a declaration. Options that are not every stage's are its configuration. */
export function stageFrom<Facts extends StageFacts>(
  stage: unknown,
  options: StageOptions & object,
  more: Made = {},
): TypedStage<Facts> {
  const { name = null, when, onInvalid = 'retry', ...settings } = options;
  const config = Object.entries({ ...snakeCased(settings), ...more.config });
  return {
    ...{ stage: stage as AnyStage, name, when: listOf(when), onInvalid, validate: more.validate ?? [] },
    config: Object.fromEntries(config.filter(([, value]) => value !== undefined)) as JsonObject,
    fields: (more.fields ?? {}) as Facts['fields'],
  };
}

function snakeCased(settings: object): Readonly<Record<string, Setting>> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [snakeCase(name), value as Setting]));
}
