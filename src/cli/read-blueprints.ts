import { readFileSync } from 'node:fs';
import type { BlueprintOptions } from '../app/blueprints.ts';
import type { BlueprintSource } from '../app/options.ts';
import { readFolder } from '../blueprints/folder.ts';
import { DoorwardError } from '../kernel/errors.ts';
import type { Call } from './command.ts';

/** The files that a command names. @throws DoorwardError `blueprint` */
export function readFiles(names: readonly string[]): readonly BlueprintSource[] {
  return names.map((name) => ({ name, text: readText(name) }));
}

/** What entries of those files may use besides. `folder` is DOORWARD_BLUEPRINTS_DIR. */
export async function surroundings(
  { options, terminal }: Call,
  folder: string | null,
): Promise<Pick<BlueprintOptions, 'env' | 'library' | 'skipUnsupported' | 'filesDir'>> {
  return {
    env: terminal.env,
    library: folder === null ? [] : await library(folder),
    skipUnsupported: options['skip-unsupported'] === true,
    ...(typeof options.files === 'string' ? { filesDir: options.files } : {}),
  };
}

async function library(folder: string): Promise<readonly BlueprintSource[]> {
  try {
    return (await readFolder(folder)).files;
  } catch (error) {
    throw new DoorwardError('configuration', `DOORWARD_BLUEPRINTS_DIR: ${folder} cannot be read: ${messageOf(error)}`);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new DoorwardError('blueprint', `${file}: cannot be read: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
