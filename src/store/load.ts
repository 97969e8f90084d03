import type { Loaded, Store } from '../engine/ports.ts';
import type { Run } from '../engine/run.ts';
import type { Keyring } from '../kernel/secrets.ts';
import type { Driver, Log } from './driver.ts';
import { intOrNull, runColumns, runFrom, sessionColumns, sessionFrom, text, userColumns, userFrom } from './rows.ts';
import { type Row, type Sql, sql } from './sql.ts';

type Key = Parameters<Store['load']>[0];

/** Where the columns of each record begin. */
const sessionAt = 1;
const userAt = sessionAt + sessionColumns.names.length;
const impersonatorAt = userAt + userColumns.names.length;
const runAt = impersonatorAt + userColumns.names.length;

/** One text, composed once: this query and the commit are the hot path. The values are those of `query`. */
const { text: loadText } = sql`
  SELECT flow.current_version, ${sessionColumns.of('session')}, ${userColumns.of('visitor')},
    ${userColumns.of('impersonator')}, ${runColumns.of('run')}
  FROM (SELECT 1) request
  LEFT JOIN doorward_flow flow ON flow.slug = ${''}
  LEFT JOIN doorward_session session ON session.token_hash = ${''} AND session.expires_at > ${0}
    AND (session.idle_timeout IS NULL OR session.last_used_at + session.idle_timeout > ${0})
  LEFT JOIN doorward_user visitor ON visitor.id = session.user_id
  LEFT JOIN doorward_user impersonator ON impersonator.id = session.impersonator_id
  LEFT JOIN doorward_run run ON run.id = (
    SELECT id FROM doorward_run
    WHERE flow = ${''} AND variant = ${''} AND (session = ${''} OR origin_session = ${''})
    ORDER BY created_at DESC, CASE WHEN ended IS NULL THEN 0 ELSE 1 END LIMIT 1)`;

/** What a request needs to know, in one query. */
export async function load(driver: Driver, keyring: Keyring, log: Log, key: Key): Promise<Loaded> {
  const [row] = await driver.read(query(key));
  if (row === undefined) return { flowVersion: null, signedIn: null, run: null };
  const session = sessionFrom(row, sessionAt);
  const user = userFrom(row, userAt);
  return {
    flowVersion: intOrNull(row, 0),
    signedIn: session === null || user === null ? null : { session, user, impersonator: userFrom(row, impersonatorAt) },
    run: await readableRun(driver, keyring, log, row, runAt),
  };
}

function query({ sessionHash, flow, variant, now }: Key): Sql {
  return { text: loadText, params: [flow, sessionHash, now, now, flow, variant, sessionHash, sessionHash] };
}

/** An unreadable run is denied: it is deleted, so that a fresh one can take its place. */
export async function readableRun(
  driver: Driver,
  keyring: Keyring,
  log: Log,
  row: Row,
  at = runAt,
): Promise<Run | null> {
  if (row[at] === null) return null;
  try {
    return runFrom(row, at, keyring);
  } catch (error) {
    const id = text(row, at);
    log('warn', 'a run cannot be read and is ended', { run: id, detail: error instanceof Error ? error.message : '' });
    await driver.write(sql`DELETE FROM doorward_run WHERE id = ${id}`);
    return null;
  }
}
