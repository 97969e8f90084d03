import * as z from 'zod';
import { isPlainObject, type JsonObject } from '../kernel/json.ts';

/** What is wrong with a member, in words that begin with its name; values are never repeated, one may be a secret. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

/** Checks attributes with a schema: they come back with defaults filled in, or with what is wrong with them. */
export function checkAttrs(
  schema: z.ZodType,
  attrs: JsonObject,
): { readonly attrs: JsonObject } | { readonly problems: readonly Problem[] } {
  const result = schema.safeParse(attrs, { error: explain });
  if (result.success) return { attrs: result.data as JsonObject };
  return {
    problems: result.error.issues.map(({ path, message }) => ({
      path,
      text: path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`,
    })),
  };
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map (name: value)',
  record: 'a map (name: value)',
};

function explain(issue: RawIssue): string {
  const wanted = issue.inst instanceof z.ZodNumberFormat ? 'a whole number' : expected(issue as Issue);
  if (issue.input === undefined) return `is required: expected ${wanted}`;
  const aboutType = issue.code === 'invalid_type' || issue.code === 'invalid_union';
  return `expected ${wanted}, not ${aboutType ? wordOf(issue.input) : 'this value'}`;
}

function expected(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeWords[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      if (issue.origin === 'string' && issue.minimum === 1) return 'a text that is not empty';
      return `${sized(issue.origin)} ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
    case 'too_big':
      return `${sized(issue.origin)} ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`;
    case 'invalid_union':
      return (
        [...new Set(issue.errors.flatMap((errors) => errors.slice(0, 1).map(expected)))].join(' or ') || 'another value'
      );
    default:
      return 'another value';
  }
}

/** What is counted or measured. */
function sized(origin: string): string {
  if (origin === 'string') return 'a text whose length is';
  return origin === 'array' ? 'a list whose length is' : 'a number that is';
}

function wordOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (isPlainObject(value)) return 'a map';
  if (typeof value === 'number') return Number.isInteger(value) ? 'a number' : 'a fraction';
  return typeWords[typeof value] ?? 'this value';
}
