import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { openHasher } from '../../src/testing/rig.ts';
import { Gate } from '../support/gate.ts';
import { type FreshDatabase, freshDatabase } from '../support/postgres.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { hiddenFields, send, signUp, WebClient } from '../support/web-client.ts';

const flow = 'default-enrollment-flow';
const page = `/if/flow/${flow}/`;

describe('PostgreSQL away and back (CONTRACT: Outcomes, Statuses)', () => {
  let database: FreshDatabase;
  let gate: Gate;
  let server: TestServer;

  beforeAll(async () => {
    database = await freshDatabase({ url: inject('postgresUrl') });
    const gated = await Gate.before(database.url);
    gate = gated.gate;
    server = await startServer({ hasher: openHasher, database: { postgres: gated.url } });
  });
  afterAll(async () => {
    await server.close();
    await gate.close();
    await database.drop();
  });

  let count = 0;
  let username = '';
  let client: WebClient;
  beforeEach(async () => {
    count += 1;
    username = `visitor-${count}`;
    client = new WebClient(server.origin);
    await client.open(flow);
    // A run that has a row, so that there is something to lose.
    await client.answer({ ...signUp(username), password_repeat: 'another one' });
  });

  const readiness = async (): Promise<number> => (await send(server.origin, '/-/health/ready/')).status;
  /** All connections of the pool may have been cut: it is asked often enough to have noticed each. */
  const isBack = async (): Promise<void> => {
    for (let connection = 0; connection < 16; connection += 1) await readiness();
    expect(await readiness()).toBe(200);
  };
  const happenedOnce = async (name: string): Promise<void> => {
    expect(await server.auth.users.get({ username: name })).not.toBeNull();
    const asked = new pg.Client(database.url);
    await asked.connect();
    const { rows } = await asked.query(
      `SELECT count(*)::int AS n FROM doorward_event JOIN doorward_user ON doorward_user.id = user_id
       WHERE action = 'user_write' AND username = $1`,
      [name],
    );
    await asked.end();
    expect(rows).toEqual([{ n: 1 }]);
  };

  it('W33: says so, stays up, and takes the same answer afterwards', async () => {
    gate.shut();
    expect(await readiness()).toBe(503);
    expect((await send(server.origin, '/-/health/live/')).status).toBe(200);
    const program = await client.post(signUp(username));
    expect([program.status, program.json().code]).toEqual([503, 'store_unavailable']);
    expect(Number(program.headers['retry-after'])).toBeGreaterThan(0);
    const person = await client.request(page);
    expect([person.status, person.headers['retry-after']]).toEqual([503, program.headers['retry-after']]);
    expect(person.text).toContain('Nothing was lost');
    expect(person.text).toContain('href=""');
    gate.open();
    await isBack();
    await client.answer(signUp(username));
    expect(await client.whoAmI()).toBe(username);
    await happenedOnce(username);
  });

  it('a form that was sent meanwhile can be sent again', async () => {
    const form = { ...hiddenFields((await client.request(page)).text), ...signUp(username) };
    gate.shut();
    expect((await client.submit(page, form)).status).toBe(503);
    gate.open();
    await isBack();
    const sent = await client.submit(page, form);
    expect([sent.status, sent.headers.location]).toEqual([303, '/']);
    await happenedOnce(username);
  });

  it('connections that the database ends are replaced', async () => {
    const admin = new pg.Client(database.url);
    await admin.connect();
    const { rows: ended } = await admin.query<{ pid: number }>(
      `SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    const pids = ended.map(({ pid }) => pid);
    const left = async () =>
      (await admin.query('SELECT pid FROM pg_stat_activity WHERE pid = ANY ($1)', [pids])).rows.length;
    await expect.poll(left).toBe(0);
    await admin.end();
    await isBack();
    await client.answer(signUp(username));
    expect(await client.whoAmI()).toBe(username);
  });

  it('cut in the middle of many sign-ups: each visitor comes to the end, and each sign-up happens once', async () => {
    const names = Array.from({ length: 24 }, (_, at) => `crowd-${at}`);
    const crowd = names.map(() => new WebClient(server.origin));
    await Promise.all(crowd.map((visitor) => visitor.open(flow)));
    const first = crowd.map((visitor, at) => visitor.post(signUp(names[at] ?? '')));
    // As soon as one has its answer, the others are somewhere on their way.
    await Promise.race(first);
    gate.shut();
    const statuses = (await Promise.all(first)).map(({ status }) => status);
    expect(new Set([200, 503, ...statuses])).toEqual(new Set([200, 503]));
    gate.open();
    await isBack();
    for (const [at, visitor] of crowd.entries()) {
      if (statuses[at] === 503)
        expect((await visitor.answer(signUp(names[at] ?? ''))).component).toBe('xak-flow-redirect');
      expect(await visitor.whoAmI()).toBe(names[at]);
    }
    for (const name of names) await happenedOnce(name);
  });
});
