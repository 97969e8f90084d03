import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { importFlow, openDoorward } from './in-process.js';
import { median } from './statistics.js';

/**
 * @typedef {object} Dispatch
 * @property {number} keys in prompt_data
 * @property {number} dispatchUs which key goes where, alone
 * @property {number} executeUs a whole dry run through `auth.flows.execute`
 */

const sizes = [10, 100, 900];
const rounds = 9;
/** Milliseconds that one measurement takes at least. */
const least = 40;
const rules = { attributes: {}, writable: [], impersonating: false, trustedHashes: false };

/**
 * What the keys of prompt_data cost. The sizes take turns, so that a drift of the machine does not decide.
 *
 * @param {string} database the path of an SQLite file
 * @returns {Promise<Dispatch[]>} medians
 */
export async function dispatchCosts(database) {
  const dispatch = await bundledDispatch();
  const auth = await openDoorward(database, { blueprints: [importFlow] });
  const measured = sizes.map((keys) => ({ pairs: pairsOf(keys), ...noTimes() }));
  try {
    for (let round = 0; round <= rounds; round++)
      for (const { pairs, alone, whole } of measured) {
        const times = [
          await microseconds(() => dispatch(pairs, rules).ok),
          await microseconds(async () => {
            const { status } = await auth.flows.execute(importFlow.slug, {
              context: { prompt_data: pairs },
              dryRun: true,
            });
            return status === 'done';
          }),
        ];
        // The first round is the compiler's.
        if (round === 0) continue;
        alone.push(times[0] ?? Number.NaN);
        whole.push(times[1] ?? Number.NaN);
      }
  } finally {
    await auth.close();
  }
  return measured.map(({ pairs, alone, whole }) => ({
    keys: pairs.length,
    dispatchUs: median(alone),
    executeUs: median(whole),
  }));
}

/** @returns {{ alone: number[], whole: number[] }} */
function noTimes() {
  return { alone: [], whole: [] };
}

/**
 * Columns and attributes, every second attribute below another one.
 *
 * @param {number} keys
 * @returns {[string, string][]}
 */
function pairsOf(keys) {
  const columns = ['username', 'name', 'email'];
  return Array.from({ length: keys }, (_, index) => [
    columns[index] ?? `attributes.${index % 2 === 0 ? '' : `department${index % 20}.`}key${index}`,
    `value ${index}`,
  ]);
}

/**
 * @param {() => boolean | Promise<boolean>} work false: it did not do what is measured
 * @returns {Promise<number>} CPU of one call, which what else the machine does weighs on less than on the clock
 */
async function microseconds(work) {
  const began = performance.now();
  const before = process.cpuUsage();
  let calls = 0;
  while (performance.now() - began < least) {
    const worked = work();
    if (!(typeof worked === 'boolean' ? worked : await worked)) throw new Error('the write was refused');
    calls += 1;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

/** It is no part of what the package exports. @returns {Promise<(pairs: unknown, rules: unknown) => { ok: boolean }>} */
async function bundledDispatch() {
  const outfile = join(import.meta.dirname, 'results', 'support', 'dispatch.js');
  const source = join(import.meta.dirname, '..', 'src', 'stages', 'user-write', 'dispatch.ts');
  await build({ entryPoints: [source], outfile, bundle: true, packages: 'external', platform: 'node', format: 'esm' });
  return (await import(pathToFileURL(outfile).href)).dispatch;
}
