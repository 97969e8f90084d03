import type { JsonObject } from '../kernel/json.ts';
import { type BlueprintFile, findFile, folderFile, type KnownFile } from './known-files.ts';
import { metaApplyModel } from './models.ts';
import type { ParsedEntry } from './parse.ts';
import type { Tree } from './yaml-tree.ts';

/** Files by their paths, each after those that its `metaapplyblueprint` entries name. Circles are told of at the apply. */
export function inOrder(files: readonly BlueprintFile[]): readonly BlueprintFile[] {
  const known = files.map((file) => ({ file, known: folderFile(file) }));
  const ordered = new Set<BlueprintFile>();
  const visited = new Set<KnownFile>();
  const visit = (one: (typeof known)[number]): void => {
    if (visited.has(one.known)) return;
    visited.add(one.known);
    for (const wanted of namedIn(one.known)) {
      const found = findFile(
        known.map(({ known: candidate }) => candidate),
        wanted,
      );
      const other = known.find(({ known: candidate }) => candidate === found);
      if (other !== undefined) visit(other);
    }
    ordered.add(one.file);
  };
  for (const one of known) visit(one);
  return [...ordered];
}

function namedIn(file: KnownFile): readonly JsonObject[] {
  try {
    return file.read().entries.flatMap(namedBy);
  } catch {
    return [];
  }
}

/** What an entry names, as far as it is written out and no tag. */
function namedBy({ model, attrs }: ParsedEntry): readonly JsonObject[] {
  if (model.kind !== 'scalar' || String(model.value).toLowerCase() !== metaApplyModel) return [];
  const identifiers = memberOf(attrs, 'identifiers');
  const wanted = ['name', 'path'].flatMap((member) => {
    const tree = memberOf(identifiers, member);
    return tree?.kind === 'scalar' && typeof tree.value === 'string' ? [[member, tree.value] as const] : [];
  });
  return wanted.length === 0 ? [] : [Object.fromEntries(wanted)];
}

function memberOf(tree: Tree | null | undefined, name: string): Tree | undefined {
  return tree?.kind === 'map' ? tree.members.get(name)?.value : undefined;
}
