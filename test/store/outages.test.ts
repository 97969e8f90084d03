import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { newUuid } from '../../src/kernel/ids.ts';
import { Keyring } from '../../src/kernel/secrets.ts';
import { type OpenStore, openStore } from '../../src/store/open.ts';
import { unavailable } from '../../src/store/sqlite-errors.ts';
import {
  added,
  commit,
  counted,
  create,
  draft,
  emptyDatabase,
  event,
  loadAt,
  run,
  secretKey,
  start,
} from './databases.ts';

const keyring = new Keyring(secretKey);

/** Stands between a store and PostgreSQL. */
class Wire {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  /** `deaf`: what the server answers is swallowed, and the connection is cut instead. */
  mode: 'open' | 'deaf' | 'closed' = 'open';

  constructor(target: URL) {
    this.#server = createServer((client) => {
      if (this.mode === 'closed') return void client.destroy();
      const server = connect(Number(target.port), target.hostname);
      for (const socket of [client, server]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#sockets.delete(socket);
          client.destroy();
          server.destroy();
        });
      }
      client.on('data', (data) => server.write(data));
      server.on('data', (data) => {
        if (this.mode !== 'deaf') return void client.write(data);
        this.mode = 'open';
        client.destroy();
      });
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  cut(): void {
    this.mode = 'closed';
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

describe('PostgreSQL going away', () => {
  let wire: Wire;
  let store: OpenStore;
  let remove: () => Promise<void>;

  beforeAll(async () => {
    const empty = await emptyDatabase('postgres');
    remove = empty.remove;
    const url = new URL('postgres' in empty.database ? empty.database.postgres : '');
    wire = new Wire(new URL(url));
    url.port = String(await wire.listen());
    url.hostname = '127.0.0.1';
    store = await openStore({ database: { ...empty.database, postgres: url.href }, keyring, clock: systemClock });
  });

  afterAll(async () => {
    await store.close();
    await wire.close();
    await remove();
  });

  it('tells by the run whether a commit without an answer happened (W34)', async () => {
    const user = await draft(store, 'unheard');
    const one = run('unheard');
    wire.mode = 'deaf';
    expect(await commit(store, [create(user)], [{ mode: 'insert', run: one }])).toEqual({ status: 'done' });
    expect(await store.read.user(user.id)).toEqual(user);
    wire.mode = 'deaf';
    const moved = { ...one, seq: 2 };
    const several = { kind: 'session.touch', tokenHash: 'x', at: start, address: '' } as const;
    const effects = [event('unheard'), several, several];
    expect(await commit(store, effects, [{ mode: 'update', run: moved }])).toEqual({ status: 'done' });
    expect((await loadAt(store, 'unheard', start)).run?.seq).toBe(2);
    expect(await store.accounts.listEvents({ action: 'unheard' })).toHaveLength(1);
  });

  it('does not repeat a commit that nothing can prove', async () => {
    const user = await draft(store, 'unproven');
    wire.mode = 'deaf';
    await expect(commit(store, [create(user)])).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  it('answers 503 while it is away, and goes on afterwards', async () => {
    const user = await added(store, 'patient');
    wire.cut();
    await expect(store.ready()).rejects.toMatchObject({ code: 'store_unavailable', status: 503 });
    const answer = commit(store, [event('away')], [{ mode: 'insert', run: run('away') }]);
    await expect(answer).rejects.toMatchObject({ code: 'store_unavailable' });
    wire.mode = 'open';
    expect(await store.read.user(user.id)).toEqual(user);
    expect(await store.accounts.listEvents({ action: 'away' })).toEqual([]);
  });

  it('is a wrong setting where the database or the server does not exist', async () => {
    const empty = await emptyDatabase('postgres');
    await empty.remove();
    const opening = openStore({ database: empty.database, keyring, clock: systemClock });
    await expect(opening).rejects.toMatchObject({ code: 'configuration' });
    const nowhere = openStore({ database: { postgres: 'postgres://127.0.0.1:1/x' }, keyring, clock: systemClock });
    await expect(nowhere).rejects.toMatchObject({ code: 'store_unavailable' });
  });
});

/** Another process that writes to the file when told to. */
const writer = `
  const Database = require('libsql');
  const file = new Database(process.argv[1], { timeout: 60_000 });
  process.on('message', (text) => { file.exec(text); process.send('done'); });
  process.send('ready');
`;

describe('another process on the SQLite file', () => {
  let child: ChildProcess;
  let store: OpenStore;
  let remove: () => Promise<void>;
  const tell = async (text: string): Promise<void> => {
    child.send(text);
    await once(child, 'message');
  };

  beforeAll(async () => {
    const empty = await emptyDatabase('sqlite');
    remove = empty.remove;
    store = await openStore({ database: empty.database, keyring, clock: systemClock });
    const file = 'sqlite' in empty.database ? empty.database.sqlite : '';
    child = spawn(process.execPath, ['-e', writer, file], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    await once(child, 'message');
  });

  afterAll(async () => {
    child.disconnect();
    await once(child, 'exit');
    await store.close();
    await remove();
  });

  it('is waited for, without stopping this one', async () => {
    const user = await draft(store, 'waiting');
    await tell("BEGIN IMMEDIATE; UPDATE doorward_id_block SET next = next + 1000 WHERE name = 'user'");
    const committing = commit(store, [create(user)]);
    // Reading goes on, and so does talking to the other process.
    expect(await store.read.user(user.id)).toBeNull();
    await tell('COMMIT');
    expect(await committing).toEqual({ status: 'done' });
    expect(await store.read.user(user.id)).toEqual(user);
  });

  it('writes at the same time, and nobody loses anything', async () => {
    const statement =
      "INSERT INTO doorward_attempt (bucket, window_start, count, expires_at) VALUES ('other', 0, 1, 0) ON CONFLICT (bucket) DO UPDATE SET count = count + 1;";
    const theirs = tell(statement.repeat(100));
    const ours = await Promise.all(Array.from({ length: 100 }, () => commit(store, [event('ours')])));
    await theirs;
    expect(counted(ours)).toEqual({ done: 100 });
    expect(await store.accounts.listEvents({ action: 'ours', limit: 200 })).toHaveLength(100);
    await tell("UPDATE doorward_attempt SET expires_at = 2000000000000 WHERE bucket = 'other'");
    expect(await store.read.attempts('other', 1, start)).toBe(100);
  });

  it('sees nothing of a commit that was refused', async () => {
    const gone = { kind: 'session.renew', from: newUuid(), to: newUuid() } as const;
    expect((await commit(store, [event('refused'), gone])).status).toBe('refused');
    await tell("DELETE FROM doorward_event WHERE action = 'refused'");
    expect(await store.accounts.listEvents({ action: 'refused' })).toEqual([]);
  });
});

describe('a disk that is full, or read only', () => {
  it('is the store being unavailable, and says why', () => {
    const file = new Database(':memory:');
    file.exec('CREATE TABLE t (a text); PRAGMA max_page_count = 2');
    expect(errorOf(() => file.exec(`INSERT INTO t VALUES ('${'x'.repeat(100_000)}')`))).toMatchObject({
      code: 'store_unavailable',
      detail: expect.stringContaining('full'),
    });
    file.exec('PRAGMA query_only = ON');
    expect(errorOf(() => file.exec("INSERT INTO t VALUES ('x')"))).toMatchObject({
      code: 'store_unavailable',
      detail: expect.stringContaining('cannot be written'),
    });
  });
});

function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return unavailable(error);
  }
  return null;
}
