import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient, QueryConfig } from 'pg';
import type { Refusal } from '../engine/effects.ts';
import { DoorwardError } from '../kernel/errors.ts';
import {
  type Driver,
  type Failure,
  type Log,
  type Script,
  type Statement,
  type Transaction,
  usualPatienceMs,
  type Within,
} from './driver.ts';
import { isFoldable, type Prepared, Texts } from './fold.ts';
import { isStorableSql, numbered, type Row, type Sql } from './sql.ts';

/*
 * PostgreSQL: a commit is one statement wherever it can be, else one transaction. The server may go away and come
 * back at any moment: what was in flight answers `store_unavailable`, and the next call gets a new connection.
 */

const idleMs = 30_000;
/** Any number will do as long as nobody else takes it. */
const migrationLock = '4927306115';
const mostTries = 8;

const refused = 'DW001';
/** Another transaction was in the way; the same one can be tried again. */
const again = new Set(['40001', '40P01', '55P03']);
/** Classes of SQLSTATE that mean the server is away, starting, stopping or out of something. */
const awayClasses = ['08', '53', '57', '58'];
const wrongSettings = new Set(['28000', '28P01', '3D000', '42501']);

/** Makes a pool; the first query connects. */
export async function openPostgres(url: string, log: Log, patienceMs: number = usualPatienceMs): Promise<Driver> {
  const { Pool: PgPool, types } = await driverPackage();
  const int8 = 20;
  const pool = new PgPool({
    connectionString: url,
    application_name: 'doorward',
    max: 16,
    connectionTimeoutMillis: patienceMs,
    idleTimeoutMillis: idleMs,
    statement_timeout: 2 * patienceMs,
    query_timeout: 3 * patienceMs,
    idle_in_transaction_session_timeout: 3 * patienceMs,
    keepAlive: true,
    // Only here: the application's own pg keeps its parsers.
    types: {
      getTypeParser: ((oid: number, format: 'text') =>
        oid === int8 ? Number : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
    },
  });
  // Without a listener a server that restarts ends this process.
  pool.on('error', (error) => log('warn', 'a PostgreSQL connection was lost', { detail: error.message }));
  return new PostgresDriver(pool);
}

async function driverPackage(): Promise<typeof import('pg')['default']> {
  try {
    return (await import('pg')).default;
  } catch (error) {
    throw new DoorwardError('configuration', 'PostgreSQL needs the package pg: npm install pg', { cause: error });
  }
}

class PostgresDriver implements Driver {
  readonly dialect = 'postgres';
  readonly #pool: Pool;
  readonly #texts = new Texts();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async read(query: Sql): Promise<readonly Row[]> {
    if (!isStorableSql(query)) return [];
    return this.#onClient((client) => rowsOf(client, this.#texts.single(query.text, query.params)));
  }

  write(query: Sql): Promise<readonly Row[]> {
    return this.#onClient((client) => rowsOf(client, this.#texts.single(query.text, query.params)));
  }

  async transact(transaction: Transaction): Promise<Failure | null> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#onClient((client) => this.#attempt(client, transaction));
      } catch (error) {
        if (tries >= mostTries) throw error;
        if (again.has(stateOf(causeOf(error)))) await sleep(Math.random() * 10 * tries);
        else if (await this.#happened(error, transaction.proof)) return null;
      }
    }
  }

  migrate<T>(work: (script: Script) => Promise<T>): Promise<T> {
    return this.#onClient(async (client) => {
      const script: Script = {
        run: async (text) => void (await client.query(text)),
        query: (query) => rowsOf(client, { text: numbered(query.text), name: undefined, values: [...query.params] }),
      };
      await client.query('BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0');
      await client.query(`SELECT pg_advisory_xact_lock(${migrationLock})`);
      const result = await work(script);
      await client.query('COMMIT');
      return result;
    });
  }

  backup(): Promise<void> {
    throw new DoorwardError('configuration', 'a PostgreSQL database is backed up with pg_dump');
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  async #attempt(client: PoolClient, { statements, within }: Transaction): Promise<Failure | null> {
    if (within === undefined && isFoldable(statements)) {
      try {
        await client.query(this.#texts.folded(statements));
        return null;
      } catch (error) {
        return failureOf(error, null);
      }
    }
    await client.query('BEGIN');
    const failure = await this.#oneByOne(client, statements, within);
    if (failure !== null) await client.query('ROLLBACK');
    return failure;
  }

  async #oneByOne(client: PoolClient, statements: readonly Statement[], within?: Within): Promise<Failure | null> {
    let index: number | null = 0;
    try {
      for (const { sql, expect } of statements) {
        const { rowCount } = await client.query(this.#texts.single(sql.text, sql.params));
        if (expect !== undefined && rowCount !== expect) return { kind: 'unexpected', index };
        index += 1;
      }
      // References that are checked at the end belong to no statement.
      index = null;
      const refusal = within === undefined ? null : await runWithin(client, within);
      if (refusal !== null) return { kind: 'vetoed', refusal };
      await client.query('COMMIT');
      return null;
    } catch (error) {
      return failureOf(error, index);
    }
  }

  /**
   * After a connection was lost in the middle: true when the commit happened all the same, false when it may be sent
   * again. That is safe for a commit with a run, whose guards let only one of the two through.
   */
  async #happened(error: unknown, proof: Sql | null): Promise<boolean> {
    if (proof === null || !isLost(causeOf(error))) throw error;
    const rows = await this.read(proof);
    return rows.length > 0;
  }

  /** Lends a connection. After an error nobody knows what state it is in: it is thrown away. */
  async #onClient<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    let client: PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw settled(error, 'cannot be reached');
    }
    // An idle client reports to the pool, a lent one to whoever has it; the query in flight rejects as well.
    const ignore = () => undefined;
    client.on('error', ignore);
    let broken = true;
    try {
      const result = await work(client);
      broken = false;
      return result;
    } catch (error) {
      throw settled(error, 'did not answer');
    } finally {
      client.off('error', ignore);
      client.release(broken);
    }
  }
}

/** A statement of the application that met a lock or a lost connection is our trouble, whatever the hook made of it. */
async function runWithin(client: PoolClient, { limitMs, run }: Within): Promise<Refusal | null> {
  let trouble: unknown = null;
  await client.query(`SET LOCAL statement_timeout = ${limitMs}`);
  const refusal = await run({
    dialect: 'postgres',
    async query(text, params = []) {
      try {
        // Extended: a text with several statements could end the transaction.
        const result = await client.query({ text, values: [...params], queryMode: 'extended' } as QueryConfig);
        return result.rows as Record<string, unknown>[];
      } catch (error) {
        if (again.has(stateOf(error)) || isLost(error)) trouble = error;
        throw error;
      }
    },
  });
  if (trouble !== null) throw trouble;
  return refusal;
}

async function rowsOf(client: PoolClient, { text, name, values }: Prepared): Promise<readonly Row[]> {
  const config = { text, values, rowMode: 'array' as const };
  const result = await client.query(name === undefined ? config : { ...config, name });
  return result.rows as Row[];
}

function failureOf(error: unknown, index: number | null): Failure {
  const state = stateOf(error);
  if (state === refused) return { kind: 'unexpected', index: Number(messageOf(error)) };
  if (state === '23505') return { kind: 'unique', key: fieldOf(error, 'constraint'), index };
  if (state === '23503') return { kind: 'missing', table: fieldOf(error, 'table'), index };
  // 22: a value that the column cannot hold; 23: any other constraint.
  if (state.startsWith('22') || state.startsWith('23')) return { kind: 'constraint', detail: messageOf(error), index };
  throw error;
}

/** What a caller gets: the server's absence under our code, anything else as it is. */
function settled(error: unknown, what: string): unknown {
  if (wrongSettings.has(stateOf(error)))
    return new DoorwardError('configuration', `PostgreSQL refused the connection: ${messageOf(error)}`, {
      cause: error,
    });
  if (isAnswer(error) && !isAway(error) && !again.has(stateOf(error))) return error;
  return new DoorwardError('store_unavailable', `PostgreSQL ${what}: ${messageOf(error)}`, {
    cause: error,
    retryAfter: 5,
  });
}

/** The server said it; anything else is the connection's fault. */
function isAnswer(error: unknown): boolean {
  return stateOf(error) !== '' || (error instanceof Error && error.name === 'DoorwardError');
}

function isAway(error: unknown): boolean {
  return awayClasses.includes(stateOf(error).slice(0, 2)) || stateOf(error) === '25P03';
}

/** The connection went before the answer came, so the commit may have happened. A cancelled statement has not. */
function isLost(error: unknown): boolean {
  return !isAnswer(error) || ['57P01', '57P02', '57P03', '08006', '08003'].includes(stateOf(error));
}

function causeOf(error: unknown): unknown {
  return error instanceof DoorwardError && error.cause !== undefined ? error.cause : error;
}

/** SQLSTATE; '' for what did not come from the server (Node's own codes are longer). */
function stateOf(error: unknown): string {
  const code = fieldOf(error, 'code');
  return /^[0-9A-Z]{5}$/.test(code) ? code : '';
}

function fieldOf(error: unknown, name: 'code' | 'constraint' | 'table'): string {
  const value: unknown = error instanceof Error ? Reflect.get(error, name) : undefined;
  return typeof value === 'string' ? value : '';
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
