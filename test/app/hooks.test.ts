import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DoorwardOptions, UserWriteHook } from '../../src/app/options.ts';
import { HookVeto } from '../../src/index.ts';
import type { Driver } from '../../src/store/driver.ts';
import { openDriver } from '../../src/store/open.ts';
import { createRig, type Rig, type Visitor } from '../../src/testing/rig.ts';
import { emptyDatabase, given } from '../store/databases.ts';
import { flowYaml } from '../support/flow-yaml.ts';

const failed = 'Failed to update user. Please try again later.';
const prompt = {
  kind: 'prompt',
  fields: [
    { field_key: 'username', type: 'username', required: true },
    { field_key: 'name', required: false },
    { field_key: 'attributes.company.name', required: false },
    { field_key: 'password', type: 'password', required: false },
  ],
};
const signUp = flowYaml({ slug: 'sign-up', stages: [prompt, { kind: 'user_write' }] });
const profile = flowYaml({
  slug: 'profile',
  attrs: { designation: 'stage_configuration', authentication: 'require_authenticated' },
  stages: [prompt, { kind: 'user_write' }],
});

/** The application's own row, written by the hook of the tests. */
async function insert({ user, created, changes, passwordSet, tx }: Parameters<UserWriteHook>[0]): Promise<void> {
  const places = tx.dialect === 'sqlite' ? '?, ?, ?, ?' : '$1, $2, $3, $4';
  await tx.query(`INSERT INTO app_member (user_id, username, created, note) VALUES (${places})`, [
    ...[user.id, user.username, created],
    JSON.stringify({ changes, passwordSet }),
  ]);
}

describe.each(['sqlite', 'postgres'] as const)('the hook of a user write on %s', (dialect) => {
  let rig: Rig;
  /** On the same database, for hooks that never end. The other one's limit is longer than any busy machine takes. */
  let hasty: Rig;
  let driver: Driver;
  let hook: UserWriteHook = insert;
  let calls = 0;
  const logged: string[] = [];
  const closers: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    const { database, remove } = await emptyDatabase(dialect);
    const userWrite: UserWriteHook = (call) => {
      calls += 1;
      return hook(call);
    };
    const options: Partial<DoorwardOptions> = {
      ...{ database, hooks: { userWrite }, hookTimeoutMs: 60_000, blueprints: [signUp, profile] },
      log: (level, message, fields) => {
        if (level === 'error') logged.push(`${message}: ${JSON.stringify(fields)}`);
      },
    };
    rig = await createRig(options);
    hasty = await createRig({ ...options, hookTimeoutMs: 300 });
    driver = await openDriver(database);
    closers.push(
      () => rig.close(),
      () => hasty.close(),
      () => driver.close(),
      remove,
    );
    const yes = dialect === 'sqlite' ? 'integer' : 'boolean';
    const key = 'integer PRIMARY KEY';
    await driver.write({
      text: `CREATE TABLE app_member (user_id ${key}, username text UNIQUE, created ${yes}, note text)`,
      params: [],
    });
  });
  afterAll(async () => {
    for (const close of closers) await close();
  });
  beforeEach(() => {
    hook = insert;
    calls = 0;
    logged.length = 0;
  });

  const members = async (username: string) =>
    driver.read({
      text: 'SELECT user_id, note FROM app_member WHERE username = ?'.replace('?', `'${username}'`),
      params: [],
    });

  async function signingUp(answers: Record<string, unknown>, on = rig): Promise<Visitor> {
    const visitor = on.visitor();
    await visitor.open('sign-up');
    await visitor.answer(answers);
    return visitor;
  }

  /** Nobody was made, and the application's row is gone with them. */
  async function expectNothing(username: string): Promise<void> {
    expect(await rig.auth.users.get({ username })).toBeNull();
    expect(await members(username)).toEqual([]);
  }

  it('commits the application’s rows with the user, under the real id, without the password', async () => {
    const answers = { username: 'ada', name: 'Ada', 'attributes.company.name': 'Engines', password: 'analytical one' };
    (await signingUp(answers)).expectEnd();
    const user = given(await rig.auth.users.get({ username: 'ada' }));
    const [row] = await members('ada');
    expect(row?.[0]).toBe(user.id);
    expect(JSON.parse(String(row?.[1]))).toEqual({
      changes: {
        username: { before: null, after: 'ada' },
        name: { before: null, after: 'Ada' },
        'attributes.company.name': { before: null, after: 'Engines' },
      },
      passwordSet: true,
    });
    expect(String(row?.[1])).not.toContain('analytical');
  });

  it('tells of an update what became different', async () => {
    const told: unknown[] = [];
    hook = ({ user, created, changes, passwordSet }) => void told.push([user.name, created, changes, passwordSet]);
    const user = await rig.auth.users.create({ username: 'grace', name: 'Grace', password: 'some password' });
    const visitor = rig.visitor();
    await visitor.open('default-authentication-flow');
    await visitor.answer({ uid_field: 'grace' });
    await visitor.answer({ password: 'some password' });
    await visitor.open('profile');
    await visitor.answer({ username: 'grace', name: 'Grace Hopper' });
    visitor.expectEnd();
    expect(given(await rig.auth.users.get({ pk: user.id })).name).toBe('Grace Hopper');
    const [only] = told as [string, boolean, Record<string, unknown>, boolean][];
    expect(only?.slice(0, 2)).toEqual(['Grace Hopper', false]);
    expect(only?.[2]).toMatchObject({ name: { before: 'Grace', after: 'Grace Hopper' } });
    expect(only?.[2]).not.toHaveProperty('username');
    expect(only?.[3]).toBe(false);
  });

  it('is rolled back with the user by a veto, whose words the visitor reads', async () => {
    hook = async (call) => {
      await insert(call);
      throw new HookVeto('Your company has no seats left.');
    };
    (await signingUp({ username: 'vetoed' })).expectDenied('Your company has no seats left.');
    await expectNothing('vetoed');
  });

  it('brings the visitor back to the field that it vetoes, and they can finish', async () => {
    hook = async (call) => {
      await insert(call);
      if (call.user.username === 'forbidden')
        throw new HookVeto('This name is reserved.', { field: 'username', code: 'reserved' });
    };
    const visitor = await signingUp({ username: 'forbidden', name: 'Kept', password: 'a kept password' });
    visitor.expectProblem('username', 'reserved');
    expect(visitor.challenge.response_errors?.username?.[0]?.string).toBe('This name is reserved.');
    await expectNothing('forbidden');
    await visitor.answer({ username: 'allowed' });
    visitor.expectEnd();
    const user = given(await rig.auth.users.get({ username: 'allowed' }));
    expect(user.name).toBe('Kept');
    expect((await members('allowed')).map(([id]) => id)).toEqual([user.id]);
  });

  it('denies where no prompt asked for the field that it vetoes', async () => {
    hook = () => {
      throw new HookVeto('The phone number is not valid.', { field: 'attributes.phone' });
    };
    (await signingUp({ username: 'phoneless' })).expectDenied('The phone number is not valid.');
    await expectNothing('phoneless');
  });

  it('leaves nothing when it throws anything else; the error is logged, not shown (W40)', async () => {
    hook = async (call) => {
      await insert(call);
      throw new Error('the billing system said no');
    };
    (await signingUp({ username: 'thrown' })).expectDenied(failed);
    await expectNothing('thrown');
    expect(logged.join()).toContain('the billing system said no');
  });

  it('is cut off when it hangs, and the others go on', async () => {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const late = new Promise((resolve) => {
      hook = async (call) => {
        if (call.user.username !== 'hung') return;
        // Cut off here or there, by how busy the machine is.
        await insert(call).catch(() => undefined);
        await gate;
        await call.tx.query('SELECT 1').catch(resolve);
      };
    });
    const [hung, behind] = await Promise.all(['hung', 'behind'].map((username) => signingUp({ username }, hasty)));
    if (hung === undefined || behind === undefined) throw new Error('nobody came');
    hung.expectDenied(failed);
    behind.expectEnd();
    await expectNothing('hung');
    expect(logged.join()).toContain('longer than 300 ms');
    open();
    expect(String(await late)).toContain('the transaction ended with its hook');
    hook = insert;
    (await signingUp({ username: 'hung' })).expectEnd();
  });

  it('is cut off when it waits for itself through another connection', async () => {
    let outside: Promise<unknown> = Promise.resolve();
    hook = async (call) => {
      await insert(call);
      const { id } = call.user;
      outside = driver.write({
        text: `INSERT INTO app_member (user_id, username) VALUES (${id}, 'outside')`,
        params: [],
      });
      await outside;
    };
    (await signingUp({ username: 'entangled' }, hasty)).expectDenied(failed);
    await outside;
    await expectNothing('entangled');
  });

  it.runIf(dialect === 'postgres')('is cut off in the middle of a statement', async () => {
    hook = async ({ tx }) => void (await tx.query('SELECT pg_sleep(60)'));
    (await signingUp({ username: 'sleeper' }, hasty)).expectDenied(failed);
    await expectNothing('sleeper');
  });

  it('is ended by a statement that fails, even where the hook catches it', async () => {
    hook = async (call) => {
      await insert(call);
      await insert(call).catch(() => undefined);
    };
    (await signingUp({ username: 'twice' })).expectDenied(failed);
    await expectNothing('twice');
    hook = async (call) => {
      await insert(call);
      await insert(call).catch(() => {
        throw new HookVeto('Already a member.', { field: 'username', code: 'unique' });
      });
    };
    (await signingUp({ username: 'twice' })).expectProblem('username', 'unique');
  });

  it.each(['COMMIT', ' rollback', 'BEGIN', 'savepoint x'])('cannot %s', async (statement) => {
    hook = async (call) => {
      await insert(call);
      await call.tx.query(statement);
    };
    (await signingUp({ username: 'ender' })).expectDenied(failed);
    await expectNothing('ender');
  });

  it('waits for statements that the hook did not wait for', async () => {
    hook = (call) => void insert(call);
    (await signingUp({ username: 'hasty' })).expectEnd();
    expect(await members('hasty')).toHaveLength(1);
  });

  it('may not call the provider, which would wait for this very transaction', async () => {
    const said: string[] = [];
    hook = async ({ user }) => {
      const calls = [() => rig.auth.users.get({ pk: user.id }), () => rig.auth.fetch(new Request(rig.origin))];
      for (const call of calls) said.push(await (async () => call())().then(String, String));
    };
    (await signingUp({ username: 'caller' })).expectEnd();
    expect(said[0]).toContain('auth.users.get cannot be called inside a hook');
    expect(said[1]).toContain('auth.fetch cannot be called inside a hook');
    expect(await rig.auth.users.get({ username: 'caller' })).not.toBeNull();
  });

  it('happens once for a doubled answer', async () => {
    const visitor = rig.visitor();
    await visitor.open('sign-up');
    const answers = { component: 'ak-stage-prompt', username: 'doubled' };
    await Promise.all([visitor.post(answers), visitor.clone().post(answers)]);
    expect(await members('doubled')).toHaveLength(1);
    expect((await rig.auth.users.list({ search: 'doubled' })).total).toBe(1);
  });

  it('serves many at once', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `many-${index}`);
    const visitors = await Promise.all(names.map((username) => signingUp({ username })));
    for (const visitor of visitors) visitor.expectEnd();
    expect((await Promise.all(names.map(members))).flat()).toHaveLength(20);
    expect(calls).toBe(20);
  });

  it('is not called in a dry run', async () => {
    const context = { prompt_data: { username: 'imagined' } };
    const { report } = await rig.auth.flows.execute('sign-up', { context, dryRun: true });
    expect(report).toMatchObject({ hooks_called: false });
    expect(calls).toBe(0);
    const { status } = await rig.auth.flows.execute('sign-up', { context });
    expect(status).toBe('done');
    expect(calls).toBe(1);
  });
});
