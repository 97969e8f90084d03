import type { MessageKey } from './texts/en.ts';

/**
 * A text for a person. A plain string was written by an administrator and is shown as it is; `$text` names an entry
 * of the product's catalogues; `$lang` is an administrator's text in several languages, by language (`en`, `de`, …).
 * The last two are translated when they are sent, so a kept challenge follows the reader's language.
 */
export type Text =
  | string
  | { readonly $text: MessageKey; readonly params?: Readonly<Record<string, string | number>> }
  | { readonly $lang: Readonly<Record<string, string>> };

/** A text of the catalogues. */
export function text(key: MessageKey, params?: Record<string, string | number>): Text {
  return params === undefined ? { $text: key } : { $text: key, params };
}

/** A problem with one field (or, under `non_field_errors`, with the whole form), before translation. */
export interface FieldProblem {
  /** The reference's code: required, blank, null, invalid, invalid_choice, unique, max_length, conflict … */
  readonly code: string;
  readonly text: Text;
}

/** Problems by field key; `non_field_errors` for the form. */
export type FieldProblems = Readonly<Record<string, readonly FieldProblem[]>>;

/** Where problems of the whole form stand. */
export const wholeForm = 'non_field_errors';
