import type { Effect, Refusal } from '../engine/effects.ts';
import { freeze } from '../engine/plan-context.ts';
import type { Commit, CommitAnswer, Hooks, RunWrite } from '../engine/ports.ts';
import type { Run } from '../engine/run.ts';
import type { Keyring } from '../kernel/secrets.ts';
import { keepsAnAdministrator } from './administrators.ts';
import type { Driver, Failure, Log, Statement, Transaction, Within } from './driver.ts';
import { effectStatements, eventStatements, rankOf } from './effect-statements.ts';
import { refusalOf } from './refusals.ts';
import { stateSchema } from './rows.ts';
import { isStorableSql, sql } from './sql.ts';
import { userStatements } from './user-rows.ts';

/*
 * The commit: the only writer of runs and account data. It compiles the runs' steps and their effects to statements,
 * which a driver carries out in one transaction, and turns what the database refused into an answer.
 */

/** What a commit is carried out with. */
export interface CommitParts {
  readonly driver: Driver;
  readonly keyring: Keyring;
  readonly log: Log;
  readonly hooks: Hooks | null;
}

/**
 * Carries out one commit, all of it or nothing.
 *
 * @throws DoorwardError `store_unavailable` when the database is away or locked; nothing was written, or nobody can tell
 */
export async function commitOn(
  { driver, keyring, log, hooks }: CommitParts,
  now: number,
  commit: Commit,
): Promise<CommitAnswer> {
  const statements = [
    ...commit.runs.flatMap((write) => runStatements(write, commit.id, keyring)),
    ...accountStatements(commit.effects, { keyring, now, ownRuns: commit.runs.map(({ run }) => run.id) }),
  ];
  const [first] = commit.runs;
  const proof =
    first === undefined
      ? null
      : sql`SELECT 1 FROM doorward_run WHERE id = ${first.run.id} AND commit_id = ${commit.id}`;
  const within = hooks === null ? null : withinCommit(hooks, commit.effects);
  return carryOut(driver, log, { statements, proof, ...(within === null ? {} : { within }) });
}

/** The application's hooks for these effects, one after the other; null where there is nothing for them. */
function withinCommit(hooks: Hooks, effects: readonly Effect[]): Within | null {
  const calls = effects.flatMap((effect) => (effect.kind === 'hook.user_write' ? [effect.written] : []));
  if (calls.length === 0) return null;
  return {
    limitMs: hooks.limitMs,
    async run(tx) {
      for (const written of calls) {
        const refusal = await hooks.userWrite(written, tx);
        if (refusal !== null) return refusal;
      }
      return null;
    },
  };
}

/** Carries out statements; the first one that is refused decides the answer. */
export async function carryOut(driver: Driver, log: Log, transaction: Transaction): Promise<CommitAnswer> {
  const { statements } = transaction;
  if (statements.length === 0) return { status: 'done' };
  const unstorable = statements.findIndex((statement) => !isStorableSql(statement.sql));
  const failure: Failure | null =
    unstorable < 0
      ? await driver.transact(transaction)
      : { kind: 'constraint', detail: 'a text holds NUL or half a surrogate pair', index: unstorable };
  if (failure === null) return { status: 'done' };
  const refusal: Refusal | 'lost' = refusalOf(failure, statements);
  if (refusal === 'lost') return { status: 'lost' };
  if (failure.kind === 'constraint')
    log('warn', 'the database refused a write', { effect: refusal.effect, detail: failure.detail });
  return { status: 'refused', refusal };
}

/** Statements of effects on account data, in the order in which they can be carried out one by one. */
export function accountStatements(
  effects: readonly Effect[],
  { keyring, now, ownRuns }: { readonly keyring: Keyring; readonly now: number; readonly ownRuns: readonly string[] },
): readonly Statement[] {
  if (effects.length === 0) return [];
  const renewed = new Map(
    effects.flatMap((effect) => (effect.kind === 'session.renew' ? [[effect.to, effect.from]] : [])),
  );
  const setting = { now, keyring, ownRuns, renewed };
  const ordered = effects.toSorted((a, b) => rankOf(a.kind) - rankOf(b.kind) || inOrder(bucketOf(a), bucketOf(b)));
  const before = ordered.filter((effect) => rankOf(effect.kind) < 2);
  const after = ordered.filter((effect) => rankOf(effect.kind) >= 2);
  const kept = keepsAnAdministrator(effects);
  return [
    ...kept.first,
    ...before.flatMap((effect) => effectStatements(effect, setting)),
    ...userStatements(after, now),
    ...after.flatMap((effect) => effectStatements(effect, setting)),
    ...eventStatements(after),
    ...kept.last,
  ];
}

/** Counters are what many commits share: always locked in the same order, they never deadlock. */
function bucketOf(effect: Effect): string {
  return 'bucket' in effect ? effect.bucket : '';
}

function inOrder(a: string, b: string): number {
  return Number(a > b) - Number(a < b);
}

function runStatements({ mode, run, replaces }: RunWrite, commitId: string, keyring: Keyring): Statement[] {
  const statement =
    mode === 'insert' ? insertStatement(run, commitId, keyring) : updateStatement(run, commitId, keyring);
  if (replaces === undefined) return [statement];
  // The unique index must see the old run gone before the new one comes: never folded, since they touch the same place.
  const place = `run:${run.session}:${run.flow}:${run.variant}`;
  return [
    { effect: 'run', touches: [place], sql: sql`DELETE FROM doorward_run WHERE id = ${replaces} AND ended IS NULL` },
    { ...statement, touches: [...statement.touches, place] },
  ];
}

function insertStatement(run: Run, commitId: string, keyring: Keyring): Statement {
  return {
    effect: 'run',
    touches: [`run:${run.id}`],
    expect: 1,
    otherwise: 'lost',
    sql: sql`
      INSERT INTO doorward_run (id, session, origin_session, flow, variant, version, user_id, impersonator_id, seq, state,
        ended, ended_at, commit_id, created_at, expires_at)
      VALUES (${run.id}, ${run.session}, ${run.originSession}, ${run.flow}, ${run.variant}, ${run.version}, ${run.userId},
        ${run.impersonatorId}, ${run.seq}, ${stateText(run, keyring)}, ${endedText(run)}, ${run.ended?.at ?? null},
        ${commitId}, ${run.createdAt}, ${run.expiresAt})
      ON CONFLICT DO NOTHING`,
  };
}

function updateStatement(run: Run, commitId: string, keyring: Keyring): Statement {
  return {
    effect: 'run',
    touches: [`run:${run.id}`],
    expect: 1,
    otherwise: 'lost',
    sql: sql`
      UPDATE doorward_run SET session = ${run.session}, origin_session = ${run.originSession}, version = ${run.version},
        user_id = ${run.userId}, impersonator_id = ${run.impersonatorId}, seq = ${run.seq},
        state = ${stateText(run, keyring)}, ended = ${endedText(run)}, ended_at = ${run.ended?.at ?? null},
        commit_id = ${commitId}, expires_at = ${run.expiresAt}
      WHERE id = ${run.id} AND seq = ${run.seq - 1} AND ended IS NULL`,
  };
}

function stateText({ id, state }: Run, keyring: Keyring): string {
  const { context, challenge, memo } = state;
  const kept = freeze({ context, challenge, memo }, (plain) => keyring.seal('run-secret', plain, id));
  return JSON.stringify({ schema: stateSchema, ...state, ...kept });
}

function endedText({ ended }: Run): string | null {
  return ended === null ? null : JSON.stringify(ended);
}
