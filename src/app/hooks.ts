import { AsyncLocalStorage } from 'node:async_hooks';
import type { Refusal } from '../engine/effects.ts';
import type { HookParam, HookTransaction } from '../engine/hooks.ts';
import type { Hooks } from '../engine/ports.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { isPlainObject } from '../kernel/json.ts';
import type { DoorwardOptions, Log } from './options.ts';

/** Where in the form a veto belongs. */
export interface VetoPlace {
  /** Key of the prompt field. Without one, or where no prompt asked for it, the visitor is denied with the message. */
  readonly field?: string;
  /** For programs; `vetoed` by default. */
  readonly code?: string;
}

/**
 * Thrown by a hook to refuse a write, with a text for the visitor.
 *
 * @example
 * throw new HookVeto('Your company has no seats left.', { field: 'attributes.company', code: 'no_seats' });
 */
export class HookVeto extends Error {
  override readonly name = 'HookVeto';
  readonly field: string | undefined;
  readonly code: string;

  constructor(message: string, { field, code = 'vetoed' }: VetoPlace = {}) {
    super(message);
    this.field = field;
    this.code = code;
  }
}

const defaultLimitMs = 2_000;

/** The application's hooks as the store calls them; null when there are none. */
export function createHooks({ hooks, hookTimeoutMs }: DoorwardOptions, log: Log): Hooks | null {
  const userWrite = hooks?.userWrite;
  if (userWrite === undefined) return null;
  const limitMs = hookTimeoutMs ?? defaultLimitMs;
  return {
    limitMs,
    async userWrite(written, tx) {
      try {
        await runInside(tx, limitMs, (guarded) => userWrite({ ...written, tx: guarded }));
        return null;
      } catch (error) {
        if (!isVeto(error))
          log('error', 'a hook failed, so its write was rolled back', { hook: 'userWrite', error: String(error) });
        return refusalOf(error);
      }
    },
  };
}

function isVeto(error: unknown): error is HookVeto {
  return error instanceof Error && error.name === 'HookVeto';
}

function refusalOf(error: unknown): Refusal {
  const refusal = { reason: 'vetoed', effect: 'hook.user_write' } as const;
  if (!isVeto(error)) return refusal;
  const { field, message, code } = error;
  return { ...refusal, ...(field === undefined ? {} : { field }), detail: { message, code } };
}

/** Set while a hook runs, and in everything that it started. */
const place = new AsyncLocalStorage<{ inside: boolean }>();

async function runInside(
  tx: HookTransaction,
  limitMs: number,
  hook: (tx: HookTransaction) => Promise<void> | void,
): Promise<void> {
  const guarded = new GuardedTransaction(tx);
  const here = { inside: true };
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([place.run(here, async () => hook(guarded)), tooLong]);
    await guarded.complete();
  } finally {
    clearTimeout(timer);
    here.inside = false;
    await guarded.end();
  }
}

const endsTransaction = /^[\s;]*(begin|start|commit|end|rollback|abort|savepoint|release|prepare\s+transaction)\b/i;

/** One statement after the other, none after the end, and a failure that is not forgotten when it is caught. */
class GuardedTransaction implements HookTransaction {
  readonly dialect: HookTransaction['dialect'];
  readonly #tx: HookTransaction;
  #last: Promise<unknown> = Promise.resolve();
  #failure: { readonly error: unknown } | null = null;
  #ended = false;

  constructor(tx: HookTransaction) {
    this.#tx = tx;
    this.dialect = tx.dialect;
  }

  query(sql: string, params: readonly HookParam[] = []): ReturnType<HookTransaction['query']> {
    const turn = this.#last.then(() => this.#send(sql, params));
    this.#last = turn.catch((error: unknown) => {
      this.#failure ??= { error };
    });
    return turn;
  }

  /** Waits for statements that the hook did not wait for. @throws the first error of a statement */
  async complete(): Promise<void> {
    await this.#last;
    if (this.#failure !== null) throw this.#failure.error;
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#last;
  }

  async #send(sql: string, params: readonly HookParam[]): ReturnType<HookTransaction['query']> {
    if (this.#ended) throw refused('the transaction ended with its hook');
    // Without a type checker anything may come; the driver would take it for a lost connection.
    if (typeof sql !== 'string' || sql === '') throw refused('a statement is missing');
    if (endsTransaction.test(sql)) throw refused('a hook cannot begin or end a transaction');
    const unfit = params.findIndex(
      (param) => param !== null && !['string', 'number', 'boolean'].includes(typeof param),
    );
    if (unfit >= 0) throw refused(`parameter ${unfit + 1} must be a text, a number, a boolean or null`);
    return this.#tx.query(sql, params);
  }
}

/** The same functions, which refuse to be called by a hook: they would wait for the very transaction it runs in. */
export function outsideHooks<Api extends object>(api: Api, name = 'auth'): Api {
  const guard = ([key, value]: [string, unknown]): [string, unknown] => {
    if (isPlainObject(value)) return [key, outsideHooks(value, `${name}.${key}`)];
    if (typeof value !== 'function') return [key, value];
    const guarded = (...args: unknown[]): unknown => {
      if (place.getStore()?.inside === true)
        throw refused(`${name}.${key} cannot be called inside a hook: use tx.query, or call it after the write`);
      return Reflect.apply(value, api, args);
    };
    return [key, guarded];
  };
  return Object.fromEntries(Object.entries(api).map(guard)) as Api;
}

function refused(detail: string): DoorwardError {
  return new DoorwardError('invalid_request', detail);
}
