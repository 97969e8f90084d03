import type { Json, JsonObject } from '../../../../kernel/json.ts';
import { plainName } from './values.ts';

/**
 * Where objects have attributes that are None: names of such attributes, then attributes and then items that lead to more
 * of them. Monty's binding leaves an attribute out when its value is null, so the code puts it back before it begins.
 */
export type Absences = readonly [
  names: readonly string[],
  attributes: readonly (readonly [string, Absences])[],
  items: readonly (readonly [string | number, Absences])[],
];

/** null where nothing is absent. */
export function absencesOf(value: Json): Absences | null {
  if (value === null || typeof value !== 'object') return null;
  if (Array.isArray(value)) return leading([], within(value.map((item: Json, index) => [index, item] as const)));
  const object = value as JsonObject;
  const isObject = Object.hasOwn(object, '$object') && typeof object.$object === 'string';
  if (!isObject)
    return leading([], within(Object.entries(object).map(([name, item]) => [plainName(name), item] as const)));
  const names = Object.keys(object).filter((name) => object[name] === null);
  // The context that all share is set there.
  if ((object.$object === 'request' || object.$object === 'flow_plan') && !Object.hasOwn(object, 'context'))
    names.push('context');
  const attributes = within(Object.entries(object));
  return names.length + attributes.length === 0 ? null : [names, attributes, []];
}

function within<Key>(entries: readonly (readonly [Key, Json])[]): (readonly [Key, Absences])[] {
  return entries.flatMap(([key, item]) => {
    const absences = absencesOf(item);
    return absences === null ? [] : [[key, absences] as const];
  });
}

function leading(names: readonly string[], items: readonly (readonly [string | number, Absences])[]): Absences | null {
  return items.length === 0 ? null : [names, [], items];
}

const ofTexts =
  'capitalize casefold center count decode encode endswith find format index isalnum isalpha isascii isdecimal isdigit ' +
  'isidentifier islower isnumeric isspace istitle isupper join ljust lower lstrip partition removeprefix removesuffix ' +
  'replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title upper zfill';
const ofCollections =
  'add append clear copy difference discard extend get insert intersection isdisjoint issubset issuperset items keys pop ' +
  'popitem remove reverse setdefault sort symmetric_difference union update values';
const ofModules =
  'ceil compile date dumps end escape findall finditer floor fromisoformat fullmatch group groupdict groups isoformat ' +
  'isoweekday loads match now search span start strftime strptime sub time timestamp today total_seconds utcnow weekday';

const pythonMethods: ReadonlySet<string> = new Set([ofTexts, ofCollections, ofModules].join(' ').split(' '));

/** Whether what a method returns may come from the server, with absences to be put back. */
export function mayBeOfServer(method: string, hasKeywords: boolean, ofRequests: boolean): boolean {
  return !pythonMethods.has(method) || (method === 'get' && (hasKeywords || ofRequests));
}
