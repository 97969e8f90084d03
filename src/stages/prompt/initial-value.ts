/** What stands in a field before somebody answers, and how a value is shown (PR-1 to PR-5). */
import { type PlanContext, type PromptValue, promptValue } from '../../engine/plan-context.ts';
import type { User } from '../../engine/user.ts';
import type { Json } from '../../kernel/json.ts';
import { Secret } from '../../kernel/secrets.ts';
import { isStorable } from '../../kernel/text.ts';
import { isLocale, type Locale, localize } from '../../protocol/localize.ts';
import type { Text } from '../../protocol/text.ts';
import { isOwnField, ownValue } from '../own-field.ts';
import type { PromptFieldConfig } from './field.ts';
import { type Choice, fieldTypes, readCheckbox, scalarText } from './field-types.ts';
import { sanitizeHtml } from './sanitize-html.ts';

/** What a field's first value can come from. */
export interface Background {
  readonly context: PlanContext;
  /** Whose own values may be shown, if anybody's. */
  readonly user: User | null;
  readonly locale: Locale;
}

/** PR-1: the plan context's choices, else the configured ones, else the placeholder as the only one. */
export function choicesOf(field: PromptFieldConfig, { context, locale }: Background): readonly Choice[] {
  if (!fieldTypes[field.type].hasChoices) return [];
  const known = promptValue(context, `${field.field_key}__choices`);
  if (known !== undefined && !(known instanceof Secret))
    return (Array.isArray(known) ? known : [known]).filter(isChoice);
  if (field.choices.length > 0) return field.choices;
  return field.placeholder === '' ? [] : [localize(field.placeholder, locale)];
}

/**
 * PR-3: the field's first value: collected before, else the user's own where the field asks for it, else configured.
 * It is also what counts when nothing is sent (PR-5). Never an earlier password.
 */
export function initialValue(
  field: PromptFieldConfig,
  choices: readonly Choice[],
  background: Background,
): PromptValue {
  const { field_key: key, type } = field;
  if (type === 'password') return '';
  const found =
    promptValue(background.context, key) ?? prefilled(field, background) ?? configured(field, background.locale);
  if (type === 'multi-select') return chosenOf(found, choices);
  if (fieldTypes[type].hasChoices)
    return choices.find((choice) => scalarText(choice) === scalarText(found)) ?? choices[0] ?? '';
  if (type === 'ak-locale') return typeof found === 'string' && isLocale(found) ? found : '';
  return found;
}

/** What was typed, to be shown once more beside its problem; undefined where it cannot be. */
export function typedAgain(
  field: PromptFieldConfig,
  choices: readonly Choice[],
  typed: Json | undefined,
): PromptValue | undefined {
  const { answeredBy, hasChoices, absent } = fieldTypes[field.type];
  const value = typed ?? absent;
  if (answeredBy !== undefined || value === undefined) return undefined;
  if (field.type === 'multi-select') return chosenOf(value, choices);
  if (hasChoices) return choices.find((choice) => scalarText(choice) === scalarText(value));
  const words = scalarText(value);
  return words !== null && words.length <= 100_000 && isStorable(words) ? words : undefined;
}

/** A value as the challenge shows it, in the reference's spelling; a checkbox is ticked unless its text is empty. */
export function shownValue({ type }: PromptFieldConfig, value: PromptValue): string {
  if (value instanceof Secret || type === 'password' || type === 'file' || type === 'separator') return '';
  if (type === 'checkbox') return readCheckbox(value) === true ? 'True' : '';
  const words = scalarText(value) ?? (value === null ? '' : JSON.stringify(value));
  return type === 'static' ? sanitizeHtml(words) : words;
}

/** PR-2: choices stand in no placeholder. */
export function shownPlaceholder(field: PromptFieldConfig): Text {
  return fieldTypes[field.type].hasChoices ? '' : field.placeholder;
}

function prefilled({ prefill, field_key: key }: PromptFieldConfig, { user }: Background): Json | undefined {
  return prefill && user !== null && isOwnField(key) ? ownValue(user, key) : undefined;
}

/** Hidden and static fields fall back to their placeholder (stages.md 2.1). */
function configured(field: PromptFieldConfig, locale: Locale): string {
  const initial = localize(field.initial_value, locale);
  if (initial !== '' || (field.type !== 'hidden' && field.type !== 'static')) return initial;
  return localize(field.placeholder, locale);
}

/** Those of the choices that a value names: a list, a list written as JSON, or a single one. */
function chosenOf(value: PromptValue, choices: readonly Choice[]): readonly Choice[] {
  const named = new Set((Array.isArray(value) ? value : readList(value)).map(scalarText));
  return choices.filter((choice) => named.has(scalarText(choice)));
}

function readList(value: PromptValue): readonly unknown[] {
  if (typeof value !== 'string' || !value.startsWith('[')) return [value];
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) ? list : [value];
  } catch {
    return [value];
  }
}

function isChoice(value: unknown): value is Choice {
  return scalarText(value) !== null;
}
