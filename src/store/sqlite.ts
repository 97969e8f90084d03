import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'libsql';
import { DoorwardError } from '../kernel/errors.ts';
import { Cache, type Driver, type Failure, type Script, type Transaction } from './driver.ts';
import { isStorableSql, type Row, type Sql, sql } from './sql.ts';

/*
 * SQLite: one writing connection behind a queue, one reading connection. libsql is synchronous, so a commit runs in
 * one go without giving way; what must wait for another process waits outside of SQLite, where the event loop runs on.
 */

type Prepared = Database.Statement<unknown[]>;

/** SQLite's primary result codes. */
const codes = {
  busy: 5,
  locked: 6,
  readonly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  constraint: 19,
  notADatabase: 26,
};
const foreignKey = 787;

/** How long a call waits for another process that writes, in milliseconds. */
const patience = 5_000;
/** A migration may wait for another one. */
const migrationPatience = 60_000;

/** Opens the file, which is made when it is not there. */
export async function openSqlite(file: string): Promise<Driver> {
  if (file === '' || file === ':memory:')
    throw new DoorwardError(
      'configuration',
      'SQLite needs a file: a database in memory cannot have a second connection',
    );
  const driver = new SqliteDriver(connect(file), connect(file));
  await driver.prepare();
  return driver;
}

class SqliteDriver implements Driver {
  readonly dialect = 'sqlite';
  readonly #writer: Connection;
  readonly #reader: Connection;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(writer: Connection, reader: Connection) {
    this.#writer = writer;
    this.#reader = reader;
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
    return patiently(() => this.#reader.rows(query), patience);
  }

  write(query: Sql): Promise<readonly Row[]> {
    return this.#alone(() => this.#writer.rows(query));
  }

  transact(transaction: Transaction): Promise<Failure | null> {
    return this.#alone(() => this.#writer.transact(transaction));
  }

  migrate<T>(work: (script: Script) => Promise<T>): Promise<T> {
    const { database } = this.#writer;
    const script: Script = {
      run: async (text) => void database.exec(text),
      query: async (query) => this.#writer.rows(query),
    };
    const turn = this.#queue.then(async () => {
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
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async backup(file: string): Promise<void> {
    createPrivate(file, 'wx');
    await patiently(() => this.#reader.rows(sql`VACUUM INTO ${file}`), patience);
  }

  async close(): Promise<void> {
    await this.#queue;
    this.#reader.database.close();
    this.#writer.database.close();
  }

  /** One writer at a time in this process; the first that finds the file locked waits, the others behind it. */
  #alone<T>(work: () => T): Promise<T> {
    const until = performance.now() + patience;
    const turn = this.#queue.then(() => patiently(work, until - performance.now()));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}

/** One connection with its prepared statements. */
class Connection {
  readonly database: Database.Database;
  readonly #prepared = new Cache<Prepared>(300);
  readonly #begin: Prepared;
  readonly #commit: Prepared;

  constructor(database: Database.Database) {
    this.database = database;
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
  }

  rows(query: Sql): readonly Row[] {
    const prepared = this.#prepare(query);
    if (prepared.reader) return prepared.raw().all(query.params) as Row[];
    prepared.run(query.params);
    return [];
  }

  transact({ statements }: Transaction): Failure | null {
    this.#begin.run();
    let index: number | null = 0;
    try {
      for (const statement of statements) {
        const { changes } = this.#prepare(statement.sql).run(statement.sql.params);
        if (statement.expect !== undefined && changes !== statement.expect) {
          this.rollback();
          return { kind: 'unexpected', index };
        }
        index += 1;
      }
      // References that are checked at the end belong to no statement.
      index = null;
      this.#commit.run();
      return null;
    } catch (error) {
      this.rollback();
      return failureOf(error, index, statements[index ?? -1]?.sql.text ?? '');
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
    mkdirSync(dirname(file), { recursive: true });
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

function failureOf(error: unknown, index: number | null, text: string): Failure {
  if (primaryCode(error) !== codes.constraint) throw error;
  const message = messageOf(error);
  const columns = /^UNIQUE constraint failed: (.+)$/.exec(message)?.[1];
  if (columns !== undefined) return { kind: 'unique', key: columns, index };
  if (rawCode(error) !== foreignKey) return { kind: 'constraint', detail: message, index };
  // The only reference that waits for the end is that of a group to its parent.
  return { kind: 'missing', table: /doorward_\w+/.exec(text)?.[0] ?? 'doorward_group', index };
}

/** The error as people and programs should see it, if it is the file's fault. */
export function unavailable(error: unknown): DoorwardError | null {
  const details: Readonly<Record<number, string>> = {
    [codes.busy]: 'another process kept the SQLite file locked for too long',
    [codes.locked]: 'the SQLite file is locked',
    [codes.readonly]: 'the SQLite file cannot be written: check the permissions of the file and its folder',
    [codes.io]: 'reading or writing the SQLite file failed',
    [codes.corrupt]: 'the SQLite file is damaged: restore a backup',
    [codes.full]: 'the disk of the SQLite file is full',
    [codes.cannotOpen]: 'the SQLite file cannot be opened',
    [codes.notADatabase]: 'the file is not an SQLite database',
  };
  const detail = details[primaryCode(error)];
  if (detail === undefined) return null;
  return new DoorwardError('store_unavailable', `${detail} (${messageOf(error)})`, { cause: error, retryAfter: 5 });
}

function primaryCode(error: unknown): number {
  return rawCode(error) & 255;
}

function rawCode(error: unknown): number {
  return error instanceof Error && 'rawCode' in error && typeof error.rawCode === 'number' ? error.rawCode : 0;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
