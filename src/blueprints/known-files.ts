/** The files that a plan may apply: those given, those of the watched folder, and those that come with the product. */
import type { Definition } from '../engine/definition.ts';
import { digests } from './digests.ts';
import { fileRecords, recordAttrs, textHash } from './folder-records.ts';
import { blueprintModel, groupModel, shippedModel } from './models.ts';
import { type ParsedBlueprint, parseBlueprint } from './parse.ts';
import { didYouMean, type Warning } from './place.ts';
import { isPresent, type ShippedFile, shippedFiles, shippedHash } from './shipped-files.ts';
import type { Identifiers, Workspace } from './workspace.ts';

/** A blueprint to apply. */
export interface BlueprintFile {
  /** Its path, for error messages and for the entries that apply it. */
  readonly name: string;
  /** YAML. */
  readonly text: string;
}

/** One file that a plan may apply. */
export interface KnownFile {
  readonly path: string;
  /** @throws DoorwardError `blueprint` */
  read(): ParsedBlueprint;
  /** Whether an entry that names it finds it done, or cannot have it (then why); false where it is to be applied now. */
  standing(definitions: readonly Definition[]): boolean | string;
  /** Notes that it was applied. */
  note(workspace: Workspace, applied: Applied): void;
}

/** How one file was applied. */
export interface Applied {
  readonly pks: ReadonlySet<string>;
  readonly warnings: readonly Warning[];
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A file that was given to be applied. */
export function givenFile({ name, text }: BlueprintFile): KnownFile {
  return { path: name, read: once(() => parseBlueprint(name, text)), standing: () => false, note: () => undefined };
}

/** A file of the watched folder: what becomes of it is recorded. */
export function folderFile({ name, text }: BlueprintFile): KnownFile {
  const hash = textHash(text);
  const read = once(() => parseBlueprint(name, text));
  return {
    path: name,
    read,
    standing(definitions) {
      const record = fileRecords(definitions).find(({ path }) => path === name);
      if (record?.hash !== hash || record.status === 'off') return false;
      return record.status === 'error' ? `the blueprint ${name} could not be applied: ${record.message}` : true;
    },
    note(workspace, { warnings, at }) {
      const own = warnings.filter(({ file }) => file === name);
      const message = own.map((one) => `${one.file}:${one.line}:${one.column}: ${one.message}`).join('\n');
      const title = read().metadata.name ?? name;
      const status = own.length === 0 ? 'successful' : 'warning';
      const attrs = recordAttrs({ path: name, name: title, status, at, message, hash }, workspace.all());
      if (attrs !== null) workspace.record(blueprintModel, { path: name }, attrs);
    },
  };
}

/** A file that comes with the product. What was applied once, or stands there already, is the administrator's. */
export function shippedFile(file: ShippedFile): KnownFile {
  return {
    path: file.path,
    read: once(() => parseBlueprint(`${file.name}.yaml`, file.text)),
    standing: (definitions) => isPresent(file, definitions),
    note(workspace, { pks }) {
      const objects = workspace.all().filter(({ pk, model }) => pks.has(pk) && model !== groupModel);
      workspace.record(shippedModel, { name: file.name }, { hash: shippedHash(file), objects: digests(objects) });
    },
  };
}

export const shippedKnown: readonly KnownFile[] = shippedFiles.map(shippedFile);

/**
 * The first file that an entry's identifiers name, by `name` (of its metadata) and `path` (or the end of it).
 *
 * @returns why there is none
 */
export function findFile(files: readonly KnownFile[], wanted: Identifiers): KnownFile | string {
  const other = Object.keys(wanted).find((member) => member !== 'name' && member !== 'path');
  if (other !== undefined) return `a blueprint is found by name or path, not by ${other}`;
  const { name, path } = wanted;
  const found = files.find(
    (file) =>
      (path === undefined || file.path === path || file.path.endsWith(`/${String(path)}`)) &&
      (name === undefined || titleOf(file) === name),
  );
  if (found !== undefined && (name ?? path) !== undefined) return found;
  const names = files.flatMap((file) => [titleOf(file) ?? '', file.path]);
  const sought = String(name ?? path ?? '');
  return `there is no blueprint ${JSON.stringify(sought)} here${didYouMean(sought, names)}; give its file too`;
}

/** null for a file that cannot be read: it is told of when it is applied itself. */
function titleOf(file: KnownFile): string | null {
  try {
    return file.read().metadata.name;
  } catch {
    return null;
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
