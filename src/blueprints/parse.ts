import type { Json, JsonObject } from '../kernel/json.ts';
import { didYouMean, type Place, type Warning, wrong } from './place.ts';
import { tagNames } from './tags.ts';
import { readYaml, type Tree, type TreeMap } from './yaml-tree.ts';

/** One wished object, its tags not yet resolved. */
export interface ParsedEntry {
  readonly at: Place;
  readonly model: Tree;
  /** null for the default, `present`. */
  readonly state: Tree | null;
  readonly conditions: readonly Tree[];
  readonly identifiers: Tree | null;
  readonly attrs: Tree | null;
  /** The name that `!KeyOf` knows it by. */
  readonly id: string | null;
}

/** A file as it is written: nothing in it has been looked up yet. */
export interface ParsedBlueprint {
  readonly file: string;
  readonly metadata: { readonly name: string | null; readonly labels: JsonObject };
  readonly context: TreeMap | null;
  readonly entries: readonly ParsedEntry[];
  readonly warnings: readonly Warning[];
}

const fileMembers = ['version', 'metadata', 'context', 'entries'];
const entryMembers = ['model', 'state', 'conditions', 'identifiers', 'attrs', 'permissions', 'id'];

/**
 * Reads a blueprint of version 1 in the reference's format: `entries` is a list, or a map of sections of entries.
 *
 * @throws DoorwardError `blueprint`, with file, line and column
 */
export function parseBlueprint(file: string, text: string): ParsedBlueprint {
  const root = readYaml(file, text, tagNames);
  if (root.kind !== 'map')
    throw wrong(root.at, 'expected a blueprint: a map with "version: 1" and a list of "entries"');
  const warnings: Warning[] = [];
  warnUnknown(root, fileMembers, warnings);
  const version = memberValue(root, 'version');
  if (version !== null && !(version.kind === 'scalar' && version.value === 1))
    throw wrong(version.at, 'only blueprints of version 1 can be read; write "version: 1"');
  const context = memberValue(root, 'context');
  if (context !== null && context.kind !== 'map') throw wrong(context.at, 'context: expected a map (name: value)');
  const entries = memberValue(root, 'entries');
  if (entries === null) throw wrong(root.at, 'entries: expected a list of entries');
  return {
    file,
    metadata: readMetadata(memberValue(root, 'metadata')),
    context,
    entries: entryTrees(entries).map((entry) => readEntry(entry, warnings)),
    warnings,
  };
}

function readMetadata(metadata: Tree | null): ParsedBlueprint['metadata'] {
  if (metadata === null) return { name: null, labels: {} };
  const values = plain(metadata);
  if (values === null || typeof values !== 'object' || Array.isArray(values))
    throw wrong(metadata.at, 'metadata: expected a map with a "name"');
  const { name, labels = {} } = values as JsonObject;
  if (typeof name !== 'string') throw wrong(metadata.at, 'metadata: expected a "name"');
  return {
    name,
    labels: labels !== null && typeof labels === 'object' && !Array.isArray(labels) ? (labels as JsonObject) : {},
  };
}

function entryTrees(entries: Tree): readonly Tree[] {
  if (entries.kind === 'list') return entries.items;
  if (entries.kind === 'map')
    return [...entries.members.values()].flatMap(({ value }) => {
      if (value.kind !== 'list') throw wrong(value.at, 'entries: expected a list of entries in each section');
      return value.items;
    });
  throw wrong(entries.at, 'entries: expected a list of entries');
}

function readEntry(entry: Tree, warnings: Warning[]): ParsedEntry {
  if (entry.kind !== 'map') throw wrong(entry.at, 'expected an entry: a map with "model", "identifiers" and "attrs"');
  warnUnknown(entry, entryMembers, warnings);
  const model = memberValue(entry, 'model');
  if (model === null) throw wrong(entry.at, 'model: is required, for example authentik_flows.flow');
  const conditions = memberValue(entry, 'conditions');
  if (conditions !== null && conditions.kind !== 'list') throw wrong(conditions.at, 'conditions: expected a list');
  const permissions = memberValue(entry, 'permissions');
  if (permissions !== null && !(permissions.kind === 'list' && permissions.items.length === 0))
    warnings.push({
      ...permissions.at,
      message: 'permissions: permissions on single objects are not supported; nobody was granted anything',
    });
  const id = memberValue(entry, 'id');
  if (id !== null && !(id.kind === 'scalar' && id.value !== null)) throw wrong(id.at, 'id: expected a text');
  return {
    at: entry.at,
    model,
    state: memberValue(entry, 'state'),
    conditions: conditions?.items ?? [],
    identifiers: memberValue(entry, 'identifiers'),
    attrs: memberValue(entry, 'attrs'),
    id: id === null ? null : String(id.value),
  };
}

/** A member's value; null when it is absent or null. */
function memberValue(map: TreeMap, name: string): Tree | null {
  const value = map.members.get(name)?.value;
  return value === undefined || (value.kind === 'scalar' && value.value === null) ? null : value;
}

function warnUnknown(map: TreeMap, known: readonly string[], warnings: Warning[]): void {
  for (const [name, { at }] of map.members)
    if (!known.includes(name))
      warnings.push({ ...at, message: `${name} is not known here and was ignored${didYouMean(name, known)}` });
}

/** The JSON of a tree that may not hold tags. */
function plain(tree: Tree): Json {
  if (tree.kind === 'tag') throw wrong(tree.at, `${tree.tag} cannot be used here`);
  if (tree.kind === 'scalar') return tree.value;
  if (tree.kind === 'list') return tree.items.map(plain);
  return Object.fromEntries([...tree.members].map(([name, { value }]) => [name, plain(value)]));
}
