import { runnerFile } from 'doorward:expression-runner';
import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const heapMegabytes = 64;

/** How a runner process is started. */
export interface Launch {
  readonly file: string;
  readonly args: readonly string[];
  readonly execArgv: string[];
}

let known: Launch | undefined;

/** The permission flag leaves a runner no file but its own code and that of the packages that it loads. */
export function launchOf(): Launch {
  known ??= launch();
  return known;
}

function launch(): Launch {
  // A linked package or `node_modules`: the flag forbids following links to whoever may not read the folders on the way.
  const file = realpathSync(fileURLToPath(runnerFile()));
  const monty = findMonty();
  const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';
  const readable = [file, ...(monty?.folders ?? [])];
  return {
    file,
    args: monty === null ? [] : [monty.url],
    execArgv: [
      ...[flag, '--allow-addons', `--max-old-space-size=${heapMegabytes}`, '--no-warnings'],
      ...[...new Set(readable)].map((path) => `--allow-fs-read=${path}`),
    ],
  };
}

/** Where the optional package is, if it is installed, with its native part. */
function findMonty(): { url: string; folders: string[] } | null {
  const from = createRequire(import.meta.url);
  try {
    const main = realpathSync(from.resolve('@pydantic/monty'));
    return { url: pathToFileURL(main).href, folders: [dirname(main), ...nativeFolders(main)] };
  } catch {
    return null;
  }
}

/** Where the package looks for its native part, and where that is: pnpm puts a link in between. */
function nativeFolders(main: string): string[] {
  const from = createRequire(main);
  const { optionalDependencies = {} } = from(join(dirname(main), 'package.json')) as {
    optionalDependencies?: Record<string, string>;
  };
  return Object.keys(optionalDependencies).flatMap((name) => {
    const place = (from.resolve.paths(name) ?? []).map((folder) => join(folder, name)).find((at) => existsSync(at));
    return place === undefined ? [] : [place, realpathSync(place)];
  });
}
