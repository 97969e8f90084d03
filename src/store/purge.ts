import { reputationKeptMs } from '../engine/reputation.ts';
import { keyPrefix } from '../engine/run.ts';
import type { Driver } from './driver.ts';
import { type Sql, sql } from './sql.ts';

/** How many rows a purge deleted. */
export interface Purged {
  readonly sessions: number;
  readonly runs: number;
  readonly attempts: number;
  readonly reputations: number;
  readonly tokens: number;
  readonly invitations: number;
  readonly runKeys: number;
  readonly consents: number;
  readonly messages: number;
  readonly flowVersions: number;
  readonly events: number;
}

/** Milliseconds that rows are kept for; infinity for ever. */
export interface Retention {
  readonly events: number;
  readonly runs: number;
  readonly outbox: number;
}

const hour = 3_600_000;
/** An expired run says so for a while. */
export const keptByDefault: Retention = { events: 365 * 24 * hour, runs: hour, outbox: 24 * hour };
/** An ended run answers repeated posts for ten minutes. */
export const shortest: Retention = { events: hour, runs: hour / 6, outbox: 0 };
/** A visitor who was shown a first page has no run yet, and comes back to that version. */
const flowVersionsKept = 7 * 24 * hour;
/** So many of the newest versions of a flow stay, to be compared and gone back to. */
const flowVersionsToGoBackTo = 50;
/** Rows at a time: a writer of SQLite stops everything else while it works. */
const batch = 1_000;

/** @param now milliseconds since the epoch */
export async function purge(driver: Driver, now: number, retention: Retention): Promise<Purged> {
  const { events, runs, outbox } = before(now, retention);
  const remove = async (make: (limit: number) => Sql): Promise<number> => {
    for (let removed = 0; ; ) {
      const rows = await driver.write(make(batch));
      removed += rows.length;
      if (rows.length < batch) return removed;
    }
  };
  return {
    sessions: await remove(
      (limit) => sql`
        DELETE FROM doorward_session WHERE token_hash IN (SELECT token_hash FROM doorward_session
          WHERE expires_at <= ${now} OR last_used_at + idle_timeout <= ${now} LIMIT ${limit}) RETURNING 1`,
    ),
    // One with a key stays until it expires.
    runs: await remove(
      (limit) => sql`
        DELETE FROM doorward_run WHERE id IN (SELECT id FROM doorward_run
          WHERE expires_at <= ${runs} OR (ended_at <= ${runs} AND session NOT LIKE ${`${keyPrefix}%`}) LIMIT ${limit}) RETURNING 1`,
    ),
    attempts: await remove(
      (limit) => sql`
        DELETE FROM doorward_attempt WHERE bucket IN (SELECT bucket FROM doorward_attempt
          WHERE expires_at <= ${now} LIMIT ${limit}) RETURNING 1`,
    ),
    reputations: await remove(
      (limit) => sql`
        DELETE FROM doorward_reputation WHERE (subject, address) IN (SELECT subject, address FROM doorward_reputation
          WHERE updated_at <= ${now - reputationKeptMs} LIMIT ${limit}) RETURNING 1`,
    ),
    tokens: await remove(
      (limit) => sql`
        DELETE FROM doorward_token WHERE hash IN (SELECT hash FROM doorward_token
          WHERE expires_at <= ${now} LIMIT ${limit}) RETURNING 1`,
    ),
    invitations: await remove(
      (limit) => sql`
        DELETE FROM doorward_invitation WHERE uuid IN (SELECT uuid FROM doorward_invitation
          WHERE expires_at <= ${now} LIMIT ${limit}) RETURNING 1`,
    ),
    runKeys: await remove(
      (limit) => sql`
        DELETE FROM doorward_run_key WHERE hash IN (SELECT hash FROM doorward_run_key
          WHERE expires_at <= ${now} LIMIT ${limit}) RETURNING 1`,
    ),
    consents: await remove(
      (limit) => sql`
        DELETE FROM doorward_consent WHERE uuid IN (SELECT uuid FROM doorward_consent
          WHERE expires_at <= ${now} LIMIT ${limit}) RETURNING 1`,
    ),
    messages: await remove(
      (limit) => sql`
        DELETE FROM doorward_outbox WHERE id IN (SELECT id FROM doorward_outbox
          WHERE sent_at <= ${outbox} LIMIT ${limit}) RETURNING 1`,
    ),
    flowVersions: await remove(
      (limit) => sql`
        DELETE FROM doorward_flow_version WHERE (slug, version) IN (SELECT v.slug, v.version FROM doorward_flow_version v
          WHERE v.created_at <= ${now - flowVersionsKept}
            AND NOT EXISTS (SELECT 1 FROM doorward_flow f WHERE f.slug = v.slug AND f.current_version = v.version)
            AND NOT EXISTS (SELECT 1 FROM doorward_run r WHERE r.flow = v.slug AND r.version = v.version)
            AND (SELECT count(*) FROM doorward_flow_version newer
              WHERE newer.slug = v.slug AND newer.version > v.version) >= ${flowVersionsToGoBackTo}
          LIMIT ${limit}) RETURNING 1`,
    ),
    // The oldest have the lowest ids, so this reads no more than it deletes.
    events: await remove(
      (limit) => sql`
        DELETE FROM doorward_event WHERE created_at <= ${events}
          AND id IN (SELECT id FROM doorward_event ORDER BY id LIMIT ${limit}) RETURNING 1`,
    ),
  };
}

/** The moments before which rows are too old. */
function before(now: number, { events, runs, outbox }: Retention): Retention {
  const moment = (kept: number): number => (Number.isFinite(kept) ? Math.floor(now - kept) : 0);
  return { events: moment(events), runs: moment(runs), outbox: moment(outbox) };
}
