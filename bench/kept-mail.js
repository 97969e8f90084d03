import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = createRequire(join(import.meta.dirname, '..', 'package.json'));
const newest = `SELECT o.uuid, o.payload FROM doorward_outbox o JOIN doorward_user u ON u.id = o.user_id
  WHERE u.username_key = $1 AND o.channel = 'mail' AND o.sent_at IS NULL AND o.set_aside_at IS NULL ORDER BY o.id DESC LIMIT 1`;

/**
 * The code of the newest message that Doorward keeps for somebody, straight out of its sealed outbox: what the program
 * `doorward mail` shows, for one user and without the pages around it.
 *
 * @param {string} database `postgres://…`, else the path of an SQLite file
 * @param {string} secret
 * @returns {Promise<(username: string) => Promise<string>>} '' where there is none
 */
export async function keptMail(database, secret) {
  const keyring = await openKeyring(secret);
  const row = database.startsWith('postgres') ? postgres(database) : sqlite(database);
  return async (username) => {
    const found = await row(username);
    const opened = found === null ? null : keyring.open('outbox', found.payload, found.uuid);
    return opened === null ? '' : String(JSON.parse(opened).values.code ?? '');
  };
}

/** @param {string} secret */
async function openKeyring(secret) {
  // The keyring is TypeScript, and not part of the library.
  const outfile = join(import.meta.dirname, 'results', 'support', `secrets-${process.pid}.js`);
  const source = join(import.meta.dirname, '..', 'src', 'kernel', 'secrets.ts');
  await build({ entryPoints: [source], outfile, bundle: true, packages: 'external', platform: 'node', format: 'esm' });
  const { Keyring } = await import(pathToFileURL(outfile).href);
  return new Keyring(secret);
}

/** @param {string} url @returns {(username: string) => Promise<{ uuid: string, payload: string } | null>} */
function postgres(url) {
  const pool = new (root('pg').Pool)({ connectionString: url, max: 2 });
  return async (username) => (await pool.query({ name: 'newest', text: newest, values: [username] })).rows[0] ?? null;
}

/** @param {string} file @returns {(username: string) => Promise<{ uuid: string, payload: string } | null>} */
function sqlite(file) {
  const statement = new (root('libsql'))(file).prepare(newest.replace('$1', '?'));
  return async (username) => statement.get(username) ?? null;
}
