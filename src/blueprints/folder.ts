/**
 * A folder whose blueprints are applied, and again when they change: each file in a transaction of its own, after those
 * that its entries apply. A file that is wrong changes nothing; the error is kept with its place (`folder-records.ts`).
 * A file that is taken away takes its record along, never what it made.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DefinitionStore, DefinitionsChange } from '../engine/definition.ts';
import { isDoorwardError } from '../kernel/errors.ts';
import { newUuid } from '../kernel/ids.ts';
import { applyBlueprints } from './apply.ts';
import { type FileRecord, fileRecords, recordAttrs, textHash } from './folder-records.ts';
import type { BlueprintFile } from './known-files.ts';
import { blueprintModel } from './models.ts';
import type { BlueprintInput } from './plan.ts';

const maximumDepth = 8;
const maximumFiles = 1_000;
const maximumBytes = 1024 * 1024;
const instantiate = 'blueprints.goauthentik.io/instantiate';

/** What stands in a folder. */
export interface FolderContent {
  /** Named by their path below the folder, in its order. */
  readonly files: readonly BlueprintFile[];
  /** It and the folders below it. */
  readonly folders: readonly string[];
}

/** The blueprints below a folder; hidden files and folders are not looked at. */
export async function readFolder(folder: string): Promise<FolderContent> {
  const files: BlueprintFile[] = [];
  const folders: string[] = [];
  const visit = async (below: string, depth: number): Promise<void> => {
    folders.push(join(folder, below));
    const names = await readdir(join(folder, below));
    for (const name of names.filter((one) => !one.startsWith('.')).toSorted()) {
      const path = below === '' ? name : `${below}/${name}`;
      // Links are followed: that is how a mounted configuration is made.
      const found = await stat(join(folder, path)).catch(() => null);
      if (found?.isDirectory() && depth < maximumDepth) await visit(path, depth + 1);
      else if (found?.isFile() && /\.ya?ml$/i.test(name) && files.length < maximumFiles)
        files.push({ name: path, text: found.size > maximumBytes ? tooLarge : await readText(join(folder, path)) });
    }
  };
  await visit('', 0);
  return { files, folders };
}

/** Read as a blueprint it is refused for its size, as any other one of this size. */
const tooLarge = `#${' '.repeat(maximumBytes)}`;

/** A file may be gone between its name and its text. */
async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

export interface FolderInput extends Omit<BlueprintInput, 'files' | 'library' | 'now' | 'shipped'> {
  readonly path: string;
  clock(): number;
  /** Definitions were changed. */
  changed(): void;
  log(level: 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** The folder, and what was last seen in it. */
export class BlueprintFolder {
  readonly #input: FolderInput;
  /** Hashes by path; null until the first look. */
  #seen: ReadonlyMap<string, string> | null = null;

  constructor(input: FolderInput) {
    this.#input = input;
  }

  /**
   * Applies what is new or has changed, and tries again what was wrong.
   *
   * @returns the folders that it looked into
   * @throws DoorwardError `store_unavailable`; then nothing counts as seen
   */
  async sync(): Promise<readonly string[]> {
    const { files, folders } = await readFolder(this.#input.path);
    const now = new Map(files.map(({ name, text }) => [name, textHash(text)]));
    const { definitions } = await this.#input.definitions.all();
    const records = new Map(fileRecords(definitions).map((record) => [record.path, record]));
    const isFirst = this.#seen === null;
    // Later a file counts as changed by what this node saw: nodes with different files must not undo each other forever.
    const before = this.#seen ?? new Map([...records].map(([path, { hash }]) => [path, hash]));
    const gone = [...(isFirst ? records.keys() : before.keys())].filter((path) => !now.has(path));
    const changed = files.filter(({ name }) => before.get(name) !== now.get(name));
    const again =
      isFirst || changed.length > 0 || gone.length > 0
        ? files.filter((file) => records.get(file.name)?.status === 'error' && !changed.includes(file))
        : [];
    if (gone.length > 0) await forget(this.#input.definitions, gone);
    if (changed.length + again.length > 0) {
      // The parser of YAML is loaded only where there is something to apply.
      const { inOrder } = await import('./folder-order.ts');
      for (const file of inOrder(files))
        if (changed.includes(file) || again.includes(file)) await this.#apply(file, files);
    }
    this.#seen = now;
    return folders;
  }

  async #apply(file: BlueprintFile, library: readonly BlueprintFile[]): Promise<void> {
    const { path: folder, clock, changed, log, ...input } = this.#input;
    try {
      const { parseBlueprint } = await import('./parse.ts');
      const { metadata } = parseBlueprint(file.name, file.text);
      if (String(metadata.labels[instantiate]) === 'false') {
        await this.#record(file, { name: metadata.name ?? file.name, status: 'off', message: '' });
        return;
      }
      const { summary, warnings } = await applyBlueprints({ ...input, files: [file], library, now: clock() });
      changed();
      for (const { message, ...place } of warnings)
        log('warn', 'a blueprint was applied with a warning', { ...place, message });
      log('info', 'a blueprint was applied', { folder, file: file.name, ...summary });
    } catch (error) {
      if (!isDoorwardError(error) || !['blueprint', 'refused'].includes(error.code)) throw error;
      log('error', 'a blueprint was not applied; what it had made stays as it is', { folder, error: error.detail });
      await this.#record(file, { name: file.name, status: 'error', message: error.detail });
    }
  }

  async #record(file: BlueprintFile, result: Pick<FileRecord, 'name' | 'status' | 'message'>): Promise<void> {
    const record = { path: file.name, at: this.#input.clock(), hash: textHash(file.text), ...result };
    await change(this.#input.definitions, (definitions) => {
      const attrs = recordAttrs(record, definitions);
      const old = definitions.find((one) => one.model === blueprintModel && one.attrs.path === file.name);
      return attrs === null ? null : { put: [{ pk: old?.pk ?? newUuid(), model: blueprintModel, attrs }] };
    });
  }
}

/** Removes the records of files that are gone. */
async function forget(store: DefinitionStore, paths: readonly string[]): Promise<void> {
  await change(store, (definitions) => {
    const remove = definitions
      .filter(({ model, attrs }) => model === blueprintModel && paths.includes(String(attrs.path)))
      .map(({ pk }) => pk);
    return remove.length === 0 ? null : { remove };
  });
}

type Definitions = Awaited<ReturnType<DefinitionStore['all']>>['definitions'];

/** Changes records alone, on whatever the definitions are meanwhile; gives up quietly where others are always faster. */
async function change(
  store: DefinitionStore,
  decide: (definitions: Definitions) => Partial<DefinitionsChange> | null,
): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const { revision, definitions } = await store.all();
    const decided = decide(definitions);
    if (decided === null) return;
    const nothing = { put: [], remove: [], flows: [], removedFlows: [], effects: [] };
    if ((await store.apply({ ...nothing, revision, ...decided })) === 'done') return;
  }
}
