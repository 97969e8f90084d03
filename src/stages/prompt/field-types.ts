/**
 * What each type of field accepts and what is kept of it (stages.md 2.1, with the differences of section 11):
 * passwords are not trimmed, an unticked checkbox is false, an optional number or date left empty is null.
 */
import type { PromptValue } from '../../engine/plan-context.ts';
import { isPlainObject, type Json } from '../../kernel/json.ts';
import { Secret } from '../../kernel/secrets.ts';
import { codePoints, isStorable } from '../../kernel/text.ts';
import type { PromptType } from '../../protocol/challenge.ts';
import { isLocale } from '../../protocol/localize.ts';
import { type FieldProblem, text } from '../../protocol/text.ts';
import type { PromptFieldConfig } from './field.ts';
import { isEmail, isFile, readDate, readDateTime, readInteger, sizeOfFile } from './formats.ts';

/** What is kept of an answer (`undefined`: nothing), or what is wrong with it. */
export type Parsed = { readonly value: PromptValue | undefined } | { readonly problem: FieldProblem };

/** A choice as it is kept; shown and compared as text. */
export type Choice = string | number | boolean;

interface FieldType {
  /** `server`: whatever is sent, the server's own value counts. `nobody`: there is nothing to answer. */
  readonly answeredBy?: 'server' | 'nobody';
  readonly hasChoices?: true;
  /** What a form means that does not send the field, since browsers leave out what is not ticked. */
  readonly absent?: Json;
  parse(typed: Json, field: PromptFieldConfig, choices: readonly Choice[]): Parsed;
}

/** How a type reads a text. */
interface TextRule {
  readonly trim?: true;
  /** Allowed even where an answer is required. */
  readonly mayBeBlank?: true;
  /** What is kept of an empty optional field: '' unless told. */
  readonly empty?: { readonly value: null | undefined };
  /** Code points, unless the field says otherwise; `cap` cannot be raised. */
  readonly max?: number;
  readonly cap?: number;
  readonly read?: (typed: string, field: PromptFieldConfig) => Parsed;
}

const ticked = ['on', 'true', 't', 'yes', 'y', '1'];
const unticked = ['', 'off', 'false', 'f', 'no', 'n', '0'];

const fixed: FieldType = { answeredBy: 'server', parse: (typed) => ({ value: typed }) };
const choice: FieldType = { hasChoices: true, parse: parseChoice };

/** By type, all of them. */
export const fieldTypes: Readonly<Record<PromptType, FieldType>> = {
  text: textType({}),
  text_area: textType({ max: 100_000 }),
  text_read_only: fixed,
  text_area_read_only: fixed,
  username: textType({ trim: true, cap: 150 }),
  email: textType({ trim: true, cap: 254, read: when(isEmail, problem('invalid', 'prompt.invalid_email')) }),
  password: textType({ empty: { value: undefined }, cap: 256, read: readPassword }),
  number: textType({ trim: true, empty: { value: null }, read: converted(readInteger, 'prompt.invalid_number') }),
  checkbox: { absent: false, parse: parseCheckbox },
  'radio-button-group': choice,
  dropdown: choice,
  date: textType({ trim: true, empty: { value: null }, read: converted(readDate, 'prompt.invalid_date') }),
  'date-time': textType({
    trim: true,
    empty: { value: null },
    read: converted(readDateTime, 'prompt.invalid_date_time'),
  }),
  file: textType({ max: Number.POSITIVE_INFINITY, read: readFile }),
  separator: { answeredBy: 'nobody', parse: () => ({ value: undefined }) },
  hidden: fixed,
  static: fixed,
  'ak-locale': textType({ mayBeBlank: true, read: when(isLocale, problem('invalid_choice', 'prompt.invalid_choice')) }),
  'multi-select': { hasChoices: true, absent: [], parse: parseChoices },
};

/** A scalar as text, as the reference writes it; null for lists and objects. */
export function scalarText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : null;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return null;
}

/** What a checkbox's value means, or null when it means nothing. */
export function readCheckbox(value: unknown): boolean | null {
  const word = scalarText(value)?.trim().toLowerCase();
  if (word === undefined) return null;
  return ticked.includes(word) || (unticked.includes(word) ? false : null);
}

export function problem(code: string, key: Parameters<typeof text>[0], params?: Record<string, number>): Parsed {
  return { problem: { code, text: text(key, params) } };
}

/** Numbers count as their text, booleans do not (as in the reference's text fields). */
function textType(rule: TextRule): FieldType {
  const parse = (raw: Json, field: PromptFieldConfig): Parsed => {
    if (raw === null)
      return !field.required && rule.empty?.value === null ? rule.empty : problem('null', 'prompt.null');
    const typed = typeof raw === 'boolean' ? null : scalarText(raw);
    if (typed === null) return problem('invalid', 'prompt.invalid');
    if (!isStorable(typed)) return problem('invalid', 'prompt.unstorable');
    const value = rule.trim ? typed.trim() : typed;
    if (value === '') {
      if (field.required && !rule.mayBeBlank) return problem('blank', 'prompt.blank');
      return rule.empty ?? { value };
    }
    const max = Math.min(field.max_length ?? rule.max ?? 10_000, rule.cap ?? Number.POSITIVE_INFINITY);
    if (value.length > max && codePoints(value) > max) return problem('max_length', 'prompt.max_length', { max });
    return rule.read?.(value, field) ?? { value };
  };
  return { parse };
}

function when(accepts: (value: string) => boolean, otherwise: Parsed): (value: string) => Parsed {
  return (value) => (accepts(value) ? { value } : otherwise);
}

function converted(read: (value: string) => Json, key: Parameters<typeof text>[0]): (value: string) => Parsed {
  return (typed) => {
    const value = read(typed);
    return value === null ? problem('invalid', key) : { value };
  };
}

/**
 * Passwords are kept in NFC, as they are hashed. The minimum holds where a password is chosen: for keys that begin
 * with `password` (`password`, `password_repeat`); a secret under another key may be any length.
 */
function readPassword(typed: string, field: PromptFieldConfig): Parsed {
  const value = typed.normalize('NFC');
  if (field.field_key.startsWith('password') && codePoints(value) < 8)
    return problem('min_length', 'prompt.min_length', { min: 8 });
  return { value: new Secret(value) };
}

function readFile(value: string, field: PromptFieldConfig): Parsed {
  if (!value.startsWith('data:')) return problem('invalid', 'prompt.invalid_file_scheme');
  if (!isFile(value)) return problem('invalid', 'prompt.invalid_file_encoding');
  if (sizeOfFile(value) <= field.max_size) return { value };
  return problem('max_size', 'prompt.max_size', { max: Math.floor(field.max_size / 1024) });
}

function parseCheckbox(typed: Json): Parsed {
  if (typed === null) return problem('null', 'prompt.null');
  const value = readCheckbox(typed);
  return value === null ? problem('invalid', 'prompt.invalid') : { value };
}

function parseChoice(typed: Json, field: PromptFieldConfig, choices: readonly Choice[]): Parsed {
  if (typed === null) return problem('null', 'prompt.null');
  const value = choices.find((offered) => scalarText(offered) === scalarText(typed));
  if (value !== undefined) return { value };
  if (typed !== '') return problem('invalid_choice', 'prompt.invalid_choice');
  return field.required ? problem('blank', 'prompt.blank') : { value: '' };
}

function parseChoices(typed: Json, field: PromptFieldConfig, choices: readonly Choice[]): Parsed {
  if (typed === null) return problem('null', 'prompt.null');
  if (isPlainObject(typed)) return problem('invalid', 'prompt.invalid');
  const items = Array.isArray(typed) ? typed : typed === '' ? [] : [typed];
  const offered = new Map(choices.map((value) => [scalarText(value), value]));
  const chosen = new Set<Choice>();
  for (const item of items) {
    const value = offered.get(scalarText(item));
    if (value === undefined) return problem('invalid_choice', 'prompt.invalid_choice');
    chosen.add(value);
  }
  if (chosen.size === 0 && field.required) return problem('required', 'prompt.required');
  return { value: [...chosen] };
}
