import { createRequire } from 'node:module';
import { join } from 'node:path';
import pg from 'pg';

/**
 * @typedef {object} Sql one dialect's words
 * @property {string} numbers a table `series` of the numbers n from 1 to $count
 * @property {string} hex eight digits, another text for each n, in no order: as spread as names and addresses are
 * @property {string} uuid
 *
 * @typedef {object} Session on one database
 * @property {Sql} words
 * @property {(text: string) => Promise<readonly Record<string, unknown>[]>} query
 * @property {() => Promise<void>} settle afterwards: statistics are right, and nothing is left to write behind our back
 */

/**
 * Fills a database in which one user is until so many are: they get copies of its rows under names, addresses and ids of
 * their own.
 *
 * @param {string} database `postgres://…`, else the path of an SQLite file that nobody has open
 * @param {number} users
 */
export async function populate(database, users) {
  const { words, query, settle } = await (database.startsWith('postgres') ? onPostgres(database) : onSqlite(database));
  const [{ next, id } = {}] = await query(
    `SELECT next, (SELECT id FROM doorward_user) AS id FROM doorward_id_block WHERE name = 'user'`,
  );
  const from = `FROM (${words.numbers.replace('$count', String(users - 1))}) series, `;
  const name = `'u' || ${words.hex}`;
  const address = `${name} || '@example.com'`;
  const own = `${next} - 1 + n`;
  await query('BEGIN');
  await copyRows('doorward_user', `id = ${id}`, {
    ...{ id: own, uuid: words.uuid, username: name, username_key: name, name, email: address, email_key: address },
  });
  await copyRows('doorward_credential', `user_id = ${id}`, { user_id: own });
  await query(`UPDATE doorward_id_block SET next = next + ${users} WHERE name = 'user'`);
  await query('COMMIT');
  await settle();

  /**
   * @param {string} table
   * @param {string} which row is the sample
   * @param {Record<string, string>} changed an expression for each column that is not the sample's
   */
  async function copyRows(table, which, changed) {
    const [sample = {}] = await query(`SELECT * FROM ${table} WHERE ${which}`);
    const columns = Object.keys(sample);
    const values = columns.map((column) => changed[column] ?? `sample.${column}`).join(', ');
    await query(
      `INSERT INTO ${table} (${columns.join(', ')}) SELECT ${values} ${from} (SELECT * FROM ${table} WHERE ${which}) sample`,
    );
  }
}

/** Any odd factor gives each n another number of 32 bits. */
const scattered = '(n * 2654435761) % 4294967296';

/** @param {string} file @returns {Promise<Session>} */
async function onSqlite(file) {
  const Database = createRequire(join(import.meta.dirname, '..', 'package.json'))('libsql');
  const database = new Database(file);
  // The rows come in no order, so the indexes are held in memory until all are there; the journal is of no use here.
  for (const setting of ['journal_mode = OFF', 'synchronous = OFF', 'cache_size = -1500000']) database.pragma(setting);
  const group = (/** @type {number} */ bytes) => `lower(hex(randomblob(${bytes})))`;
  return {
    words: {
      numbers: 'WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < $count) SELECT n FROM up',
      hex: `printf('%08x', ${scattered})`,
      uuid: [4, 2, 2, 2, 6].map(group).join(" || '-' || "),
    },
    async query(text) {
      if (text.startsWith('SELECT')) return database.prepare(text).all();
      database.exec(text);
      return [];
    },
    async settle() {
      for (const setting of ['journal_mode = WAL', 'synchronous = FULL']) database.pragma(setting);
      database.close();
    },
  };
}

/** @param {string} url @returns {Promise<Session>} */
async function onPostgres(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    words: {
      numbers: 'SELECT n FROM generate_series(1::bigint, $count) n',
      hex: `lpad(to_hex(${scattered}), 8, '0')`,
      uuid: 'gen_random_uuid()::text',
    },
    query: async (text) => (await client.query(text)).rows,
    async settle() {
      await client.query('VACUUM ANALYZE');
      await client.query('CHECKPOINT');
      await client.end();
    },
  };
}
