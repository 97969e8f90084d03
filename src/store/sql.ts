import { DoorwardError } from '../kernel/errors.ts';
import { isStorable } from '../kernel/text.ts';

/** What a column can hold. libsql ends the whole process when it is handed a boolean, so there is none here. */
export type Param = string | number | null;

/** A row, its columns in the order that the query names them. */
export type Row = readonly Param[];

/** One SQL statement as data, written once for both databases: `?` stands for a parameter (and for nothing else). */
export interface Sql {
  readonly text: string;
  readonly params: readonly Param[];
}

const texts = new WeakMap<TemplateStringsArray, string>();

/**
 * A statement with its values as parameters; another `Sql` among the values becomes part of the text.
 *
 * @example
 * sql`SELECT name FROM doorward_group WHERE pk = ${pk}`;
 */
export function sql(strings: TemplateStringsArray, ...values: readonly (Param | Sql)[]): Sql {
  if (values.some(isSql)) return composed(strings, values);
  let text = texts.get(strings);
  if (text === undefined) {
    text = tidy(strings.join('?'));
    texts.set(strings, text);
  }
  return { text, params: values.map(asParam) };
}

/** Values in a row, for `IN (…)`; an empty list matches nothing. */
export function list(values: readonly Param[]): Sql {
  return values.length === 0
    ? { text: 'NULL', params: [] }
    : { text: values.map(() => '?').join(', '), params: values };
}

/** Conditions that all hold. */
export function every(conditions: readonly Sql[]): Sql {
  const [first, ...rest] = conditions;
  if (first === undefined) return sql`1 = 1`;
  return rest.reduce((all, condition) => sql`${all} AND ${condition}`, first);
}

/** Yes and no, as both databases keep them. */
export function flag(value: boolean): 0 | 1 {
  return value ? 1 : 0;
}

/** The text with PostgreSQL's numbered parameters, the first one being `$first`. */
export function numbered(text: string, first = 1): string {
  let next = first;
  return text.replaceAll('?', () => `$${next++}`);
}

/** Whether both databases can hold the statement's texts: one cuts at NUL, the other refuses it (CONTRACT: Store). */
export function isStorableSql(query: Sql): boolean {
  return query.params.every((param) => typeof param !== 'string' || isStorable(param));
}

function composed(strings: TemplateStringsArray, values: readonly (Param | Sql)[]): Sql {
  let text = strings[0] ?? '';
  const params: Param[] = [];
  for (const [index, value] of values.entries()) {
    text += isSql(value) ? value.text : '?';
    if (isSql(value)) params.push(...value.params);
    else params.push(asParam(value));
    text += strings[index + 1] ?? '';
  }
  return { text: tidy(text), params };
}

function isSql(value: Param | Sql): value is Sql {
  return typeof value === 'object' && value !== null;
}

function tidy(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** All numbers are kept as integers: a duration with a fraction of a millisecond is cut. */
function asParam(value: Param | Sql): Param {
  if (typeof value === 'number') {
    const whole = Math.trunc(value);
    if (Number.isSafeInteger(whole)) return whole;
  } else if (value === null || typeof value === 'string') return value;
  throw new DoorwardError('internal', `a ${typeof value} cannot be stored: ${String(value)}`);
}
