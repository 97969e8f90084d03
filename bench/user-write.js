import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { dispatchCosts } from './dispatch.js';
import { growth } from './growth.js';
import { countStatements } from './statements.js';
import { unattended } from './unattended.js';

/**
 * @typedef {import('./databases.js').DatabaseKind} DatabaseKind
 * @typedef {Awaited<ReturnType<typeof import('./databases.js').openDatabases>>} Databases
 *
 * @typedef {object} OnDatabase
 * @property {import('./statements.js').Statements} statements
 * @property {import('./unattended.js').Unattended} unattended
 * @property {import('./growth.js').Growth[]} growth
 *
 * @typedef {object} UserWrite
 * @property {Partial<Record<DatabaseKind, OnDatabase>>} databases
 * @property {import('./dispatch.js').Dispatch[]} dispatch
 */

/**
 * What one user write costs: what it asks of the database, in which it is among many, and by how many keys it grows.
 *
 * @param {Databases} databases
 * @param {{ kinds: readonly DatabaseKind[], records: number, sizes: readonly number[], posts: number, say: (line: string) => void }} options
 * @returns {Promise<UserWrite>}
 */
export async function userWrite(databases, { kinds, records, sizes, posts, say }) {
  const dispatch = await dispatchCosts(await databases.fresh('sqlite'));
  say(dispatch.map(({ keys, dispatchUs }) => `${keys} keys: ${dispatchUs.toFixed(0)} µs`).join(', '));
  /** @type {UserWrite['databases']} */
  const measured = {};
  for (const kind of kinds) {
    const fresh = () => databases.fresh(kind);
    const statements = await countStatements(await fresh());
    // The command line keeps its SQLite file under one name, in a folder.
    const folder = await mkdtemp(join(databases.folder, 'run-'));
    const imported = kind === 'sqlite' ? join(folder, 'doorward.sqlite') : await fresh();
    const runs = await unattended({ folder, database: imported, records });
    say(
      `${kind}, doorward run: ${runs.dryRun.toFixed(0)}/s dry, ${runs.real.toFixed(0)}/s, ${runs.resumed.toFixed(0)}/s resumed`,
    );
    const sayOf = (/** @type {string} */ line) => say(`${kind}, ${line}`);
    measured[kind] = { statements, unattended: runs, growth: await growth({ fresh, sizes, posts, say: sayOf }) };
    for (const { users, p50, p99 } of measured[kind].growth)
      say(`${kind}, with ${users} users: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
  }
  return { dispatch, databases: measured };
}
