import type { Problem } from './issue-words.ts';
import type { ParsedEntry } from './parse.ts';
import { type Place, wrong } from './place.ts';
import { placeOf } from './yaml-tree.ts';

/** The place of a member of an entry's attributes or identifiers, else that of the entry. */
export function placeIn({ at, attrs, identifiers }: ParsedEntry, path: readonly PropertyKey[]): Place {
  const [name] = path;
  if (name === undefined) return at;
  const holding = [attrs, identifiers].find((tree) => tree?.kind === 'map' && tree.members.has(String(name)));
  return holding ? placeOf(holding, path) : at;
}

/** One error for all that is wrong with an entry; each line has its own place. */
export function complaintAbout(entry: ParsedEntry, problems: readonly Problem[]): Error {
  const [first = { path: [], text: 'not valid' }, ...rest] = problems;
  const line = ({ path, text }: Problem): string => {
    const tag = lookUpIn(entry, path);
    return tag === null ? text : `${text} (does ${tag} find anything?)`;
  };
  const more = rest.map((problem) => {
    const at = placeIn(entry, problem.path);
    return `\n${at.file}:${at.line}:${at.column}: ${line(problem)}`;
  });
  return wrong(placeIn(entry, first.path), line(first) + more.join(''));
}

/** `!Find` or `!FindObject` where a member's value (or, for the whole entry, any value) comes from a look-up. */
export function lookUpIn({ attrs, identifiers }: ParsedEntry, path: readonly PropertyKey[]): string | null {
  const [name] = path;
  const tags = [attrs, identifiers].flatMap((tree) =>
    (tree?.kind === 'map' ? [...tree.members] : []).flatMap(([key, { value }]) =>
      (name === undefined || key === name) && value.kind === 'tag' ? [value.tag] : [],
    ),
  );
  return tags.find((one) => one.startsWith('!Find')) ?? null;
}
