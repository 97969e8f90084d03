import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import pg from 'pg';

/** @typedef {'sqlite' | 'postgres'} DatabaseKind */

/**
 * Gives every measured server an empty database of its own. PostgreSQL is the server of BENCH_DATABASE_URL, where databases
 * may be created, else a throwaway cluster as the tests start one, with fsync on.
 *
 * @param {readonly DatabaseKind[]} kinds
 */
export async function openDatabases(kinds) {
  const folder = await mkdtemp(join(tmpdir(), 'doorward-bench-'));
  const clusters = kinds.includes('postgres') ? await postgres() : null;
  const close = async () => {
    await clusters?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  let made = 0;
  return {
    folder,
    close,
    /** The PostgreSQL server's version, and whether its commits wait for the disk; null when it is not measured. */
    postgres: clusters === null ? null : await describe(clusters.url),
    /** @param {DatabaseKind} kind */
    fresh: async (kind) =>
      kind === 'sqlite' || clusters === null ? join(folder, `${made++}.sqlite`) : (await clusters.fresh()).url,
  };
}

async function postgres() {
  if (process.env.BENCH_DATABASE_URL) process.env.TEST_DATABASE_URL = process.env.BENCH_DATABASE_URL;
  // The tests' starter is TypeScript, which Node 20 does not run; it looks for packages from where it lies.
  const outfile = join(import.meta.dirname, 'results', 'support', 'postgres.js');
  const source = join(import.meta.dirname, '..', 'test', 'support', 'postgres.ts');
  await build({ entryPoints: [source], outfile, bundle: true, packages: 'external', platform: 'node', format: 'esm' });
  const { startPostgres, freshDatabase } = await import(pathToFileURL(outfile).href);
  const server = await startPostgres();
  /** @type {(() => Promise<void>)[]} */
  const drops = [];
  return {
    url: server.url,
    /** @type {() => Promise<{ url: string }>} */
    async fresh() {
      const database = await freshDatabase(server);
      drops.push(database.drop);
      return database;
    },
    async stop() {
      for (const drop of drops) await drop();
      await server.stop();
    },
  };
}

/** @param {string} url */
async function describe(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const show = async (/** @type {string} */ name) => Object.values((await client.query(`SHOW ${name}`)).rows[0])[0];
    const [version] = String(await show('server_version')).split(' ');
    return `${version} (fsync ${await show('fsync')}, synchronous_commit ${await show('synchronous_commit')})`;
  } finally {
    await client.end();
  }
}
