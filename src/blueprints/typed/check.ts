/**
 * What the compiler refuses in a flow: the stages are gone through in their order, and one that cannot stay is replaced
 * by a text that says why. So the error stands at the stage, in words.
 */
import type { Fields, StageFacts, TypedStage } from './stage.ts';

type FactsIn<Stage> = Stage extends TypedStage<infer Facts> ? Facts : never;
type KeysOf<Stage> = keyof FactsIn<Stage>['fields'] & string;

/** The stages as they are, each that cannot stay replaced by what is wrong with it. */
export type Checked<
  Stages extends readonly TypedStage[],
  Known extends string,
  Asked extends string = never,
  Done extends readonly unknown[] = readonly [],
> = number extends Stages['length']
  ? Stages
  : Stages extends readonly [infer First extends TypedStage, ...infer Rest extends readonly TypedStage[]]
    ? Checked<
        Rest,
        Known | FactsIn<First>['gives'],
        Asked | KeysOf<First>,
        readonly [...Done, Judged<First, Rest, Known, Asked>]
      >
    : Done;

type Judged<
  First extends TypedStage,
  Rest extends readonly TypedStage[],
  Known extends string,
  Asked extends string,
> = [ProblemOf<First, Rest, Known, Asked>] extends [never] ? First : ProblemOf<First, Rest, Known, Asked>;

type ProblemOf<First, Rest extends readonly TypedStage[], Known extends string, Asked extends string> =
  | Unmet<FactsIn<First>, Known>
  | Doubled<KeysOf<First>, Asked>
  | Misplaced<FactsIn<First>['fields'], Rest>;

type Unmet<Facts extends StageFacts, Known extends string> =
  Exclude<Facts['needs'], Known> extends infer Key extends string
    ? `the stage ${Facts['kind']} needs ${Key}, which no stage before it gives${Hint<Key>}`
    : never;

type Hint<Key> = Key extends 'pending_user'
  ? ': put identification(), userWrite() or oneTimeLink() before it'
  : Key extends 'prompt_data'
    ? ': put a prompt() before it'
    : '; if a policy or execute() does, name it in "given"';

type Doubled<Keys extends string, Asked extends string> = Keys & Asked extends infer Key extends string
  ? string extends Key
    ? never
    : `two prompts ask for "${Key}"; only the later answer would count`
  : never;

/** Fields that a later write would not write. Where no write follows, a key may be anything. */
type Misplaced<Asked extends Fields, Rest extends readonly TypedStage[]> = {
  [Key in keyof Asked & string]: KeyProblem<Key, Asked[Key]['written'], WritesIn<Rest>>;
}[keyof Asked & string];

interface Write {
  readonly writable: string;
}

/** The writes that follow. */
type WritesIn<Rest extends readonly TypedStage[]> =
  FactsIn<Rest[number]> extends infer Facts
    ? Facts extends { readonly kind: 'user_write'; readonly writable: infer Writable extends string }
      ? { readonly writable: Writable }
      : never
    : never;

/** The dispatch of user_write (W10 to W23) in types; `refused.test.ts` holds both against each other. */
type KeyProblem<Key extends string, Written, Writes> = string extends Key
  ? never
  : Key extends 'component' | 'non_field_errors'
    ? `the key "${Key}" is taken by the protocol`
    : [Writes] extends [never]
      ? never
      : Written extends false
        ? never
        : WriteProblem<Key, Writes extends Write ? Writes['writable'] : never>;

/** Why user_write would not write this key; never where it does. */
export type WriteProblem<Key extends string, Writable extends string> = Key extends
  | 'username'
  | 'name'
  | 'email'
  | 'password'
  ? never
  : Key extends 'id' | 'pk' | 'groups'
    ? `user_write never writes "${Key}" from a prompt`
    : Key extends 'path' | 'type' | 'is_active'
      ? Key extends Writable
        ? never
        : `"${Key}" is a protected field: allow it with userWrite({ writableFields: ['${Key}'] })`
      : Key extends ProtectedName
        ? `"${Key}" is a protected field, which no prompt can write`
        : Key extends 'attributes'
          ? 'a prompt cannot overwrite all attributes: ask for "attributes.…"'
          : Key extends `attributes${'.' | '_'}${infer Path}`
            ? PathProblem<Key, Path>
            : `user_write would discard "${Key}": ask for "attributes.${Key}", or set written: false if it is for policies alone`;

type ProtectedName =
  | 'uuid'
  | 'date_joined'
  | 'last_login'
  | 'is_superuser'
  | 'is_staff'
  | 'password_change_date'
  | 'last_updated';

type PathProblem<Key extends string, Path extends string> = Path extends ''
  ? `"${Key}" has an empty part between its dots`
  : Path extends `${infer Head}.${infer Rest}`
    ? NameProblem<Key, Head> | PathProblem<Key, Rest>
    : NameProblem<Key, Path>;

type NameProblem<Key extends string, Name extends string> = Name extends ''
  ? `"${Key}" has an empty part between its dots`
  : Name extends '__proto__' | 'constructor' | 'prototype'
    ? `"${Key}" holds a name that is never written`
    : never;
