import { createRequire } from 'node:module';
import { join } from 'node:path';
import { answer, ask, openDoorward } from './in-process.js';

/**
 * @typedef {object} Counts
 * @property {number} roundTrips waits for PostgreSQL; SQLite is in the process and has none, so there it is NaN
 * @property {number} statements a statement folded of several counts as several; BEGIN and COMMIT count too
 *
 * @typedef {object} Statements means of one enrollment
 * @property {Counts} asking the GET that plans the flow and shows its first challenge
 * @property {Counts} answering the POST that writes the user and signs it in
 * @property {Counts} floor of both together
 * @property {string[]} tables that get rows
 */

/** As many as user ids are reserved at once. */
const enrollments = 100;
const root = createRequire(join(import.meta.dirname, '..', 'package.json'));

/**
 * Counts, in this process, what the library asks of its database driver. Not while speed is measured.
 *
 * @param {string} database `postgres://…`, else the path of an SQLite file
 * @returns {Promise<Statements>}
 */
export async function countStatements(database) {
  const onPostgres = database.startsWith('postgres');
  const watch = onPostgres ? watchPostgres() : watchSqlite();
  const auth = await openDoorward(database);
  try {
    for (let warm = 0; warm < 5; warm++) await answer(auth, await ask(auth), `warm${warm}`);
    watch.taken();
    /** @type {string[]} */
    const asked = [];
    /** @type {string[]} */
    const answered = [];
    for (let visitor = 0; visitor < enrollments; visitor++) {
      const cookie = await ask(auth);
      asked.push(...watch.taken());
      await answer(auth, cookie, `counted${visitor}`);
      answered.push(...watch.taken());
    }
    const tables = new Set(
      answered.flatMap((text) => [...text.matchAll(/INSERT INTO (\w+)/g)].map(([, name]) => name)),
    );
    const count = (/** @type {string[]} */ texts) => ({
      roundTrips: onPostgres ? texts.length / enrollments : Number.NaN,
      statements: texts.reduce((sum, text) => sum + partsOf(text), 0) / enrollments,
    });
    return {
      asking: count(asked),
      answering: count(answered),
      floor: {
        roundTrips: onPostgres ? 2 : Number.NaN,
        statements: 1 + tables.size + (onPostgres ? 0 : ['BEGIN', 'COMMIT'].length),
      },
      tables: [...tables].map(String).sort(),
    };
  } finally {
    await auth.close();
    watch.stop();
  }
}

/** PostgreSQL gets a whole commit as one statement; each part of it writes somewhere. @param {string} text */
function partsOf(text) {
  return [...text.matchAll(/\bs\d+ AS \(/g)].length || text.split(';').length;
}

/** Every query of the driver package, whoever sends it. */
function watchPostgres() {
  const { prototype } = root('pg').Client;
  const { query } = prototype;
  const { seen, taken } = notes();
  prototype.query = function (/** @type {any[]} */ ...args) {
    seen(typeof args[0] === 'string' ? args[0] : args[0].text);
    return query.apply(this, args);
  };
  return { taken, stop: () => Object.assign(prototype, { query }) };
}

/** Every execution of a statement, prepared or not. */
function watchSqlite() {
  const Database = root('libsql');
  const database = Database.prototype;
  const statement = Object.getPrototypeOf(new Database(':memory:').prepare('SELECT 1'));
  const { seen, taken } = notes();
  const own = { prepare: database.prepare, exec: database.exec, run: statement.run, all: statement.all };
  /** @type {WeakMap<object, string>} */
  const texts = new WeakMap();
  database.prepare = function (/** @type {string} */ text) {
    const prepared = own.prepare.call(this, text);
    texts.set(prepared, text);
    return prepared;
  };
  database.exec = function (/** @type {string} */ text) {
    seen(text);
    return own.exec.call(this, text);
  };
  for (const name of /** @type {const} */ (['run', 'all']))
    statement[name] = function (/** @type {any[]} */ ...args) {
      seen(texts.get(this) ?? '');
      return own[name].apply(this, args);
    };
  const stop = () => {
    Object.assign(database, { prepare: own.prepare, exec: own.exec });
    Object.assign(statement, { run: own.run, all: own.all });
  };
  return { taken, stop };
}

function notes() {
  /** @type {string[]} */
  let texts = [];
  return {
    seen: (/** @type {string} */ text) => void texts.push(text),
    /** What was seen since the last call. */
    taken() {
      const all = texts;
      texts = [];
      return all;
    },
  };
}
