import { type Model, metaApplyModel, userModel } from './models.ts';
import type { ParsedBlueprint } from './parse.ts';
import { didYouMean, type Place, type Warning, wrong } from './place.ts';
import type { Tree } from './yaml-tree.ts';

type Models = ReadonlyMap<string, Model>;

/**
 * Refuses files for every model in them that does not exist here, all at once, so that nobody finds them one by one.
 * Models that are made by a tag are judged when their entry is carried out.
 *
 * @throws DoorwardError `blueprint` with a line for each place
 */
export function refuseUnsupported(blueprints: readonly ParsedBlueprint[], models: Models): void {
  const found = blueprints.flatMap((blueprint) => unsupportedIn(blueprint, models));
  const [first, ...rest] = found;
  if (first === undefined) return;
  const lines = rest.map(({ file, line, column, message }) => `\n${file}:${line}:${column}: ${message}`);
  const advice = rest.length === 0 ? 'take this entry out' : '\ntake these entries out';
  throw wrong(
    first,
    `${first.message}${lines.join('')}${rest.length === 0 ? '; ' : ''}${advice}, or leave out what is not supported with --skip-unsupported`,
  );
}

/** `a.b is not supported`, with the nearest name that is. */
export function notSupported(model: string, models: Models): string {
  return `model: ${model} is not supported${didYouMean(model, models.keys())}`;
}

function unsupportedIn({ entries }: ParsedBlueprint, models: Models): readonly Warning[] {
  return entries.flatMap((entry) => {
    const own = nameIn(entry.model);
    if (own !== null && own.name !== metaApplyModel && !models.has(own.name)) return [complaint(own, models)];
    return [entry.identifiers, entry.attrs, ...entry.conditions]
      .flatMap((tree) => (tree === null ? [] : lookedUp(tree)))
      .filter(({ name }) => name !== userModel && !models.has(name))
      .map((one) => complaint(one, models));
  });
}

interface Named {
  readonly name: string;
  readonly at: Place;
}

function complaint({ name, at }: Named, models: Models): Warning {
  return { ...at, message: notSupported(name, models) };
}

function nameIn(tree: Tree | undefined): Named | null {
  return tree?.kind === 'scalar' && typeof tree.value === 'string'
    ? { name: tree.value.toLowerCase(), at: tree.at }
    : null;
}

/** The models that `!Find` and `!FindObject` name below a value. */
function lookedUp(tree: Tree): readonly Named[] {
  if (tree.kind === 'scalar') return [];
  if (tree.kind === 'list') return tree.items.flatMap(lookedUp);
  if (tree.kind === 'map') return [...tree.members.values()].flatMap(({ value }) => lookedUp(value));
  const model = tree.tag.startsWith('!Find') && tree.body.kind === 'list' ? nameIn(tree.body.items[0]) : null;
  return [...(model === null ? [] : [model]), ...lookedUp(tree.body)];
}
