import type { Json, JsonObject } from '../../../../kernel/json.ts';
import { addressTypes } from '../addresses.ts';
import { CodeError } from '../engine.ts';

const escaped = /^\$\$+object$/;
const reserved = /^\$+object$/;
/** Deeper than anything that people write, and shallow enough for every stack on the way. */
const deepest = 100;
/** Whole numbers beyond it cannot cross as JSON. */
const largest = Number.MAX_SAFE_INTEGER;

/** An object with attributes, as Monty's binding takes and gives it. */
export interface PythonObject {
  readonly __monty_type__: 'Dataclass';
  readonly name: string;
  readonly typeId: bigint;
  readonly fieldNames: readonly string[];
  readonly fields: Readonly<Record<string, unknown>>;
  readonly frozen: boolean;
}

/**
 * A JSON value as Monty takes it. Dictionaries are always Maps: a plain object with a member `__monty_type__` would be
 * taken for something else than data.
 */
export function toPython(value: Json, depth = 0): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (depth > deepest) throw new Error(`a variable is nested deeper than ${deepest} levels`);
  if (Array.isArray(value)) return value.map((item: Json) => toPython(item, depth + 1));
  const object = value as JsonObject;
  const type = Object.hasOwn(object, '$object') ? object.$object : undefined;
  if (typeof type === 'string') return toObject(type, object, depth);
  return new Map(Object.entries(object).map(([name, item]) => [plainName(name), toPython(item, depth + 1)]));
}

/** The name that a member of data has in the code. */
export function plainName(name: string): string {
  return escaped.test(name) ? name.slice(1) : name;
}

function toObject(type: string, object: JsonObject, depth: number): PythonObject {
  const fieldNames = Object.keys(object).filter((name) => name !== '$object');
  // Who is given a plan or a request sets its context there, the one that all share.
  if ((type === 'request' || type === 'flow_plan') && !fieldNames.includes('context')) fieldNames.push('context');
  const fields = Object.create(null) as Record<string, unknown>;
  for (const name of fieldNames) fields[name] = toPython(object[name] ?? null, depth + 1);
  return { __monty_type__: 'Dataclass', name: type, typeId: 1n, fieldNames, fields, frozen: false };
}

/**
 * What Monty gives, as JSON.
 *
 * @throws CodeError for what JSON has no word for
 */
export function toJson(value: unknown, depth = 0): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') {
    if (value > largest || value < -largest)
      throw new CodeError('ValueError', 'a whole number is too large to be passed on');
    return Number(value);
  }
  if (depth > deepest) throw new CodeError('ValueError', `a value is nested deeper than ${deepest} levels`);
  if (Array.isArray(value)) return value.map((item) => toJson(item, depth + 1));
  if (value instanceof Set) return [...value].map((item) => toJson(item, depth + 1));
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([name, item]) => [keyOf(name), toJson(item, depth + 1)]));
  return special(value as Readonly<Record<string, unknown>>, depth);
}

function special(value: Readonly<Record<string, unknown>>, depth: number): Json {
  if (isPythonObject(value)) return objectToJson(value, depth);
  if (value.__monty_type__ === 'DateTime' || value.__monty_type__ === 'Date') return isoformat(value);
  throw new CodeError('TypeError', `a value of type ${kindOf(value)} cannot be passed on as JSON`);
}

function objectToJson({ name, fields }: PythonObject, depth: number): Json {
  if (addressTypes.has(name)) return String(fields.compressed);
  const shared = name === 'request' || name === 'flow_plan';
  const members = Object.entries(fields).filter(([field]) => !(shared && field === 'context'));
  return Object.fromEntries([
    ['$object', name],
    ...members.map(([field, item]): [string, Json] => [field, toJson(item, depth + 1)]),
  ]);
}

export function isPythonObject(value: unknown): value is PythonObject {
  return (
    typeof value === 'object' && value !== null && '__monty_type__' in value && value.__monty_type__ === 'Dataclass'
  );
}

/** As `json.dumps` has it; a key that would mean an object stays plain. */
function keyOf(key: unknown): string {
  if (typeof key === 'string') return reserved.test(key) ? `$${key}` : key;
  if (key === null) return 'null';
  if (typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean') return String(key);
  throw new CodeError('TypeError', 'the keys of a dictionary that is passed on must be texts');
}

function kindOf(value: Readonly<Record<string, unknown>>): string {
  if (value instanceof Uint8Array) return 'bytes';
  return typeof value.__monty_type__ === 'string' ? value.__monty_type__ : 'unknown';
}

function isoformat(value: Readonly<Record<string, unknown>>): string {
  const part = (name: string, digits: number) => String(value[name] ?? 0).padStart(digits, '0');
  const date = `${part('year', 4)}-${part('month', 2)}-${part('day', 2)}`;
  if (value.__monty_type__ === 'Date') return date;
  const fraction = Number(value.microsecond ?? 0) === 0 ? '' : `.${part('microsecond', 6)}`;
  return `${date}T${part('hour', 2)}:${part('minute', 2)}:${part('second', 2)}${fraction}${offset(value.offsetSeconds)}`;
}

function offset(seconds: unknown): string {
  if (typeof seconds !== 'number') return '';
  const minutes = Math.trunc(Math.abs(seconds) / 60);
  const pair = (number: number) => String(number).padStart(2, '0');
  return `${seconds < 0 ? '-' : '+'}${pair(Math.trunc(minutes / 60))}:${pair(minutes % 60)}`;
}
