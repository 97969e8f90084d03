import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measure, startServer } from './servers.js';

/**
 * Loads Doorward under V8's profiler and tells where its main thread spent the time.
 *
 * @param {{ folder: string, database: string, hashing: boolean, clients: number, seconds: number }} options
 * @returns {Promise<string>} a table, the most expensive function first
 */
export async function profile({ folder, database, hashing, clients, seconds }) {
  const into = await mkdtemp(join(folder, 'profile-'));
  const nodeFlags = ['--cpu-prof', `--cpu-prof-dir=${into}`];
  const server = await startServer('doorward', { database, hashing, nodeFlags });
  const { perSecond } = await measure(server, { clients, seconds, warmup: 2 });
  await server.stop();
  const [file] = await readdir(into);
  if (file === undefined) throw new Error('the server left no profile');
  return `${perSecond.toFixed(0)} enrollments/s under the profiler\n${selfTimes(JSON.parse(await readFile(join(into, file), 'utf8')))}`;
}

/**
 * @typedef {{ functionName: string, url: string, lineNumber: number, columnNumber: number }} Frame
 * @param {{ nodes: { id: number, callFrame: Frame }[], samples: number[], timeDeltas: number[] }} profile
 */
function selfTimes({ nodes, samples, timeDeltas }, rows = 40) {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  /** @type {Map<string, number>} */
  const spent = new Map();
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const name = names.get(id);
    if (name === undefined || name === '(idle)') continue;
    const micros = timeDeltas[index] ?? 0;
    spent.set(name, (spent.get(name) ?? 0) + micros);
    busy += micros;
  }
  return [...spent]
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, rows)
    .map(
      ([name, us]) =>
        `${((100 * us) / busy).toFixed(1).padStart(5)} %${(us / 1000).toFixed(0).padStart(7)} ms  ${name}`,
    )
    .join('\n');
}

/** @type {Map<string, SourceMap | null>} */
const maps = new Map();

/**
 * The function and where it stands in the source, for bundled code too.
 *
 * @param {Frame} frame
 */
function nameOf({ functionName, url, lineNumber, columnNumber }) {
  const name = functionName || '(anonymous)';
  if (!url.startsWith('file:')) return url === '' ? name : `${name} ${url}`;
  const file = fileURLToPath(url);
  if (!maps.has(file)) {
    const map = `${file}.map`;
    maps.set(file, existsSync(map) ? new SourceMap(JSON.parse(readFileSync(map, 'utf8'))) : null);
  }
  const entry = maps.get(file)?.findEntry(lineNumber, columnNumber);
  const [place, line] =
    entry && 'originalSource' in entry ? [entry.originalSource, entry.originalLine] : [file, lineNumber];
  return `${name} ${place.split('/').slice(-3).join('/')}:${line + 1}`;
}
