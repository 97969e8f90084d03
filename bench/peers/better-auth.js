/*
 * better-auth as its documentation sets it up: e-mail and password, node:http. Only what would spoil a measurement is off
 * (rate limit, telemetry, log). SQLite is the same driver with the same settings as Doorward's, so both are equally durable.
 */
import { createServer } from 'node:http';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { SqliteDialect } from 'kysely';
import { listen, runPeer, secret, withMail } from './control.js';

await runPeer(async ({ database, hashing, port: wanted, migrated }) => {
  const store = database.startsWith('postgres') ? await postgres(database) : await sqlite(database);
  /** @type {Map<string, string>} */
  const tokens = new Map();
  const listener = withMail(
    async (address) => tokens.get(address) ?? '',
    (request, response) => handler(request, response),
  );
  const server = createServer(listener);
  /** @type {ReturnType<typeof toNodeHandler>} */
  let handler = async (_request, response) => void response.writeHead(503).end();
  const port = await listen(server, wanted);
  const plain = {
    hash: async (/** @type {string} */ password) => password,
    verify: async (/** @type {{ hash: string, password: string }} */ { hash, password }) => hash === password,
  };
  const options = {
    baseURL: `http://127.0.0.1:${port}`,
    secret,
    database: store.database,
    emailAndPassword: {
      enabled: true,
      ...(hashing ? {} : { password: plain }),
      /** @param {{ user: { email: string }, token: string }} message */
      async sendResetPassword({ user, token }) {
        tokens.set(user.email, token);
      },
    },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
  };
  if (!migrated) await (await getMigrations(options)).runMigrations();
  const auth = betterAuth(options);
  handler = toNodeHandler(auth);
  return {
    port,
    users: store.users,
    async signedIn(cookie) {
      const session = await auth.api.getSession({ headers: new Headers({ cookie }) });
      return session?.user.email ?? null;
    },
  };
});

/** @param {string} file */
async function sqlite(file) {
  const { default: Database } = await import('libsql');
  const database = new Database(file);
  for (const setting of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON']) database.pragma(setting);
  return {
    // What better-auth makes of a better-sqlite3 database; libsql has the same interface.
    database: { dialect: new SqliteDialect({ database }), type: 'sqlite', transaction: true },
    users: async () => Number(database.prepare('SELECT count(*) FROM user').raw().get()[0]),
  };
}

/** @param {string} url */
async function postgres(url) {
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({ connectionString: url, max: 16 });
  return {
    database: pool,
    users: async () => Number((await pool.query('SELECT count(*) AS users FROM "user"')).rows[0].users),
  };
}
