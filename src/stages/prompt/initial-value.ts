/** What stands in a field before somebody answers, and how a value is shown (PR-1 to PR-5). */
import { type PlanContext, type PromptValue, promptValue } from '../../engine/plan-context.ts';
import type { User } from '../../engine/user.ts';
import { isPlainObject, type Json } from '../../kernel/json.ts';
import { Secret } from '../../kernel/secrets.ts';
import { isLocale, type Locale, localize } from '../../protocol/localize.ts';
import type { Text } from '../../protocol/text.ts';
import type { PromptFieldConfig } from './field.ts';
import { type Choice, fieldTypes, readCheckbox, scalarText } from './field-types.ts';
import { ownValue } from './own-field.ts';
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
  if (known !== undefined && !(known instanceof Secret)) return (Array.isArray(known) ? known : [known]).filter(isChoice);
  if (field.choices.length > 0) return field.choices;
  return field.placeholder_expression || field.placeholder === '' ? [] : [localize(field.placeholder, locale)];
}

/**
 * PR-3: the field's first value: collected before, else the user's own where the field asks for it, else configured.
 * It is also what counts when nothing is sent (PR-5). Never an earlier password.
 */
export function initialValue(field: PromptFieldConfig, choices: readonly Choice[], background: Background): PromptValue {
  const { field_key: key, type } = field;
  if (type === 'password') return '';
  const found = promptValue(background.context, key) ?? prefilled(field, background) ?? configured(field, background.locale);
  if (type === 'multi-select') return chosenOf(found, choices);
  if (fieldTypes[type].hasChoices)
    return choices.find((choice) => scalarText(choice) === scalarText(found)) ?? choices[0] ?? '';
  if (type === 'ak-locale') return typeof found === 'string' && isLocale(found) ? found : '';
  return found;
}

/** A value as the challenge shows it, in the reference's spelling; a checkbox is ticked unless its text is empty. */
export function shownValue(field: PromptFieldConfig, value: PromptValue): Text {
  if (value instanceof Secret || field.type === 'password' || field.type === 'file') return '';
  if (field.type === 'checkbox') return readCheckbox(value) === true ? 'True' : '';
  if (field.type === 'static') return mapText(isSpoken(value) ? value : plainText(value), sanitizeHtml);
  return plainText(value);
}

/** PR-2: choices stand in no placeholder. */
export function shownPlaceholder(field: PromptFieldConfig): Text {
  return field.placeholder_expression || fieldTypes[field.type].hasChoices ? '' : field.placeholder;
}

/** A text with each of its languages changed. */
export function mapText(text: Text, change: (text: string) => string): Text {
  if (typeof text === 'string') return change(text);
  if (!('$lang' in text)) return text;
  return { $lang: Object.fromEntries(Object.entries(text.$lang).map(([language, words]) => [language, change(words)])) };
}
