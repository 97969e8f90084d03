import { DoorwardError } from '../kernel/errors.ts';
import type { Keyring } from '../kernel/secrets.ts';
import type { Driver, Script } from './driver.ts';
import { ddlFor, migrations } from './schema.ts';
import { sql } from './sql.ts';

/** What a start did to the schema. */
export interface Migrated {
  /** The schema's number afterwards. */
  readonly version: number;
  /** Names of the steps that were carried out now. */
  readonly applied: readonly string[];
}

/**
 * Brings the schema up to date and checks the secret key, one process at a time.
 *
 * @throws DoorwardError `configuration` when the database is newer than this program, or sealed with another key
 */
export function migrate(driver: Driver, keyring: Keyring, now: number): Promise<Migrated> {
  return driver.migrate(async (script) => {
    await script.run(
      `CREATE TABLE IF NOT EXISTS doorward_migration (id integer NOT NULL PRIMARY KEY, name text NOT NULL, applied_at bigint NOT NULL)`,
    );
    const [row] = await script.query(sql`SELECT coalesce(max(id), 0) FROM doorward_migration`);
    const known = Number(row?.[0]);
    const newest = migrations.at(-1)?.id ?? 0;
    if (known > newest)
      throw new DoorwardError(
        'configuration',
        `the database has schema ${known}, this version of Doorward knows up to ${newest}: start the newer version`,
      );
    const applied: string[] = [];
    for (const migration of migrations) {
      if (migration.id <= known) continue;
      await script.run(ddlFor(driver.dialect, migration));
      await script.query(
        sql`INSERT INTO doorward_migration (id, name, applied_at) VALUES (${migration.id}, ${migration.name}, ${now})`,
      );
      applied.push(migration.name);
    }
    await checkKeys(script, keyring);
    return { version: newest, applied };
  });
}

const prefix = 'key:';

/**
 * The key that wrote last must be among those that are given, or what it sealed could not be read and would be dropped:
 * a node that was forgotten in a change of keys does not start with the old one alone.
 */
async function checkKeys(script: Script, keyring: Keyring): Promise<void> {
  const rows = await script.query(sql`SELECT key, value FROM doorward_install WHERE key LIKE ${`${prefix}%`}`);
  const known = rows.map(([key, turn]) => ({ fingerprint: String(key).slice(prefix.length), turn: Number(turn) }));
  const last = known.reduce((a, b) => (b.turn > a.turn ? b : a), { fingerprint: '', turn: 0 });
  if (known.length > 0 && !keyring.fingerprints.includes(last.fingerprint))
    throw new DoorwardError(
      'configuration',
      'the secret key is not the one that this database was made with; give DOORWARD_SECRET_KEY its old value, or new,old to change it',
    );
  // Only the writing key is noted: an old one that comes along for reading says nothing about this database.
  if (last.fingerprint !== keyring.fingerprint)
    await script.query(sql`
      INSERT INTO doorward_install (key, value) VALUES (${prefix + keyring.fingerprint}, ${String(last.turn + 1)})
      ON CONFLICT (key) DO UPDATE SET value = excluded.value`);
}
