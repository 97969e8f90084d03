import type { Approval, ApprovalFile, ApprovalWord, Asked } from '../engine/approval.ts';
import type { Effect } from '../engine/effects.ts';
import type { Run } from '../engine/run.ts';
import type { Keyring } from '../kernel/secrets.ts';
import type { Driver, Log, Statement } from './driver.ts';
import { readableRun } from './load.ts';
import { int, intOrNull, runColumns, text } from './rows.ts';
import { every, list, type Row, sql } from './sql.ts';

type ApprovalEffect = Extract<Effect, { readonly kind: `approval.${string}` }>;

/** Which of those that wait. */
export interface ApprovalFilter {
  /** pks: of these groups alone. */
  readonly groups?: readonly string[];
  /** Milliseconds since the epoch: whose time is over then, or not yet. */
  readonly dueAt?: number;
  readonly openAt?: number;
  /** Those to be reminded of by then. */
  readonly remindAt?: number;
  /** Those about which this user said nothing. */
  readonly silent?: number;
}

/** Of the table as `a`. */
const columns = sql`a.uuid, a.run, a.flow, a.binding, a.group_pk, a.required, a.asked, a.created_at, a.deadline_at,
  a.remind_at, a.status`;
const runAt = 11;

/** The run first: each word moves it, so no word is older than what is read afterwards. */
export async function approvalFile(
  driver: Driver,
  keyring: Keyring,
  log: Log,
  uuid: string,
): Promise<(ApprovalFile & { readonly run: Run }) | null> {
  const [row] = await driver.read(sql`
    SELECT ${columns}, ${runColumns.of('r')} FROM doorward_approval a JOIN doorward_run r ON r.id = a.run
    WHERE a.uuid = ${uuid}`);
  const run = row === undefined ? null : await readableRun(driver, keyring, log, row, runAt);
  const approval = row === undefined ? null : approvalFrom(row, keyring);
  if (run === null || approval === null) return null;
  const rows = await driver.read(sql`
    SELECT user_id, verdict, reason, said_at FROM doorward_approval_word WHERE approval = ${uuid} ORDER BY said_at, user_id`);
  return { approval, run, words: rows.map(wordFrom) };
}

/** A hundred at most; the ones that end first come first. */
export async function listApprovals(
  driver: Driver,
  keyring: Keyring,
  { groups, dueAt, openAt, remindAt, silent }: ApprovalFilter,
): Promise<readonly Approval[]> {
  if (groups?.length === 0) return [];
  const where = every([
    sql`a.status = 'waiting'`,
    ...(groups === undefined ? [] : [sql`a.group_pk IN (${list(groups)})`]),
    ...(dueAt === undefined ? [] : [sql`a.deadline_at <= ${dueAt}`]),
    ...(openAt === undefined ? [] : [sql`a.deadline_at > ${openAt}`]),
    ...(remindAt === undefined ? [] : [sql`a.remind_at <= ${remindAt}`]),
    ...(silent === undefined
      ? []
      : [sql`NOT EXISTS (SELECT 1 FROM doorward_approval_word w WHERE w.approval = a.uuid AND w.user_id = ${silent})`]),
  ]);
  const rows = await driver.read(
    sql`SELECT ${columns} FROM doorward_approval a WHERE ${where} ORDER BY a.deadline_at, a.uuid LIMIT 100`,
  );
  return rows.map((row) => approvalFrom(row, keyring)).filter((approval) => approval !== null);
}

/** null where it was sealed with a key that is gone. */
function approvalFrom(row: Row, keyring: Keyring): Approval | null {
  const uuid = text(row, 0);
  const asked = keyring.open('run-secret', text(row, 6), uuid);
  if (asked === null) return null;
  return {
    ...{
      uuid,
      run: text(row, 1),
      flow: text(row, 2),
      binding: text(row, 3),
      group: text(row, 4),
      required: int(row, 5),
    },
    ...{ asked: JSON.parse(asked) as Asked, createdAt: int(row, 7), deadlineAt: int(row, 8) },
    ...{ remindAt: intOrNull(row, 9), status: text(row, 10) as Approval['status'] },
  };
}

function wordFrom(row: Row): ApprovalWord {
  const verdict = text(row, 1) === 'approve' ? 'approve' : 'deny';
  return { userId: int(row, 0), verdict, reason: text(row, 2), at: int(row, 3) };
}

export function approvalStatements(
  effect: ApprovalEffect,
  { keyring }: { readonly keyring: Keyring },
): readonly Statement[] {
  const { kind, approval } = effect;
  if (kind === 'approval.ask') return ask(effect.approval, keyring);
  const used = {
    ...{ effect: kind, touches: [`approval:${String(approval)}:${kind}`], expect: 1 },
    otherwise: { reason: 'used', effect: kind },
  } as const;
  if (kind === 'approval.say') {
    const { userId, verdict, reason, at } = effect.word;
    const insert = sql`
      INSERT INTO doorward_approval_word (approval, user_id, verdict, reason, said_at)
      VALUES (${effect.approval}, ${userId}, ${verdict}, ${reason}, ${at}) ON CONFLICT DO NOTHING`;
    return [{ ...used, sql: insert }];
  }
  const set = kind === 'approval.close' ? sql`status = ${effect.status}` : sql`remind_at = NULL`;
  const open = kind === 'approval.close' ? sql`status = 'waiting'` : sql`status = 'waiting' AND remind_at IS NOT NULL`;
  return [{ ...used, sql: sql`UPDATE doorward_approval SET ${set} WHERE uuid = ${effect.approval} AND ${open}` }];
}

function ask(approval: Approval, keyring: Keyring): readonly Statement[] {
  const { uuid, run, flow, binding, group, required, createdAt, deadlineAt, remindAt, status } = approval;
  const asked = keyring.seal('run-secret', JSON.stringify(approval.asked), uuid);
  const effect = 'approval.ask';
  return [
    { effect, touches: [], sql: sql`DELETE FROM doorward_approval WHERE run = ${run} AND binding = ${binding}` },
    {
      ...{ effect, touches: [`approval:${uuid}`] },
      sql: sql`
        INSERT INTO doorward_approval (uuid, run, flow, binding, group_pk, required, asked, created_at, deadline_at,
          remind_at, status)
        VALUES (${uuid}, ${run}, ${flow}, ${binding}, ${group}, ${required}, ${asked}, ${createdAt}, ${deadlineAt},
          ${remindAt}, ${status})`,
    },
  ];
}
