import { readFileSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { type Place, wrong } from './place.ts';

const maximumBytes = 1024 * 1024;

/**
 * What `!File` reads: a text file below the one folder that the administrator opened to blueprints, links followed
 * before that is checked.
 *
 * @returns the text without white space around it, or why it cannot be read
 * @throws DoorwardError `blueprint` for a path outside of the folder, or where no folder was opened
 */
export function readBelow(
  folder: string | null,
  path: string,
  at: Place,
): { readonly text: string } | { readonly unreadable: string } {
  if (folder === null)
    throw wrong(
      at,
      '!File is refused: a blueprint may not read files of the server; open a folder to it with --files DIR, or use !Env or !Context',
    );
  const wanted = resolve(folder, path);
  if (!isBelow(resolve(folder), wanted)) throw wrong(at, `!File ${path} is refused: it is not below ${folder}`);
  let found: string;
  try {
    found = realpathSync(wanted);
    if (!isBelow(realpathSync(folder), found)) throw wrong(at, `!File ${path} is refused: it leads out of ${folder}`);
    const file = statSync(found);
    if (!file.isFile()) return { unreadable: 'it is no file' };
    if (file.size > maximumBytes) return { unreadable: 'it is larger than 1 MiB' };
    return { text: readFileSync(found, 'utf8').trim() };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return { unreadable: 'there is no such file' };
    if (code === 'EACCES' || code === 'ELOOP' || code === 'ENOTDIR')
      return { unreadable: `it cannot be read (${code})` };
    throw error;
  }
}

function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
