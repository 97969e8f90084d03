/** Builders for the fields of a prompt: one for each type, with the type of what is kept of an answer. */
import type { Json, JsonObject } from '../../kernel/json.ts';
import type { Secret } from '../../kernel/secrets.ts';
import type { PromptType } from '../../protocol/challenge.ts';

declare const keeps: unique symbol;

/** A field of a prompt, yet without its key. `Written`: the write stage is to write it. */
export interface TypedField<Value = unknown, Written extends boolean = boolean> {
  readonly type: PromptType;
  /** By the reference's names. */
  readonly attrs: JsonObject;
  readonly written: Written;
  /** For the compiler alone. */
  readonly [keeps]?: Value;
}

/** A text for visitors, in one or several languages: `{ en: 'Company', de: 'Firma' }`. */
export type Words = string | Readonly<Record<string, string>>;

/** What every field takes. */
export interface FieldOptions {
  /** By default what the key says: `attributes.company` → Company. */
  readonly label?: Words;
  /** true by default. */
  readonly required?: boolean;
  readonly placeholder?: Words;
  /** What stands in the field at first, and counts when nothing is sent. */
  readonly initialValue?: Words;
  /** Shown below the field; a few HTML elements are allowed. */
  readonly subText?: Words;
  /** Start with the user's own value. */
  readonly prefill?: boolean;
  /** Unicode code points. */
  readonly maxLength?: number;
  /** false: for policies alone. The write stage leaves it out, and that is no mistake. */
  readonly written?: boolean;
}

interface ChoiceOptions<Choice extends string> extends FieldOptions {
  readonly choices: readonly Choice[];
}

interface FileOptions extends FieldOptions {
  /** Bytes. */
  readonly maxSize?: number;
}

type Written<Options> = Options extends { readonly written: false } ? false : true;
/** What an optional field may hold besides; a client may leave it out, too. */
type Left<Options, Nothing = never> = Options extends { readonly required: false } ? Nothing | undefined : never;
type ChoiceOf<Options> = Options extends { readonly choices: readonly (infer Choice)[] } ? Choice : never;

/** What is kept of the answers to these fields, by key. */
export type Answers<Fields extends Readonly<Record<string, TypedField>>> = {
  readonly [Key in keyof Fields as Fields[Key] extends TypedField<never> ? never : Key]: Fields[Key] extends TypedField<
    infer Value
  >
    ? Value
    : never;
};

function made<Value, IsWritten extends boolean>(
  type: PromptType,
  options: object,
  more: JsonObject = {},
): TypedField<Value, IsWritten> {
  const { written = true, ...rest } = options as Readonly<Record<string, unknown>>;
  const attrs = Object.entries(rest).map(([name, value]) => [snakeCase(name), value as Json]);
  return { type, written: (written !== false) as IsWritten, attrs: { ...more, ...Object.fromEntries(attrs) } };
}

/** A field of one type whose answers are texts, numbers, … whatever the options say. */
function textual(type: PromptType, label?: JsonObject) {
  return <const Options extends FieldOptions = Record<never, never>>(
    options: Options = {} as Options,
  ): TypedField<string | Left<Options>, Written<Options>> => made(type, options, label === undefined ? {} : { label });
}

function nullable<Value>(type: PromptType) {
  return <const Options extends FieldOptions = Record<never, never>>(
    options: Options = {} as Options,
  ): TypedField<Value | Left<Options, null>, Written<Options>> => made(type, options);
}

function choosing(type: 'dropdown' | 'radio-button-group') {
  return <const Options extends ChoiceOptions<string>>(
    options: Options,
  ): TypedField<ChoiceOf<Options> | Left<Options, ''>, Written<Options>> => made(type, options);
}

/** Shown, and not for the write. */
function shown<Value>(type: PromptType) {
  return (options: Omit<FieldOptions, 'written'> = {}): TypedField<Value, false> =>
    made(type, { ...options, written: false });
}

/**
 * The fields of a prompt, by type. What an optional field keeps when it is left empty belongs to its type.
 *
 * @example
 * prompt({ fields: { username: field.username(), 'attributes.company': field.text({ required: false }) } });
 */
export const field = {
  text: textual('text'),
  textArea: textual('text_area'),
  textReadOnly: textual('text_read_only'),
  textAreaReadOnly: textual('text_area_read_only'),
  username: textual('username', { en: 'Username', de: 'Benutzername' }),
  email: textual('email', { en: 'Email address', de: 'E-Mail-Adresse' }),
  password: <const Options extends FieldOptions = Record<never, never>>(
    options: Options = {} as Options,
  ): TypedField<Secret | Left<Options>, Written<Options>> =>
    made('password', options, { label: { en: 'Password', de: 'Passwort' } }),
  /** All passwords of a prompt must be the same; the write takes the one with the key `password`. */
  passwordRepeat: (options: Omit<FieldOptions, 'written'> = {}): TypedField<Secret, false> =>
    made('password', { ...options, written: false }, { label: { en: 'Repeat password', de: 'Passwort wiederholen' } }),
  number: nullable<number>('number'),
  checkbox: <const Options extends FieldOptions = Record<never, never>>(
    options: Options = {} as Options,
  ): TypedField<boolean, Written<Options>> => made('checkbox', options),
  radioButtonGroup: choosing('radio-button-group'),
  dropdown: choosing('dropdown'),
  multiSelect: <const Options extends ChoiceOptions<string>>(
    options: Options,
  ): TypedField<readonly ChoiceOf<Options>[], Written<Options>> => made('multi-select', options),
  /** `2025-12-31`. */
  date: nullable<string>('date'),
  dateTime: nullable<string>('date-time'),
  /** A data URL. */
  file: <const Options extends FileOptions = Record<never, never>>(
    options: Options = {} as Options,
  ): TypedField<string | Left<Options>, Written<Options>> => made('file', options),
  separator: shown<never>('separator'),
  hidden: textual('hidden'),
  static: shown<string>('static'),
  locale: textual('ak-locale', { en: 'Language', de: 'Sprache' }),
} as const;

/** What a prompt's label says where none was given. */
export function labelOf(key: string): string {
  const words = (key.split('.').at(-1) ?? key).replaceAll(/[_-]+/g, ' ').trim();
  return words === '' ? key : `${words[0]?.toUpperCase()}${words.slice(1)}`;
}

/** `userFields` → `user_fields`. */
export function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
