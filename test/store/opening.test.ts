import { access, mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import Database from 'libsql';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { Keyring } from '../../src/kernel/secrets.ts';
import { type OpenStore, openStore, type StoreOptions } from '../../src/store/open.ts';
import { ddlFor, migrations } from '../../src/store/schema.ts';
import { added, emptyDatabase, given, newerKeys, onEachDatabase, secretKey } from './databases.ts';

const other = 'a secret key that this database has never seen';
const schema = migrations.map(({ name }) => name);
const keyring = new Keyring(secretKey);

async function execute(database: StoreOptions['database'], text: string): Promise<void> {
  if ('sqlite' in database) {
    const file = new Database(database.sqlite);
    file.exec(text);
    file.close();
    return;
  }
  const client = new pg.Client({ connectionString: database.postgres });
  await client.connect();
  await client.query(text);
  await client.end();
}

onEachDatabase('opening', (rig) => {
  it('migrates once, and keeps what is there', async () => {
    expect(rig.store.migrations).toEqual(schema);
    const user = await added(rig.store, 'kept');
    const again = await rig.open();
    expect(again.migrations).toEqual([]);
    expect(await again.read.user(user.id)).toEqual(user);
    await again.ready();
  });

  it('refuses a secret key that it was not made with, and takes a new one beside the old', async () => {
    await expect(rig.open({ secretKey: other })).rejects.toMatchObject({ code: 'configuration' });
    await rig.open({ secretKey: newerKeys });
    const [newer = '', older = ''] = newerKeys.split(',');
    await rig.open({ secretKey: newer });
    // What the new one sealed meanwhile could not be read by the old one alone.
    for (const secretKey of [other, older])
      await expect(rig.open({ secretKey })).rejects.toMatchObject({ code: 'configuration' });
    await rig.open({ secretKey: `${older},${newer}` });
    await rig.open();
  });

  it('refuses a database of a newer version', async () => {
    await execute(rig.database, "INSERT INTO doorward_migration (id, name, applied_at) VALUES (999, 'later', 0)");
    await expect(rig.open()).rejects.toMatchObject({ code: 'configuration' });
  });
});

describe.each(['sqlite', 'postgres'] as const)('opening an empty database at once on %s', (dialect) => {
  it('migrates in one process, the others wait', async () => {
    const { database, remove } = await emptyDatabase(dialect);
    const opening = Array.from({ length: 4 }, () => openStore({ database, keyring, clock: systemClock }));
    const stores = await Promise.all(opening);
    expect(stores.flatMap(({ migrations }) => migrations)).toEqual(schema);
    await Promise.all(stores.map((store) => store.close()));
    await remove();
  });

  it('gives connections of an older schema a name of their own', async () => {
    const { database, remove } = await emptyDatabase(dialect);
    if ('sqlite' in database) await mkdir(dirname(database.sqlite), { recursive: true });
    const before = migrations.filter(({ id }) => id < 8);
    const rows = before.map(({ id, name }) => `INSERT INTO doorward_migration VALUES (${id}, '${name}', 0);`);
    await execute(
      database,
      `CREATE TABLE doorward_migration (id integer NOT NULL PRIMARY KEY, name text NOT NULL, applied_at bigint NOT NULL);
      ${before.map((migration) => ddlFor(dialect, migration)).join('')} ${rows.join('')}
      INSERT INTO doorward_user (id, uuid, username, username_key, name, email, path, type, is_active, attributes,
        date_joined, last_updated, version, provenance)
        VALUES (1, 'u', 'ada', 'ada', '', '', '', 'internal', 1, '{}', 0, 0, 1, '{}');
      INSERT INTO doorward_connection (source, identifier, user_id, created_at)
        VALUES ('github', '1', 1, 0), ('github', '2', 1, 0);`,
    );
    const store = await openStore({ database, keyring, clock: systemClock });
    expect(store.migrations).toEqual(schema.slice(before.length));
    const [one, two] = await store.accounts.listConnections({ userId: 1 });
    for (const { uuid } of [given(one), given(two)])
      expect(await store.accounts.listConnections({ uuid })).toMatchObject([{ source: 'github', uuid }]);
    expect(one?.uuid).not.toBe(two?.uuid);
    await store.close();
    await remove();
  });

  it('lets the first key win where two come with different ones', async () => {
    const { database, remove } = await emptyDatabase(dialect);
    const keys = [secretKey, other].map((key) => new Keyring(key));
    const opened = await Promise.allSettled(
      keys.map((each) => openStore({ database, keyring: each, clock: systemClock })),
    );
    const stores = opened.flatMap((result): OpenStore[] => (result.status === 'fulfilled' ? [result.value] : []));
    expect(stores).toHaveLength(1);
    await Promise.all(stores.map((store) => store.close()));
    await remove();
  });
});

describe('a SQLite file', () => {
  it('is readable for its owner alone, and is copied into a new file', async () => {
    const { database, remove } = await emptyDatabase('sqlite');
    const store = await openStore({ database, keyring, clock: systemClock });
    const user = await added(store, 'copied');
    const file = 'sqlite' in database ? database.sqlite : '';
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const copy = join(dirname(file), 'copy.db');
    await store.backup(copy);
    expect((await stat(copy)).mode & 0o777).toBe(0o600);
    await expect(store.backup(copy)).rejects.toMatchObject({ code: 'configuration' });
    await store.close();
    const restored = await openStore({ database: { sqlite: copy }, keyring, clock: systemClock });
    expect(await restored.read.user(user.id)).toEqual(user);
    await restored.close();
    await remove();
    await expect(access(file)).rejects.toThrow();
  });

  it('must be a file that can be opened', async () => {
    for (const sqlite of ['', ':memory:', '/dev/null/x.db', '/proc/doorward/x.db']) {
      const opening = openStore({ database: { sqlite }, keyring, clock: systemClock });
      await expect(opening).rejects.toMatchObject({ code: 'configuration' });
    }
  });
});
