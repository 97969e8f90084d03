import type { Text } from '../protocol/text.ts';
import type { FlowPageData } from './page-data.ts';
import { type Words, wordsIn } from './words.ts';

/** A field of a form, before it is drawn. */
export interface FormField {
  readonly key: string;
  /** Of the control that the label names, and that the summary of problems leads to. Never made of the key. */
  readonly id: string;
  readonly label: string;
  /** Whether a visitor can type into it. */
  readonly editable: boolean;
}

/** A form in the visitor's language, with the problems sorted to where they stand. */
export interface FormView {
  readonly data: FlowPageData;
  readonly words: Words;
  readonly fields: readonly FormField[];
  /** The one that is focused on arrival: the first with a problem, else the first. */
  readonly focus: string | null;
  /** Problems of the form as a whole, and of keys that are no field of it. */
  readonly formProblems: readonly string[];
  problemsOf(key: string): readonly string[];
  /** What was typed in the answer that failed; undefined when nothing was. */
  typed(key: string): string | readonly string[] | undefined;
  /** Whether this very form was sent and refused, so that a missing key is an unticked box. */
  readonly refused: boolean;
}

export function formView(data: FlowPageData, fields: readonly FormField[]): FormView {
  const words = wordsIn(data.reply.locale);
  const problems = data.reply.problems ?? {};
  const problemsOf = (key: string) =>
    Object.hasOwn(problems, key) ? (problems[key] ?? []).map((problem) => words.say(problem.text)) : [];
  const keys = new Set(fields.map((field) => field.key));
  const editable = fields.filter((field) => field.editable);
  return {
    data,
    words,
    fields,
    problemsOf,
    focus: (editable.find((field) => problemsOf(field.key).length > 0) ?? editable[0])?.id ?? null,
    formProblems: Object.keys(problems)
      .filter((key) => !keys.has(key))
      .flatMap(problemsOf),
    typed: (key) => (Object.hasOwn(data.values, key) ? data.values[key] : undefined),
    refused: data.reply.problems !== null && fields.some((field) => Object.hasOwn(data.values, field.key)),
  };
}

/** What a text control shows: what was typed, else its initial value. */
export function shownValue(view: FormView, key: string, initial: Text = ''): string {
  const typed = view.typed(key);
  if (typed === undefined) return view.words.say(initial);
  return typeof typed === 'string' ? typed : (typed[0] ?? '');
}
