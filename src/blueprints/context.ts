import type { JsonObject } from '../kernel/json.ts';
import { type Tree, type TreeMap, treeOf } from './yaml-tree.ts';

const builtIn: JsonObject = {
  'goauthentik.io/enterprise/licensed': false,
  'goauthentik.io/rbac/models': {},
};

/** What `!Context` knows: the built-in variables, then the file's, then the caller's; maps merge, lists are joined (1.2). */
export function mergedContext(file: string, own: TreeMap | null, given: JsonObject): TreeMap {
  const at = own?.at ?? { file, line: 1, column: 1 };
  const layers = [treeOf(builtIn, at), own, treeOf(given, at)];
  const empty: Tree = { kind: 'map', at, members: new Map() };
  const merged = layers.reduce<Tree>((all, layer) => (layer === null ? all : mergeTrees(all, layer)), empty);
  return merged.kind === 'map' ? merged : { kind: 'map', at, members: new Map() };
}

function mergeTrees(first: Tree, later: Tree): Tree {
  if (first.kind === 'list' && later.kind === 'list') return { ...later, items: [...first.items, ...later.items] };
  if (first.kind !== 'map' || later.kind !== 'map') return later;
  const members = new Map(first.members);
  for (const [name, member] of later.members) {
    const known = members.get(name);
    members.set(name, known === undefined ? member : { ...member, value: mergeTrees(known.value, member.value) });
  }
  return { ...later, members };
}
