import type { DefinitionStore } from '../engine/definition.ts';
import type { Hooks, Store } from '../engine/ports.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Keyring } from '../kernel/secrets.ts';
import { type Accounts, accountsOn } from './accounts.ts';
import { approvalFile } from './approval-rows.ts';
import { commitOn } from './commit.ts';
import { definitionsOn } from './definitions.ts';
import type { Driver, Log } from './driver.ts';
import { load } from './load.ts';
import { migrate } from './migrate.ts';
import { type Outbox, outboxOn } from './outbox.ts';
import { openPostgres } from './postgres.ts';
import { readsOn } from './reads.ts';
import { type Resealed, reseal } from './reseal.ts';
import { int } from './rows.ts';
import { waiting } from './run-keys.ts';
import { sql } from './sql.ts';
import { openSqlite } from './sqlite.ts';

/*
 * The room `store`: the database, and all SQL. It gets commits (runs' steps and effects, as data) and answers whether
 * they happened; it gives loaded visitors, reads and definitions. It never decides what should happen.
 */

/** A file, or a connection string. */
export type Database = ({ readonly sqlite: string } | { readonly postgres: string }) & {
  /** Milliseconds that a call waits for another writer or a free connection, before 503; 5,000 by default. */
  readonly patienceMs?: number;
};

export interface StoreOptions {
  readonly database: Database;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly log?: Log;
  /** The application's own code inside commits. */
  readonly hooks?: Hooks;
}

/** An open database, its schema up to date. */
export interface OpenStore extends Store {
  readonly dialect: 'sqlite' | 'postgres';
  readonly definitions: DefinitionStore;
  readonly accounts: Accounts;
  readonly outbox: Outbox;
  /** Names of the migrations that opening it carried out. */
  readonly migrations: readonly string[];
  /** An id that no other user has or will have. */
  newUserId(): Promise<number>;
  /** @throws DoorwardError `store_unavailable` while the database does not answer */
  ready(): Promise<void>;
  /**
   * Seals anew under the first key whatever another one sealed; safe while others serve, and as often as one likes.
   *
   * @param told how many rows were looked at so far
   */
  reseal(told?: (rows: number) => void): Promise<readonly Resealed[]>;
  /** Writes a copy of the database to a new file. @throws DoorwardError `configuration` on PostgreSQL, or where the file exists */
  backup(file: string): Promise<void>;
  close(): Promise<void>;
}

/** The database as it is, for statements by hand. */
export function openDriver(database: Database, log: Log = () => undefined): Promise<Driver> {
  const { patienceMs } = database;
  return 'sqlite' in database
    ? openSqlite(database.sqlite, patienceMs)
    : openPostgres(database.postgres, log, patienceMs);
}

/**
 * Opens and migrates a database.
 *
 * @example
 * const store = await openStore({ database: { sqlite: 'data/doorward.db' }, keyring, clock: systemClock });
 * @throws DoorwardError `configuration` for a wrong key, file or connection string; `store_unavailable` when it is away
 */
export async function openStore(options: StoreOptions): Promise<OpenStore> {
  const { database, keyring, clock, log = () => undefined, hooks = null } = options;
  const driver = await openDriver(database, log);
  try {
    const { applied } = await migrate(driver, keyring, clock.now());
    return {
      dialect: driver.dialect,
      migrations: applied,
      load: (key) => load(driver, keyring, log, key),
      waiting: (hash) => waiting(driver, keyring, log, hash),
      approval: (uuid) => approvalFile(driver, keyring, log, uuid),
      commit: (commit) => commitOn({ driver, keyring, log, hooks }, clock.now(), commit),
      read: readsOn(driver, clock, keyring),
      definitions: definitionsOn({ driver, keyring, clock, log }),
      accounts: accountsOn(driver, clock, keyring),
      outbox: outboxOn(driver, keyring, clock),
      newUserId: userIds(driver),
      ready: async () => void (await driver.read(sql`SELECT 1`)),
      reseal: (told) => reseal(driver, keyring, told),
      backup: (file) => driver.backup(file),
      close: () => driver.close(),
    };
  } catch (error) {
    await driver.close();
    throw error;
  }
}

const blockSize = 100;

/** Hands out ids from blocks: one write for a hundred users, and processes never meet. */
function userIds(driver: Driver): () => Promise<number> {
  let next = 0;
  let left = 0;
  let reserving: Promise<void> | null = null;
  const reserve = async (): Promise<void> => {
    const [row] = await driver.write(
      sql`UPDATE doorward_id_block SET next = next + ${blockSize} WHERE name = 'user' RETURNING next`,
    );
    next = int(row ?? [], 0) - blockSize;
    left = blockSize;
  };
  return async () => {
    while (left === 0) {
      reserving ??= reserve().finally(() => {
        reserving = null;
      });
      await reserving;
    }
    left -= 1;
    next += 1;
    return next - 1;
  };
}
