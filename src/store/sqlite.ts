import { closeSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'libsql';
import { DoorwardError } from '../kernel/errors.ts';
import { makeFolder } from '../kernel/folder.ts';
import {
  Cache,
  type Driver,
  type Failure,
  type Script,
  type Transaction,
  usualPatienceMs,
  type Within,
} from './driver.ts';
import { isStorableSql, type Row, type Sql, sql } from './sql.ts';
import { codes, failureOf, messageOf, primaryCode, unavailable } from './sqlite-errors.ts';
import { hookTransactionOn } from './sqlite-hook.ts';

/*
 * SQLite: one writing connection behind a queue, one reading connection. libsql is synchronous, so a commit runs in
 * one go without giving way; what must wait for another process waits outside of SQLite, where the event loop runs on.
 */

type Prepared = Database.Statement<unknown[]>;

/** A migration may wait for another one. */
const migrationPatience = 60_000;

/** Opens the file, which is made when it is not there. A call waits for another process that writes so many milliseconds. */
export async function openSqlite(file: string, patience: number = usualPatienceMs): Promise<Driver> {
  if (file === '' || file === ':memory:')
    throw new DoorwardError(
      'configuration',
      'SQLite needs a file: a database in memory cannot have a second connection',
    );
  const driver = new SqliteDriver(connect(file), connect(file), patience);
  await driver.prepare();
  return driver;
}

/** A transaction that waits for its turn. */
interface Waiting {
  readonly transaction: Transaction;
  resolve(outcome: Failure | null): void;
  reject(error: unknown): void;
}

class SqliteDriver implements Driver {
  readonly dialect = 'sqlite';
  readonly #writer: Connection;
  readonly #reader: Connection;
  readonly #patience: number;
  #queue: Promise<unknown> = Promise.resolve();
  #waiting: Waiting[] = [];
  #closed = false;

  constructor(writer: Connection, reader: Connection, patience: number) {
    this.#writer = writer;
    this.#reader = reader;
    this.#patience = patience;
  }

  /** Turning WAL on needs the file for itself for a moment. */
  async prepare(): Promise<void> {
    for (const connection of [this.#writer, this.#reader]) {
      await patiently(() => connection.database.pragma('journal_mode = WAL'), migrationPatience);
      for (const setting of ['synchronous = FULL', 'foreign_keys = ON']) connection.database.pragma(setting);
    }
  }

  async read(query: Sql): Promise<readonly Row[]> {
    if (!isStorableSql(query)) return [];
    if (this.#closed) throw closed();
    return patiently(() => this.#reader.rows(query), this.#patience);
  }

  write(query: Sql): Promise<readonly Row[]> {
    return this.#alone(() => this.#writer.rows(query));
  }

  /**
   * Transactions that are asked for in one turn of the event loop share one write to the disk: it is what a commit
   * costs. Each still happens or fails by itself.
   */
  transact(transaction: Transaction): Promise<Failure | null> {
    const { within } = transaction;
    if (within !== undefined)
      return this.#inTurn(() => this.#writer.transactWithin(transaction, within, this.#patience));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ transaction, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => void this.#flush());
    });
  }

  async #flush(): Promise<void> {
    let batch: readonly Waiting[] = [];
    try {
      const outcomes = await this.#alone(() => {
        // Whoever came while this turn was awaited goes along.
        batch = [...batch, ...this.#waiting];
        this.#waiting = [];
        if (batch.length === 0) return [];
        return this.#writer.transactAll(batch.map(({ transaction }) => transaction));
      });
      batch.forEach(({ resolve }, index) => {
        resolve(outcomes[index] ?? null);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  migrate<T>(work: (script: Script) => Promise<T>): Promise<T> {
    const { database } = this.#writer;
    const script: Script = {
      run: async (text) => void database.exec(text),
      query: async (query) => this.#writer.rows(query),
    };
    return this.#inTurn(async () => {
      await patiently(() => database.exec('BEGIN EXCLUSIVE'), migrationPatience);
      try {
        const result = await work(script);
        database.exec('COMMIT');
        return result;
      } catch (error) {
        this.#writer.rollback();
        throw unavailable(error) ?? error;
      }
    });
  }

  async backup(file: string): Promise<void> {
    createPrivate(file, 'wx');
    await patiently(() => this.#reader.rows(sql`VACUUM INTO ${file}`), this.#patience);
  }

  async close(): Promise<void> {
    if (this.#waiting.length > 0) await this.#flush();
    // libsql ends the whole process when a closed database is used, so a late caller is told here.
    this.#closed = true;
    await this.#queue;
    this.#reader.database.close();
    this.#writer.database.close();
  }

  /** One writer at a time in this process; the first that finds the file locked waits, the others behind it. */
  #alone<T>(work: () => T): Promise<T> {
    const until = performance.now() + this.#patience;
    return this.#inTurn(() => patiently(work, until - performance.now()));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(closed());
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}

/** One connection with its prepared statements. */
class Connection {
  readonly database: Database.Database;
  readonly #prepared = new Cache<Prepared>(300);
  /** null for a statement that returns nothing. */
  readonly #reads = new Cache<Prepared | null>(300);
  readonly #begin: Prepared;
  readonly #commit: Prepared;

  constructor(database: Database.Database) {
    this.database = database;
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
  }

  rows(query: Sql): readonly Row[] {
    const read = this.#reads.get(query.text, () => {
      const prepared = this.#prepare(query);
      return prepared.reader ? prepared.raw() : null;
    });
    if (read !== null) return read.all(query.params) as Row[];
    this.#prepare(query).run(query.params);
    return [];
  }

  /** All in one transaction of the database, each behind its own savepoint. */
  transactAll(transactions: readonly Transaction[]): readonly (Failure | null)[] {
    const [only] = transactions;
    if (only !== undefined && transactions.length === 1) return [this.transact(only)];
    this.#begin.run();
    try {
      const outcomes = transactions.map((transaction) => this.#savepoint(transaction));
      this.#commit.run();
      return outcomes;
    } catch (error) {
      this.rollback();
      // A reference that is checked at the end belongs to one of them: alone, each gets its own answer.
      if (primaryCode(error) !== codes.constraint) throw error;
      return transactions.map((transaction) => this.transact(transaction));
    }
  }

  #savepoint({ statements }: Transaction): Failure | null {
    this.database.exec('SAVEPOINT one');
    const failure = this.#carryOut(statements);
    this.database.exec(failure === null ? 'RELEASE one' : 'ROLLBACK TO one; RELEASE one');
    return failure;
  }

  #carryOut(statements: Transaction['statements']): Failure | null {
    for (const [index, statement] of statements.entries()) {
      try {
        const { changes } = this.#prepare(statement.sql).run(statement.sql.params);
        if (statement.expect !== undefined && changes !== statement.expect) return { kind: 'unexpected', index };
      } catch (error) {
        return failureOf(error, index, statement.sql.text);
      }
    }
    return null;
  }

  transact({ statements }: Transaction): Failure | null {
    this.#begin.run();
    try {
      const failure = this.#carryOut(statements);
      if (failure !== null) this.rollback();
      else this.#commit.run();
      return failure;
    } catch (error) {
      this.rollback();
      return failureOf(error, null, '');
    }
  }

  /** The same with the application's own code inside: the file is locked and the queue waits until it is done. */
  async transactWithin({ statements }: Transaction, { run }: Within, patience: number): Promise<Failure | null> {
    await patiently(() => this.#begin.run(), patience);
    try {
      const failure = this.#carryOut(statements);
      const refusal = failure === null ? await run(hookTransactionOn(this.database)) : null;
      if (failure === null && refusal === null) this.#commit.run();
      else this.rollback();
      return refusal === null ? failure : { kind: 'vetoed', refusal };
    } catch (error) {
      this.rollback();
      if (primaryCode(error) === codes.constraint) return failureOf(error, null, '');
      throw unavailable(error) ?? error;
    }
  }

  rollback(): void {
    if (this.database.inTransaction) this.database.exec('ROLLBACK');
  }

  #prepare(query: Sql): Prepared {
    return this.#prepared.get(query.text, () => this.database.prepare(query.text));
  }
}

function connect(file: string): Connection {
  try {
    makeFolder(dirname(file));
    createPrivate(file, 'a');
    // Longer would stop the event loop, with all that it serves.
    return new Connection(new Database(file, { timeout: 5 }));
  } catch (error) {
    throw new DoorwardError('configuration', `cannot open the SQLite file ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Makes the file readable for its owner alone: it holds password hashes. */
function createPrivate(file: string, flags: 'a' | 'wx'): void {
  try {
    closeSync(openSync(file, flags, 0o600));
  } catch (error) {
    if (flags === 'a') throw error;
    throw new DoorwardError('configuration', `cannot make the file ${file}: ${messageOf(error)}`, { cause: error });
  }
}

function closed(): DoorwardError {
  return new DoorwardError('store_unavailable', 'the database was closed');
}

/** Tries until the file is free; other processes get their turn meanwhile. */
async function patiently<T>(work: () => T, wait: number): Promise<T> {
  const until = performance.now() + wait;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (primaryCode(error) !== codes.busy || performance.now() > until) throw unavailable(error) ?? error;
    }
    await sleep(1 + Math.random() * 15);
  }
}
