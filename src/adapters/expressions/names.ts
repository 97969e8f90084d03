import type { Json, JsonObject } from '../../kernel/json.ts';
import { Recent } from './recent.ts';

const word = /[\p{L}_$][\p{L}\p{N}_$]*/gu;
const scanned = new Recent<ReadonlySet<string>>(256);

/** Every word of a source, strings and comments included: what is no word of it, it cannot name. */
export function wordsOf(source: string): ReadonlySet<string> {
  return scanned.get(source, () => new Set(source.match(word)));
}

/** The variables that a source names; of the request, no object that it does not name. */
export function named(source: string, variables: Readonly<Record<string, Json>>): Record<string, Json> {
  const words = wordsOf(source);
  return Object.fromEntries(
    Object.entries(variables)
      .filter(([name]) => words.has(name))
      .map(([name, value]) => [name, name === 'request' ? withNamed(value, words) : value]),
  );
}

function withNamed(request: Json, words: ReadonlySet<string>): Json {
  if (!isObject(request)) return request;
  return Object.fromEntries(Object.entries(request).filter(([name, value]) => !isObject(value) || words.has(name)));
}

function isObject(value: Json): value is JsonObject {
  return value !== null && typeof value === 'object' && Object.hasOwn(value, '$object');
}
