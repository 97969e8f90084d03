/** Filters as the reference writes them: `name__iexact="x"`, `attributes__team__in=["a"]`; all must hold. */
import { isPlainObject, type Json, type JsonObject, member, sameJson } from '../kernel/json.ts';
import { usernameKey } from '../kernel/text.ts';

const operators: Readonly<Record<string, (value: Json | undefined, wanted: Json) => boolean>> = {
  exact: (value, wanted) => sameJson(value ?? null, wanted),
  iexact: (value, wanted) => folded(value) === folded(wanted),
  in: (value, wanted) => Array.isArray(wanted) && wanted.some((one) => sameJson(value ?? null, one)),
  contains: (value, wanted) => holds(value, wanted),
  icontains: (value, wanted) => folded(value).includes(folded(wanted)),
  startswith: (value, wanted) => plain(value).startsWith(plain(wanted)),
  endswith: (value, wanted) => plain(value).endsWith(plain(wanted)),
  isnull: (value, wanted) => ((value ?? null) === null) === wanted,
};

/**
 * Whether an object has what the filters say.
 *
 * @throws Error for a member that the object does not have
 */
export function matchesAll(object: JsonObject, filters: JsonObject): boolean {
  return Object.entries(filters).every(([filter, wanted]) => matches(object, filter, wanted));
}

function matches(object: JsonObject, filter: string, wanted: Json): boolean {
  const path = filter.split('__');
  const last = path.at(-1) ?? '';
  const isOperator = path.length > 1 && Object.hasOwn(operators, last);
  const [name = '', ...inner] = isOperator ? path.slice(0, -1) : path;
  if (!Object.hasOwn(object, name))
    throw new Error(`there is no ${JSON.stringify(name)} to filter by, only ${names(object)}`);
  let found = object[name];
  for (const step of inner) found = isPlainObject(found) ? member(found as JsonObject, step) : undefined;
  return operators[isOperator ? last : 'exact']?.(found, wanted) ?? false;
}

function names(object: JsonObject): string {
  return Object.keys(object)
    .filter((name) => !name.startsWith('$'))
    .join(', ');
}

function holds(value: Json | undefined, wanted: Json): boolean {
  if (Array.isArray(value)) return value.some((item) => sameJson(item, wanted));
  if (isPlainObject(value) && isPlainObject(wanted))
    return Object.entries(wanted).every(([name, item]) => sameJson((value as JsonObject)[name], item as Json));
  return plain(value).includes(plain(wanted));
}

function plain(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function folded(value: Json | undefined): string {
  return usernameKey(plain(value));
}
