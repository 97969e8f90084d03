import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { isDoorwardError } from '../kernel/errors.ts';
import { isPlainObject, isUnsafeName, type Json } from '../kernel/json.ts';
import { didYouMean, type Place, wrong } from './place.ts';

/** A value of a blueprint with its place; tags are kept and resolved later, when their entry is carried out. */
export type Tree =
  | { readonly kind: 'scalar'; readonly at: Place; readonly value: string | number | boolean | null }
  | { readonly kind: 'list'; readonly at: Place; readonly items: readonly Tree[] }
  | TreeMap
  | { readonly kind: 'tag'; readonly at: Place; readonly tag: string; readonly body: Tree };

export interface TreeMap {
  readonly kind: 'map';
  readonly at: Place;
  readonly members: ReadonlyMap<string, Member>;
}

/** One `name: value`; `at` is the name's place. */
export interface Member {
  readonly at: Place;
  readonly value: Tree;
}

const maximumBytes = 1024 * 1024;
const maximumNodes = 100_000;
const maximumDepth = 64;
const standard = 'tag:yaml.org,2002:';
const plainTags = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq', 'timestamp'].map((tag) => standard + tag),
);

/**
 * YAML 1.1 (with merge keys, as the reference reads it) as a tree. Bounded in bytes, depth and, aliases counted each
 * time, in nodes.
 *
 * @param tags the custom tags that may occur, with their `!`
 * @throws DoorwardError `blueprint`
 */
export function readYaml(file: string, text: string, tags: readonly string[]): Tree {
  const start: Place = { file, line: 1, column: 1 };
  if (Buffer.byteLength(text) > maximumBytes) throw wrong(start, 'the file is larger than 1 MiB; split it');
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  let document: Document.Parsed;
  try {
    // Its own check for names that are given twice compares every pair of names: minutes for one large map.
    document = parseDocument(text, {
      version: '1.1',
      merge: true,
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
    });
  } catch (error) {
    if (isDoorwardError(error)) throw error;
    throw wrong(start, `this is not readable YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
  const [first] = document.errors;
  if (first !== undefined) throw wrong(place(first.pos[0]), `this is not readable YAML: ${first.message}`);
  return new Reader(text, place, tags).read(document.contents, start, 0);
}

class Reader {
  readonly #text: string;
  readonly #place: (offset: number) => Place;
  readonly #tags: readonly string[];
  readonly #anchors = new Map<string, { readonly tree: Tree; readonly nodes: number }>();
  #nodes = 0;

  constructor(text: string, place: (offset: number) => Place, tags: readonly string[]) {
    this.#text = text;
    this.#place = place;
    this.#tags = tags;
  }

  read(node: unknown, missing: Place, depth: number): Tree {
    const at = this.#at(node) ?? missing;
    this.#count(1, at);
    if (depth > maximumDepth) throw wrong(at, `nested deeper than ${maximumDepth} levels`);
    if (isAlias(node)) {
      const anchor = this.#anchors.get(node.source);
      if (anchor === undefined) throw wrong(at, `the alias *${node.source} has no anchor &${node.source} before it`);
      this.#count(anchor.nodes, at);
      return anchor.tree;
    }
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return { kind: 'scalar', at, value: null };
    const before = this.#nodes;
    const tree = this.#tagged(node, at, depth);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, { tree, nodes: this.#nodes - before });
    return tree;
  }

  #tagged(node: Scalar | YAMLMap | YAMLSeq, at: Place, depth: number): Tree {
    const tag = node.tag;
    if (tag === undefined || plainTags.has(tag)) return this.#plain(node, at, depth);
    if (tag.startsWith(standard))
      throw wrong(at, `values of YAML's type !!${tag.slice(standard.length)} are not supported`);
    if (!this.#tags.includes(tag)) throw wrong(at, `unknown tag ${tag}${didYouMean(tag, this.#tags)}`);
    return { kind: 'tag', at, tag, body: this.#plain(node, at, depth) };
  }

  #plain(node: Scalar | YAMLMap | YAMLSeq, at: Place, depth: number): Tree {
    if (isScalar(node)) return { kind: 'scalar', at, value: scalarValue(node, at) };
    if (isMap(node)) return { kind: 'map', at, members: this.#members(node, at, depth) };
    return { kind: 'list', at, items: node.items.map((item) => this.read(item, at, depth + 1)) };
  }

  /** YAML 1.1's merge: own names win over merged ones, earlier merged ones over later ones. */
  #members(node: YAMLMap, at: Place, depth: number): ReadonlyMap<string, Member> {
    const own = new Map<string, Member>();
    const merged = new Map<string, Member>();
    for (const pair of node.items) {
      const keyAt = this.#at(pair.key) ?? at;
      const value = this.read(pair.value, keyAt, depth + 1);
      const name = memberName(pair, keyAt);
      if (name === null) {
        for (const [key, member] of mergedMembers(value)) if (!merged.has(key)) merged.set(key, member);
      } else if (own.has(name)) throw wrong(keyAt, `${name} is given twice`);
      else own.set(name, { at: keyAt, value });
    }
    return new Map([...merged, ...own]);
  }

  /** A node's place; of a tagged one, the place of its tag. */
  #at(node: unknown): Place | null {
    if (!isAlias(node) && !isScalar(node) && !isMap(node) && !isSeq(node)) return null;
    const offset = node.range?.[0];
    if (offset === undefined) return null;
    const tag = node.tag?.startsWith('!') ? this.#text.lastIndexOf(node.tag, offset) : -1;
    return this.#place(tag < 0 ? offset : tag);
  }

  #count(nodes: number, at: Place): void {
    this.#nodes += nodes;
    if (this.#nodes > maximumNodes)
      throw wrong(at, `more than ${maximumNodes} values (each use of an alias counts); split the file`);
  }
}

const wholeNumber = /^[-+]?(?:0b[01_]+|0[0-7_]+|0x[\da-fA-F_]+|0|[1-9][\d_]*(?::[0-5]?\d)*)$/;
const fraction =
  /^(?:[-+]?\d[\d_]*\.[\d_]*(?:[eE][-+]\d+)?|\.\d[\d_]*(?:[eE][-+]\d+)?|[-+]?\d[\d_]*(?::[0-5]?\d)+\.[\d_]*|[-+]?\.(?:inf|Inf|INF|nan|NaN|NAN))$/;

/** Whether the reference's reader of YAML takes a plain word as a number. */
function isNumber(word: string): boolean {
  return wholeNumber.test(word) || fraction.test(word);
}

function scalarValue(node: Scalar, at: Place): string | number | boolean | null {
  const { value } = node;
  // The reference's unquoted dates; JSON has none, so they stay the text that was written.
  if (value instanceof Date) return node.source ?? value.toISOString();
  // YAML 1.1 on paper knows y and n as booleans; the reference's reader takes them as text.
  if (typeof value === 'boolean' && /^[yn]$/i.test(node.source ?? '')) return node.source ?? value;
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  // What the reference's reader does not take as a number (1e3, 08) is text there, and so it is here.
  if (node.tag === undefined && node.type === 'PLAIN' && !isNumber(node.source ?? '')) return node.source ?? '';
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    throw wrong(at, 'this whole number is too large to be kept exactly; write it as a text, in quotes');
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw wrong(at, 'expected text, a finite number, true, false or null');
}

/** A member's name as it is written (`on: 1` is named "on"); null for a merge key. */
function memberName(pair: Pair, at: Place): string | null {
  const { key } = pair;
  if (!isScalar(key) || key.value === null || key.tag !== undefined)
    throw wrong(at, 'expected a name before the colon');
  if (typeof key.value === 'symbol') return null;
  const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
  if (isUnsafeName(name)) throw wrong(at, `${name} cannot be used as a name`);
  return name;
}

function mergedMembers(value: Tree): Iterable<[string, Member]> {
  if (value.kind === 'map') return value.members;
  if (value.kind === 'list') return value.items.flatMap((item) => [...mergedMembers(item)]);
  throw wrong(value.at, 'a merge key (<<) needs an alias of a map');
}

/** JSON from outside of the file (a context that was given with it) as a tree. */
export function treeOf(value: Json, at: Place): Tree {
  if (Array.isArray(value)) return { kind: 'list', at, items: value.map((item: Json) => treeOf(item, at)) };
  if (isPlainObject(value)) {
    const members = Object.entries(value).map(
      ([name, item]) => [name, { at, value: treeOf(item as Json, at) }] as const,
    );
    return { kind: 'map', at, members: new Map(members) };
  }
  return { kind: 'scalar', at, value: value as string | number | boolean | null };
}

/** The place of what a path leads to, as far as the tree goes. */
export function placeOf(tree: Tree, path: readonly PropertyKey[]): Place {
  let [at, current]: [Place, Tree | undefined] = [tree.at, tree];
  for (const step of path) {
    if (current?.kind === 'map') {
      const member = current.members.get(String(step));
      if (member === undefined) break;
      [at, current] = [member.at, member.value];
    } else if (current?.kind === 'list') {
      current = current.items[Number(step)];
      if (current === undefined) break;
      at = current.at;
    } else break;
  }
  return at;
}
