import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import Libsql from 'libsql';
import pg from 'pg';
import type { Hasher } from '../../src/app/options.ts';
import { openHasher } from '../../src/testing/rig.ts';

/** What answering one visitor took. */
export interface Work {
  /** What the database's driver was given, in order: the verbs and tables of each statement, and a digest of its text. */
  readonly statements: string[];
  /** Passwords that were hashed or compared, for stand-ins as well. */
  hashes: number;
}

const underWay = new AsyncLocalStorage<Work>();

/** Everything that comes of `answer` counts as its work; what the server does by itself, beside it, does not. */
export function counting<Result>(work: Work, answer: () => Promise<Result>): Promise<Result> {
  return underWay.run(work, answer);
}

/** Hashing that costs nothing and is counted. */
export const countedHasher: Hasher = {
  hash: (password) => hashed(() => openHasher.hash(password)),
  verify: (stored, password) => hashed(() => openHasher.verify(stored, password)),
  decoy: (password, format) => hashed(() => openHasher.decoy(password, format)),
};

function hashed<Result>(work: () => Promise<Result>): Promise<Result> {
  const current = underWay.getStore();
  if (current !== undefined) current.hashes += 1;
  return work();
}

/**
 * A message may be on its way before its asker is answered: only putting it there is the answer's work. Ids of users are
 * reserved by the hundred, for whoever comes.
 */
function given(text: string): void {
  const isDelivery = text.includes('doorward_outbox') && !text.includes('INSERT INTO doorward_outbox');
  if (!isDelivery && !text.includes('doorward_id_block')) underWay.getStore()?.statements.push(gist(text));
}

/** Short enough to see at a glance where two stories part. */
function gist(text: string): string {
  const words = text.match(/\b(?:SELECT|INSERT|UPDATE|DELETE|doorward_\w+)\b/g) ?? [text.trim()];
  return `${[...new Set(words)].join(' ')} #${createHash('sha256').update(text).digest('hex').slice(0, 6)}`;
}

type Method = (...given: unknown[]) => unknown;

/**
 * Listens to the packages `pg` and `libsql` themselves: what they are given is what databases get, whoever gives it.
 *
 * @returns what ends it
 */
export function watchDrivers(): () => void {
  const undo: (() => void)[] = [];
  const replace = (where: object, name: string, make: (real: Method) => Method): void => {
    const real = Reflect.get(where, name) as Method;
    Reflect.set(where, name, make(real));
    undo.push(() => Reflect.set(where, name, real));
  };
  replace(
    pg.Client.prototype,
    'query',
    (real) =>
      function (this: unknown, ...args) {
        const [query] = args as [string | { readonly text: string }];
        given(typeof query === 'string' ? query : query.text);
        return Reflect.apply(real, this, args);
      },
  );
  const texts = new WeakMap<object, string>();
  replace(
    Libsql.prototype,
    'prepare',
    (real) =>
      function (this: unknown, ...args) {
        const statement = Reflect.apply(real, this, args) as object;
        texts.set(statement, String(args[0]));
        return statement;
      },
  );
  replace(
    Libsql.prototype,
    'exec',
    (real) =>
      function (this: unknown, ...args) {
        given(String(args[0]));
        return Reflect.apply(real, this, args);
      },
  );
  const sample = new Libsql(':memory:');
  const prepared = Object.getPrototypeOf(sample.prepare('SELECT 1')) as object;
  for (const name of ['run', 'all', 'get'])
    replace(
      prepared,
      name,
      (real) =>
        function (this: object, ...args) {
          given(texts.get(this) ?? '');
          return Reflect.apply(real, this, args);
        },
    );
  sample.close();
  return () => {
    for (const take of undo) take();
  };
}
