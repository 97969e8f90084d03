/**
 * What the custom tags of a blueprint mean. They are resolved while their entry is carried out, so `!KeyOf` and
 * `!Find` see what the entries before it did.
 */
import { isPlainObject, isUnsafeName, type Json, type JsonObject } from '../kernel/json.ts';
import { readBelow } from './file-tag.ts';
import { format } from './format.ts';
import { type Place, wrong } from './place.ts';
import { skipped } from './skipped.ts';
import type { Tree, TreeMap } from './yaml-tree.ts';

/** What tags can ask about; `apply.ts` answers. */
export interface TagWorld {
  /** The pk of what an earlier entry of this file made or found. */
  keyOf(id: string, at: Place): Json;
  /** The first object that matches all pairs: its pk, or (whole) the object with its pk; null for none. */
  find(model: string, pairs: readonly (readonly [string, Json])[], whole: boolean, at: Place): Promise<Json>;
  readonly context: TreeMap;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that `!File` may read; null for none. */
  readonly filesDir: string | null;
  warn(at: Place, message: string): void;
}

/** The turns of the loops around a value, innermost first; null while a loop's own list is being resolved. */
interface Loops {
  readonly turn: { readonly index: Json; readonly value: Json } | null;
  readonly outer: Loops | null;
}

interface Scope {
  readonly world: TagWorld;
  readonly loops: Loops | null;
  readonly depth: number;
  /** Values that may still be made, shared by one resolution. */
  readonly left: { values: number };
}

type Tag = (body: Tree, scope: Scope) => Promise<Json>;

const maximumDepth = 100;
const maximumValues = 100_000;
/** What is made of a variable can be read by visitors; these never should. */
const ownVariables = new Set(['DOORWARD_SECRET_KEY', 'DATABASE_URL']);

const tags: Readonly<Record<string, Tag>> = {
  '!KeyOf': async (body, { world }) => world.keyOf(scalarText(body), body.at),
  '!Find': (body, scope) => findObject(body, scope, false),
  '!FindObject': (body, scope) => findObject(body, scope, true),
  '!Context': async (body, scope) => {
    const [name, otherwise] = nameAndDefault(body);
    const found = scope.world.context.members.get(name)?.value ?? otherwise;
    return found === undefined ? null : resolveIn(found, scope);
  },
  '!Env': async (body, scope) => {
    const [name, otherwise] = nameAndDefault(body);
    if (ownVariables.has(name)) throw wrong(body.at, `!Env ${name} is refused: it holds a secret of the server itself`);
    const found = Object.hasOwn(scope.world.env, name) ? scope.world.env[name] : undefined;
    if (found !== undefined && found !== '') return found;
    return otherwise === undefined ? null : resolveIn(otherwise, scope);
  },
  '!File': async (body, scope) => {
    const [path, otherwise] = nameAndDefault(body);
    const read = readBelow(scope.world.filesDir, path, body.at);
    if ('text' in read) return read.text;
    const instead = otherwise === undefined ? 'nothing' : 'the default';
    scope.world.warn(body.at, `!File ${path}: ${read.unreadable}; ${instead} was taken`);
    return otherwise === undefined ? null : resolveIn(otherwise, scope);
  },
  '!Format': async (body, scope) => {
    const [template, ...values] = await resolveAll(items(body, 1), scope);
    if (typeof template !== 'string') throw wrong(body.at, '!Format: expected a text first');
    if (values.includes(skipped)) return skipped;
    return format(template, values, body.at);
  },
  '!ParseJSON': async (body) => {
    try {
      return JSON.parse(scalarText(body), (name, value) => (isUnsafeName(name) ? undefined : value));
    } catch {
      throw wrong(body.at, '!ParseJSON: the text is not JSON');
    }
  },
  '!If': async (body, scope) => {
    const [condition, yes, no] = items(body, 1, 3);
    if (yes !== undefined && no === undefined)
      throw wrong(body.at, '!If: expected [condition] or [condition, value, otherwise]');
    const holds = isTrue(await resolveIn(condition, scope));
    const branch = holds ? yes : no;
    return branch === undefined ? holds : resolveIn(branch, scope);
  },
  '!Condition': async (body, scope) => {
    const [mode, ...operands] = await resolveAll(items(body, 2), scope);
    const combine = typeof mode === 'string' ? conditionModes[mode.toUpperCase()] : undefined;
    if (combine === undefined)
      throw wrong(body.at, `!Condition: expected one of ${Object.keys(conditionModes).join(', ')} first`);
    return combine(operands.map(isTrue));
  },
  '!Enumerate': enumerate,
  '!Index': async (body, scope) => turnOf(body, scope).index,
  '!Value': async (body, scope) => turnOf(body, scope).value,
  '!AtIndex': async (body, scope) => {
    const [object, key, otherwise] = await resolveAll(items(body, 2, 3), scope);
    const found = elementOf(object, key);
    if (found !== undefined) return found;
    if (object === skipped) return skipped;
    // A default that is a tag is resolved too; the reference hands the tag itself on, which nothing can use.
    if (otherwise === undefined) throw wrong(body.at, `!AtIndex: there is no element ${JSON.stringify(key)}`);
    return otherwise;
  },
};

/** The tags that a blueprint may hold, with their `!`. */
export const tagNames: readonly string[] = Object.keys(tags);

/** A tree as JSON, its tags resolved. */
export function resolveTree(tree: Tree, world: TagWorld): Promise<Json> {
  return resolveIn(tree, { world, loops: null, depth: 0, left: { values: maximumValues } });
}

async function resolveIn(tree: Tree, outer: Scope): Promise<Json> {
  const scope = { ...outer, depth: outer.depth + 1 };
  scope.left.values -= 1;
  if (scope.left.values < 0) throw wrong(tree.at, `this makes more than ${maximumValues} values`);
  if (scope.depth > maximumDepth) throw wrong(tree.at, 'this refers to itself, or is nested too deeply');
  if (tree.kind === 'scalar') return tree.value;
  if (tree.kind === 'list') return resolveAll(tree.items, scope);
  if (tree.kind === 'tag') {
    const tag = tags[tree.tag];
    if (tag === undefined) throw wrong(tree.at, `unknown tag ${tree.tag}`);
    return tag(tree.body, scope);
  }
  const members: [string, Json][] = [];
  for (const [name, { value }] of tree.members) members.push([name, await resolveIn(value, scope)]);
  return Object.fromEntries(members);
}

async function resolveAll(trees: readonly Tree[], scope: Scope): Promise<Json[]> {
  const values: Json[] = [];
  for (const tree of trees) values.push(await resolveIn(tree, scope));
  return values;
}

async function findObject(body: Tree, scope: Scope, whole: boolean): Promise<Json> {
  const [model, ...pairs] = items(body, 2);
  const name = await resolveIn(model, scope);
  if (typeof name !== 'string') throw wrong(body.at, '!Find: expected a model first, for example authentik_flows.flow');
  const wanted: [string, Json][] = [];
  for (const pair of pairs) {
    const [field, value] = await resolveAll(items(pair, 2, 2), scope);
    if (typeof field !== 'string' || value === undefined)
      throw wrong(pair.at, '!Find: expected pairs of [field, value]');
    wanted.push([field, value]);
  }
  return scope.world.find(name, wanted, whole, body.at);
}

async function enumerate(body: Tree, scope: Scope): Promise<Json> {
  const [source, modeTree, each] = items(body, 3, 3);
  if (modeTree === undefined || each === undefined)
    throw wrong(body.at, '!Enumerate: expected [list, SEQ or MAP, body]');
  const mode = scalarText(modeTree);
  if (mode !== 'SEQ' && mode !== 'MAP') throw wrong(modeTree.at, '!Enumerate: expected SEQ or MAP second');
  const over = await resolveIn(source, { ...scope, loops: { turn: null, outer: scope.loops } });
  const results: Json[] = [];
  for (const [index, value] of turnsOf(over, source.at))
    results.push(await resolveIn(each, { ...scope, loops: { turn: { index, value }, outer: scope.loops } }));
  if (mode === 'SEQ') return results;
  return results
    .map((result) => asMap(result, each.at))
    .reduce<JsonObject>((all, next) => mergeDeep(all, next) as JsonObject, {});
}

function turnsOf(over: Json, at: Place): readonly (readonly [Json, Json])[] {
  if (typeof over === 'string') return [...over].map((letter, index) => [index, letter]);
  if (Array.isArray(over)) return over.map((item: Json, index) => [index, item]);
  if (isPlainObject(over)) return Object.entries(over as JsonObject);
  throw wrong(at, '!Enumerate: expected a list, a map or a text to go through');
}

/** One turn's result of a MAP loop: a map, or a pair of name and value. */
function asMap(result: Json, at: Place): JsonObject {
  if (isPlainObject(result)) return result as JsonObject;
  if (Array.isArray(result) && result.length === 2 && typeof result[0] !== 'object') {
    const name = String(result[0]);
    if (!isUnsafeName(name)) return { [name]: result[1] as Json };
  }
  throw wrong(at, '!Enumerate: in the mode MAP the body is a map or a pair [name, value]');
}

function turnOf(body: Tree, { loops }: Scope): { readonly index: Json; readonly value: Json } {
  const levels = body.kind === 'scalar' ? Number(body.value ?? 0) : Number.NaN;
  if (!Number.isInteger(levels) || levels < 0)
    throw wrong(body.at, 'expected how many loops up to look: 0 for the innermost');
  let loop = loops;
  for (let level = 0; level < levels; level += 1) loop = loop?.outer ?? null;
  if (loop === null) throw wrong(body.at, `there is no !Enumerate ${levels} levels up`);
  if (loop.turn === null)
    throw wrong(body.at, 'an !Enumerate cannot go through its own value; look one level further up');
  return loop.turn;
}

const conditionModes: Readonly<Record<string, (operands: readonly boolean[]) => boolean>> = {
  AND: (operands) => operands.every(Boolean),
  NAND: (operands) => !operands.every(Boolean),
  OR: (operands) => operands.some(Boolean),
  NOR: (operands) => !operands.some(Boolean),
  // Of more than two it is parity, as in the reference.
  XOR: (operands) => operands.filter(Boolean).length % 2 === 1,
  XNOR: (operands) => operands.filter(Boolean).length % 2 === 0,
};

/** The reference's truth: empty text, list and map, 0 and null are false. */
export function isTrue(value: Json): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isPlainObject(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** Maps merge member by member, lists are joined, anything else is replaced by the later one. */
export function mergeDeep(first: Json, later: Json): Json {
  if (Array.isArray(first) && Array.isArray(later)) return [...first, ...later] as Json[];
  if (!isPlainObject(first) || !isPlainObject(later)) return later;
  const merged = { ...first } as Record<string, Json>;
  for (const [name, value] of Object.entries(later as JsonObject))
    merged[name] = Object.hasOwn(merged, name) ? mergeDeep(merged[name] as Json, value) : value;
  return merged;
}

function elementOf(object: Json | undefined, key: Json | undefined): Json | undefined {
  if (Array.isArray(object)) return typeof key === 'number' ? (object.at(key) as Json | undefined) : undefined;
  if (isPlainObject(object) && (typeof key === 'string' || typeof key === 'number') && Object.hasOwn(object, key))
    return object[String(key)] as Json;
  return undefined;
}

function scalarText(body: Tree): string {
  if (body.kind !== 'scalar' || body.value === null || body.value === '')
    throw wrong(body.at, 'expected a text after the tag');
  return String(body.value);
}

function nameAndDefault(body: Tree): readonly [string, Tree | undefined] {
  if (body.kind !== 'list') return [scalarText(body), undefined];
  const [name, otherwise] = items(body, 1, 2);
  return [scalarText(name), otherwise];
}

/** A tag's arguments, at least `least` (1, 2 or 3) of them. */
function items(body: Tree, least: number, most = Number.POSITIVE_INFINITY): readonly [Tree, ...Tree[]] {
  const [first, ...rest] = body.kind === 'list' ? body.items : [];
  const count = first === undefined ? 0 : rest.length + 1;
  if (first === undefined || count < least || count > most)
    throw wrong(body.at, `expected a list of ${least}${most > least ? ' or more' : ''} values after the tag`);
  return [first, ...rest];
}
