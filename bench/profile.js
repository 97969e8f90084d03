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
 * @typedef {{ nodes: { id: number, callFrame: Frame }[], samples: number[], timeDeltas: number[] }} Profile
 * @typedef {{ name: string, place: string, line: number }} Source
 */

/**
 * Where the time was spent, each function and each folder without what it called.
 *
 * @param {Profile} profile
 */
function selfTimes({ nodes, samples, timeDeltas }) {
  const sources = new Map(nodes.map(({ id, callFrame }) => [id, sourceOf(callFrame)]));
  /** @type {Map<string, number>} */
  const functions = new Map();
  /** @type {Map<string, number>} */
  const folders = new Map();
  for (const [index, id] of samples.entries()) {
    const { name, place, line } = sources.get(id) ?? { name: '(idle)', place: '', line: 0 };
    if (name === '(idle)') continue;
    const microseconds = timeDeltas[index] ?? 0;
    add(functions, place === '' ? name : `${name} ${place}:${line}`, microseconds);
    add(folders, place.split('/').slice(0, -1).join('/') || place || '(V8 and libuv)', microseconds);
  }
  return `\n${table(functions, 40)}\n\n${table(folders, 30)}`;
}

/**
 * @param {Map<string, number>} sums
 * @param {string} key
 * @param {number} value
 */
function add(sums, key, value) {
  sums.set(key, (sums.get(key) ?? 0) + value);
}

/**
 * @param {Map<string, number>} spent microseconds
 * @param {number} rows
 */
function table(spent, rows) {
  const all = [...spent.values()].reduce((sum, value) => sum + value, 0);
  return [...spent]
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, rows)
    .map(
      ([name, us]) => `${((100 * us) / all).toFixed(1).padStart(5)} %${(us / 1000).toFixed(0).padStart(7)} ms  ${name}`,
    )
    .join('\n');
}

/** @type {Map<string, SourceMap | null>} */
const maps = new Map();

/**
 * The function and where it stands in the source, for bundled code too.
 *
 * @param {Frame} frame
 * @returns {Source}
 */
function sourceOf({ functionName, url, lineNumber, columnNumber }) {
  const name = functionName || '(anonymous)';
  if (!url.startsWith('file:')) return { name, place: url, line: lineNumber + 1 };
  const file = fileURLToPath(url);
  if (!maps.has(file)) {
    const map = `${file}.map`;
    maps.set(file, existsSync(map) ? new SourceMap(JSON.parse(readFileSync(map, 'utf8'))) : null);
  }
  const entry = maps.get(file)?.findEntry(lineNumber, columnNumber);
  const mapped = entry && 'originalSource' in entry ? entry : { originalSource: file, originalLine: lineNumber };
  return { name, place: shortened(mapped.originalSource), line: mapped.originalLine + 1 };
}

/** From the package, or from Doorward's sources, on. @param {string} path */
function shortened(path) {
  return (
    path
      .split('/node_modules/')
      .at(-1)
      ?.replace(/^.*\/(?=(?:src|dist|bench)\/)/, '') ?? path
  );
}
