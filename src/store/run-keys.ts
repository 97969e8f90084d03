import type { Run } from '../engine/run.ts';
import type { RunKey } from '../engine/run-key.ts';
import type { Keyring } from '../kernel/secrets.ts';
import type { Driver, Log } from './driver.ts';
import { readableRun } from './load.ts';
import { int, intOrNull, json, runColumns, text, textOrNull } from './rows.ts';
import { type Row, sql } from './sql.ts';

/** Of the table as `k`. */
const keyColumns = sql`k.hash, k.code_hash, k.purpose, k.flow, k.version, k.run, k.binding, k.user_id, k.address, k.asked,
  k.takes_over, k.expires_at`;
const runAt = 12;

/** A key by its hash, expired or not. */
export async function runKey(driver: Driver, hash: string): Promise<RunKey | null> {
  const [row] = await driver.read(sql`SELECT ${keyColumns} FROM doorward_run_key k WHERE k.hash = ${hash}`);
  return row === undefined ? null : keyFrom(row);
}

/** A key and the run that it was made for. */
export async function waiting(
  driver: Driver,
  keyring: Keyring,
  log: Log,
  hash: string,
): Promise<{ readonly key: RunKey; readonly run: Run } | null> {
  const [row] = await driver.read(sql`
    SELECT ${keyColumns}, ${runColumns.of('r')} FROM doorward_run_key k
    JOIN doorward_run r ON r.id = k.run WHERE k.hash = ${hash}`);
  const run = row === undefined ? null : await readableRun(driver, keyring, log, row, runAt);
  return row === undefined || run === null ? null : { key: keyFrom(row), run };
}

function keyFrom(row: Row): RunKey {
  return {
    ...{ hash: text(row, 0), codeHash: textOrNull(row, 1), purpose: text(row, 2), flow: text(row, 3) },
    ...{ version: int(row, 4), run: text(row, 5), binding: text(row, 6), userId: intOrNull(row, 7) },
    ...{ address: text(row, 8), asked: json(row, 9) as unknown as RunKey['asked'], takesOver: row[10] === 1 },
    expiresAt: int(row, 11),
  };
}
