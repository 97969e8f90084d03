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

async function checkKeys(script: Script, keyring: Keyring): Promise<void> {
  const rows = await script.query(sql`SELECT key FROM doorward_install WHERE key LIKE ${`${prefix}%`}`);
  const kept = rows.map(([key]) => String(key).slice(prefix.length));
  if (kept.length > 0 && !keyring.fingerprints.some((fingerprint) => kept.includes(fingerprint)))
    throw new DoorwardError(
      'configuration',
      'the secret key is not the one that this database was made with; give DOORWARD_SECRET_KEY its old value, or new,old to change it',
    );
  // Only the writing key is added: an old one that comes along for reading says nothing about this database.
  if (!kept.includes(keyring.fingerprint))
    await script.query(sql`INSERT INTO doorward_install (key, value) VALUES (${prefix + keyring.fingerprint}, '')`);
}
