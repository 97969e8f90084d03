import type { Effect, Refusal } from '../engine/effects.ts';
import type { HookTransaction } from '../engine/hooks.ts';
import type { Row, Sql } from './sql.ts';

/** Milliseconds that a call waits for the database. */
export const usualPatienceMs = 5_000;

/** One statement of a transaction, with what must come of it. */
export interface Statement {
  /** INSERT, UPDATE or DELETE without RETURNING. */
  readonly sql: Sql;
  /** What asked for it. */
  readonly effect: Effect['kind'] | 'run' | 'definition';
  /**
   * Names of what it writes. PostgreSQL shows every part of a folded statement the same snapshot, so two statements
   * that touch the same thing are carried out one after the other instead.
   */
  readonly touches: readonly string[];
  /** The number of rows that it must write, and what it means when it does not. */
  readonly expect?: number;
  readonly otherwise?: Refusal | 'lost';
}

/** Why a transaction was rolled back. `index` is the statement's, null where the database did not say. */
export type Failure =
  | { readonly kind: 'unexpected'; readonly index: number }
  /** `key`: the index (PostgreSQL) or the columns (SQLite) that had to be unique. */
  | { readonly kind: 'unique'; readonly key: string; readonly index: number | null }
  /** `table`: the one that refers to something missing. */
  | { readonly kind: 'missing'; readonly table: string; readonly index: number | null }
  | { readonly kind: 'constraint'; readonly detail: string; readonly index: number | null }
  | { readonly kind: 'vetoed'; readonly refusal: Refusal };

export interface Transaction {
  readonly statements: readonly Statement[];
  /** Answers with a row when this very transaction happened; null when nothing can tell. */
  readonly proof: Sql | null;
  /** The application's own code, run after the statements and before the transaction ends. */
  readonly within?: Within;
}

export interface Within {
  /** Milliseconds that one statement of it may take, where the database can be told. */
  readonly limitMs: number;
  /** A refusal rolls everything back. */
  run(tx: HookTransaction): Promise<Refusal | null>;
}

/** One database. Every call throws DoorwardError `store_unavailable` when it is away, locked too long or full. */
export interface Driver {
  readonly dialect: 'sqlite' | 'postgres';
  /** A query that changes nothing. Nothing kept equals a text that cannot be kept: then there are no rows. */
  read(query: Sql): Promise<readonly Row[]>;
  /** One statement in a transaction of its own, with the rows that it returns. */
  write(query: Sql): Promise<readonly Row[]>;
  /** All statements or none; null when they were carried out. */
  transact(transaction: Transaction): Promise<Failure | null>;
  /** Runs `work` alone among all processes that migrate, in one transaction. */
  migrate<T>(work: (script: Script) => Promise<T>): Promise<T>;
  /** @throws DoorwardError `configuration` where the database has tools of its own */
  backup(file: string): Promise<void>;
  close(): Promise<void>;
}

/** What a migration may do. */
export interface Script {
  /** Several statements without parameters. */
  run(text: string): Promise<void>;
  query(query: Sql): Promise<readonly Row[]>;
}

export type Log = (level: 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, string>>) => void;

/** A map that forgets its oldest entry when it is full. */
export class Cache<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #limit: number;
  constructor(limit: number) {
    this.#limit = limit;
  }
  get(key: string, make: () => Value): Value {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (this.#entries.size >= this.#limit) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    const made = make();
    this.#entries.set(key, made);
    return made;
  }
}
