import { readFileSync } from 'node:fs';
import Database from 'libsql';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app/app.ts';
import { createApp } from '../../src/app/create.ts';
import type { ExecuteOptions, ExecuteResult } from '../../src/app/execute.ts';
import type { DatabaseOption } from '../../src/app/options.ts';
import type { UserType } from '../../src/engine/user.ts';
import type { JsonObject } from '../../src/kernel/json.ts';
import { masked } from '../../src/kernel/secrets.ts';
import { createRig, openHasher } from '../../src/testing/rig.ts';
import { emptyDatabase } from '../store/databases.ts';
import { flowYaml, type StagePart } from '../support/flow-yaml.ts';

/** One app on an empty database of each kind. */
class Bench {
  readonly app: App;
  readonly database: DatabaseOption;
  constructor(app: App, database: DatabaseOption) {
    this.app = app;
    this.database = database;
  }

  async flow(slug: string, stages: readonly StagePart[], attrs: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.app.blueprints.apply([flowYaml({ slug, stages, attrs })]);
  }

  async execute(slug: string, options: ExecuteOptions = {}): Promise<ExecuteResult> {
    return (await this.app.execute(slug, options)).result;
  }

  async usernames(): Promise<readonly string[]> {
    return (await this.app.store.accounts.listUsers({})).users.map(({ username }) => username).toSorted();
  }

  async removeUsers(): Promise<void> {
    for (const { id } of (await this.app.store.accounts.listUsers({ pageSize: 1_000 })).users)
      await this.app.users.delete(id);
  }

  async group(name: string): Promise<void> {
    const [known] = await this.app.store.read.groups([name]);
    if (known == null)
      await this.app.change([
        { kind: 'group.create', group: { pk: name, name, isSuperuser: false, parent: null, attributes: {} } },
      ]);
  }

  /** All rows of all tables. */
  async dump(): Promise<string> {
    const { database } = this;
    if ('sqlite' in database) {
      const file = new Database(database.sqlite, { readonly: true });
      try {
        const tables = file.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all() as {
          name: string;
        }[];
        return JSON.stringify(tables.map(({ name }) => [name, file.prepare(`SELECT * FROM "${name}"`).all()]));
      } finally {
        file.close();
      }
    }
    const client = new pg.Client({ connectionString: database.postgres });
    await client.connect();
    try {
      const { rows } = await client.query<{ name: string }>(
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1",
      );
      const tables = [];
      for (const { name } of rows) tables.push([name, (await client.query(`SELECT * FROM "${name}"`)).rows]);
      return JSON.stringify(tables);
    } finally {
      await client.end();
    }
  }
}

function onEach(name: string, tests: (bench: () => Bench) => void): void {
  describe.each(['sqlite', 'postgres'] as const)(`${name} on %s`, (dialect) => {
    let bench: Bench;
    let remove: () => Promise<void>;
    beforeAll(async () => {
      const empty = await emptyDatabase(dialect);
      remove = empty.remove;
      const options = { secretKey: 'the secret key of a test which is no secret', publicUrl: 'http://localhost:9000' };
      bench = new Bench(
        await createApp({ ...options, database: empty.database, hasher: openHasher }),
        empty.database as DatabaseOption,
      );
    });
    afterAll(async () => {
      await bench.app.close();
      await remove();
    });
    tests(() => bench);
  });
}

interface GivenUser {
  readonly username: string;
  readonly name?: string;
  readonly email?: string;
  readonly password?: string;
  readonly type?: UserType;
  readonly path?: string;
  readonly is_active?: boolean;
  readonly attributes?: JsonObject;
  readonly groups?: readonly string[];
}

interface Vector {
  readonly id: string;
  readonly given: {
    readonly users: readonly GivenUser[];
    readonly visitor: string | null;
    readonly pending_user: string | null;
    readonly impersonating: boolean;
    readonly stage: { readonly create_users_group?: string };
    readonly context: { readonly prompt_data?: JsonObject; readonly groups?: readonly string[] };
  };
  readonly expect: {
    readonly result: 'ok' | 'denied';
    readonly message: string | null;
    readonly created: boolean | null;
    readonly discarded: readonly JsonObject[] | null;
    readonly users_added: number;
    readonly session_renewed: boolean;
    readonly user: (JsonObject & { readonly username: string }) | null;
  };
}

const vectors = JSON.parse(
  readFileSync(new URL('../data/user-write-vectors.json', import.meta.url), 'utf8'),
) as readonly Vector[];

/** Makes the users and groups that a vector gives, and a flow with its stage; returns what to execute. */
async function arrange(bench: Bench, slug: string, { given }: Vector): Promise<ExecuteOptions> {
  await bench.removeUsers();
  const { create_users_group: own, ...stage } = given.stage;
  for (const name of [...given.users.flatMap(({ groups = [] }) => groups), ...(given.context.groups ?? []), own])
    if (name !== undefined) await bench.group(name);
  for (const { is_active: isActive = true, ...user } of given.users)
    await bench.app.users.create({ ...user, isActive });
  if (given.impersonating) await bench.app.users.create({ username: 'the-administrator' });
  const attrs = own === undefined ? stage : { ...stage, create_users_group: own };
  await bench.flow(slug, [{ kind: 'user_write', attrs }]);
  const named = (username: string | null) => (username === null ? null : { username });
  return {
    visitor: named(given.visitor),
    pendingUser: named(given.pending_user),
    impersonator: given.impersonating ? { username: 'the-administrator' } : null,
    context: given.context,
  };
}

onEach('the vectors', (bench) => {
  test.each(vectors.map((vector, index) => [vector.id, vector, index] as const))('%s', async (_id, vector, index) => {
    const { app } = bench();
    const { given, expect: expected } = vector;
    const slug = `vector-${index}`;
    const options = await arrange(bench(), slug, vector);
    const before = await bench().dump();
    const dry = await bench().execute(slug, { ...options, dryRun: true });
    expect(await bench().dump()).toBe(before);
    const count = (await bench().usernames()).length;
    const result = await bench().execute(slug, options);
    expect(result.status).toBe(expected.result === 'ok' ? 'done' : 'denied');
    expect(dry).toMatchObject({ status: result.status, message: result.message, problems: result.problems });
    expect((await bench().usernames()).length - count).toBe(expected.users_added);
    expect(result.report?.session_renewed ?? false).toBe(expected.session_renewed);
    if (expected.message === '*') expect(result.message).toMatch(/./);
    else expect(result.message).toBe(expected.message);
    if (expected.user === null) {
      expect(result.report).toBeNull();
      expect(await bench().dump()).toBe(before);
      return;
    }
    expect(result.report).toMatchObject({ created: expected.created, discarded: expected.discarded });
    expect(dry.report).toMatchObject({ discarded: expected.discarded, dry_run: true });
    const user = await app.users.get({ username: expected.user.username });
    if (user === null) throw new Error('not written');
    const password = given.context.prompt_data?.password;
    expect({
      ...{ username: user.username, name: user.name, email: user.email, path: user.path, type: user.type },
      ...{ is_active: user.isActive, attributes: user.attributes },
      groups: (await app.store.read.groupsOf(user.id)).map(({ name }) => name).toSorted(),
      password_matches:
        typeof password === 'string' ? (await app.store.read.passwordHash(user.id)) === `plain:${password}` : null,
    }).toEqual(expected.user);
  });
});

onEach('execute', (bench) => {
  const username = { field_key: 'username', type: 'username', required: true };
  const secret = { field_key: 'password', type: 'password', required: true };
  const again = { field_key: 'password_repeat', type: 'password', required: true };
  const signUp: StagePart[] = [
    { kind: 'prompt', fields: [username, secret, again, { field_key: 'email', type: 'email', required: false }] },
    { kind: 'user_write' },
    { kind: 'user_login' },
  ];

  const identification: StagePart = { kind: 'identification', attrs: { user_fields: ['username'] } };

  beforeAll(async () => {
    await bench().flow('sign-up', signUp);
    await bench().flow('write', [{ kind: 'user_write' }]);
    await bench().flow('sign-in', [identification], {
      designation: 'authentication',
    });
    for (const name of ['ada', 'bob', 'carl', 'root'])
      await bench().app.users.create({ username: name, name: `First ${name}` });
  });

  test('runs a sign-up to its end: user, event and no session, and a password need not be repeated', async () => {
    const prompted = { username: 'eve', password: 'correct horse', email: 'eve@example.com' };
    const result = await bench().execute('sign-up', { context: { prompt_data: prompted } });
    expect(result).toMatchObject({ status: 'done', message: null, problems: [], challenge: null });
    expect(result.report).toMatchObject({ created: true, user: { username: 'eve' }, session_renewed: false });
    expect(result.reports).toEqual([result.report]);
    const eve = await bench().app.users.get({ username: 'eve' });
    expect(eve).toMatchObject({ email: 'eve@example.com' });
    expect(await bench().app.store.accounts.listSessions(eve?.id ?? 0, null)).toEqual([]);
    const [event] = await bench().app.store.accounts.listEvents({ userId: eve?.id ?? 0 });
    expect(event).toMatchObject({ action: 'user_write', flow: 'sign-up' });
  });

  test('what a prompt does not accept: each problem with its field and code, and nothing is written', async () => {
    const before = await bench().dump();
    const result = await bench().execute('sign-up', {
      context: { prompt_data: { username: 'ADA', password: 'short', email: 'no' } },
    });
    expect(result).toMatchObject({ status: 'challenge', challenge: { component: 'ak-stage-prompt' }, report: null });
    expect(result.problems.map(({ field, code }) => `${field} ${code}`)).toEqual([
      'username unique',
      'password min_length',
      'password_repeat min_length',
      'email invalid',
    ]);
    expect(result.problems[0]?.detail).toBe('Username is already taken.');
    expect(await bench().dump()).toBe(before);
  });

  test('W28, W32, W33: a refused write says which field and why', async () => {
    const problemsOf = async (data: JsonObject) =>
      (await bench().execute('write', { context: { prompt_data: data } })).problems;
    expect(await problemsOf({ username: 'Ada' })).toMatchObject([{ code: 'unique', field: 'username' }]);
    expect(await problemsOf({ name: 'x' })).toMatchObject([{ code: 'blank', field: 'username' }]);
    expect(await problemsOf({ username: 'x'.repeat(151) })).toMatchObject([{ code: 'max_length', field: 'username' }]);
    expect(await problemsOf({ username: 'x', name: null })).toMatchObject([{ code: 'invalid', field: 'name' }]);
    expect(await problemsOf({ username: 'x\0' })).toMatchObject([{ code: 'invalid_request', field: 'username' }]);
    expect(await problemsOf({ username: 'x', other: ['\ud800'] })).toMatchObject([{ field: 'other' }]);
  });

  test('stops at the first challenge that only a person can answer', async () => {
    const result = await bench().execute('sign-in', {});
    expect(result).toMatchObject({ status: 'challenge', message: null, problems: [] });
    expect(result.challenge?.component).toBe('ak-stage-identification');
  });

  test('a flow that does not apply is denied, an unknown one is an error', async () => {
    await bench().flow('members', [{ kind: 'user_write' }], { authentication: 'require_authenticated' });
    expect(await bench().execute('members')).toMatchObject({ status: 'denied' });
    expect(await bench().execute('members', { visitor: { username: 'ada' } })).toMatchObject({
      message: 'No Pending data.',
    });
    await expect(bench().execute('nowhere')).rejects.toMatchObject({ code: 'flow_not_found' });
  });

  test('W41: without a browser a denial ends the run, whatever the binding says', async () => {
    await bench().flow('again', [{ kind: 'user_write', binding: { invalid_response_action: 'restart' } }]);
    expect(await bench().execute('again')).toMatchObject({ status: 'denied', message: 'No Pending data.' });
  });

  test('W4, W37: acts as the visitor, on behalf of the real person; the pending user beats both', async () => {
    const context = { prompt_data: { name: 'Acted upon' }, pending_user: { username: 'root' } };
    const acting = { visitor: { username: 'ada' }, impersonator: { username: 'root' } };
    await bench().execute('write', { ...acting, context: { prompt_data: context.prompt_data } });
    const ada = await bench().app.users.get({ username: 'ada' });
    const [event] = await bench().app.store.accounts.listEvents({ userId: ada?.id ?? 0 });
    expect([event?.user?.username, event?.onBehalfOf?.username].toSorted()).toEqual(['ada', 'root']);
    const bob = await bench().app.users.get({ username: 'bob' });
    const { report } = await bench().execute('write', { ...acting, pendingUser: { pk: bob?.id ?? 0 }, context });
    expect(report).toMatchObject({ user: { username: 'bob' }, created: false });
    expect((await bench().execute('write', { context })).report).toMatchObject({ user: { username: 'root' } });
  });

  test('W36: a new password ends the sessions of the user, and says what would happen to the own one', async () => {
    const visitor = bench();
    const bob = await visitor.app.users.get({ username: 'bob' });
    const given = { visitor: { username: 'bob' }, context: { prompt_data: { password: 'new-Secret1' } } };
    const { report } = await visitor.execute('write', given);
    expect(report).toMatchObject({ session_renewed: true, sessions_ended: 0 });
    expect(await visitor.app.store.accounts.listSessions(bob?.id ?? 0, null)).toEqual([]);
  });

  test('W26, W27: a source is a name, and a connection is saved where it is said to be new', async () => {
    const link = (source: unknown, name: string) =>
      bench().execute('write', { context: { source, prompt_data: { username: name } } });
    await link('github', 'linked');
    await link({ source: 'github', identifier: '42', isNew: true }, 'connected');
    const linked = await bench().app.users.get({ username: 'linked' });
    expect(linked?.attributes).toEqual({ 'goauthentik.io/user/sources': ['github'] });
    const taken = await link({ source: 'github', identifier: '42', isNew: true }, 'another');
    expect(taken).toMatchObject({ status: 'denied', problems: [{ code: 'invalid', field: null }] });
    expect(await bench().usernames()).not.toContain('another');
  });

  test('W11b: hashes count when they are trusted and of a known format, also where a prompt asks for a password', async () => {
    const hash = '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';
    const prompted = { username: 'moved', password_hash: hash };
    const untrusted = await bench().execute('write', { context: { prompt_data: { ...prompted, username: 'plain' } } });
    expect(untrusted.report?.discarded).toEqual([{ key: 'password_hash', reason: 'unknown' }]);
    const trusted = await bench().execute('sign-up', { context: { prompt_data: prompted }, trustedHashes: true });
    expect(trusted).toMatchObject({ status: 'done', report: { created: true } });
    const moved = await bench().app.users.get({ username: 'moved' });
    expect(await bench().app.store.read.passwordHash(moved?.id ?? 0)).toBe(hash);
    const odd = { prompt_data: { username: 'odd', password_hash: 'letmein' } };
    expect(await bench().execute('write', { context: odd, trustedHashes: true })).toMatchObject({
      ...{ status: 'denied', problems: [{ field: 'password_hash', code: 'invalid' }] },
    });
    const sly = { ...odd, 'doorward/trusted_hashes': true };
    await expect(bench().execute('write', { context: sly })).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test.each([
    ['a visitor', { visitor: { username: 'nobody' } }, 'not_found'],
    ['a pending user', { pendingUser: { pk: 123_456 } }, 'not_found'],
    ['an impersonator without visitor', { impersonator: { username: 'ada' } }, 'invalid_request'],
    ['a key that is empty', { key: '' }, 'invalid_request'],
    ['NUL in the context', { context: { user_path: 'a\0b' } }, 'invalid_request'],
  ])('%s that cannot be is an error', async (_name, options, code) => {
    await expect(bench().execute('write', options)).rejects.toMatchObject({ code });
  });

  test('a dry run tells each field before and after, secrets masked, and leaves nothing at all', async () => {
    await bench().group('staff');
    const context = {
      prompt_data: { name: 'After', 'attributes.team': 'engines', 'attributes.api_key': 'k', password: 'new-Secret2' },
      groups: ['staff'],
    };
    const before = await bench().dump();
    const given = { pendingUser: { username: 'carl' }, context, dryRun: true };
    const { status, report } = await bench().execute('write', given);
    expect(status).toBe('done');
    expect(report).toMatchObject({
      ...{ user: { username: 'carl' }, created: false, groups_added: ['staff'], dry_run: true, sessions_ended: 0 },
      written: [
        { key: 'name', field: 'name', before: 'First carl', after: 'After' },
        { key: 'attributes.team', field: 'attributes.team', before: null, after: 'engines' },
        { key: 'attributes.api_key', before: masked, after: masked },
        { key: 'password', field: 'password', before: masked, after: masked },
      ],
    });
    const made = await bench().execute('sign-up', {
      ...{ dryRun: true, context: { prompt_data: { username: 'never', password: 'correct horse' } } },
    });
    expect(made.report).toMatchObject({ user: { pk: null, username: 'never' }, created: true });
    expect(await bench().dump()).toBe(before);
  });

  test('W34: twenty calls with one key at once make one user and get one result', async () => {
    const given = { key: 'people-1', context: { prompt_data: { username: 'once' } } };
    const results = await Promise.all(Array.from({ length: 20 }, () => bench().execute('write', given)));
    expect(results[0]).toMatchObject({ status: 'done', report: { created: true, user: { username: 'once' } } });
    for (const result of results) expect(result).toEqual(results[0]);
    expect(await bench().execute('write', given)).toEqual(results[0]);
    expect((await bench().usernames()).filter((name) => name === 'once')).toHaveLength(1);
    const other = await bench().execute('write', { ...given, key: 'people-2' });
    expect(other).toMatchObject({ status: 'denied', problems: [{ code: 'unique' }] });
  });

  test('what was decided before the challenge is committed, and with a key only once', async () => {
    await bench().flow('verify', [{ kind: 'user_write' }, identification]);
    const given = { key: 'k', context: { prompt_data: { username: 'half-way' } } };
    const first = await bench().execute('verify', given);
    expect(first).toMatchObject({ status: 'challenge', problems: [], report: { created: true } });
    expect(await bench().execute('verify', given)).toEqual(first);
    expect((await bench().usernames()).filter((name) => name === 'half-way')).toHaveLength(1);
  });

  test('a key is used up by what happened: a refusal leaves it, a purge keeps it', async () => {
    const refused = await bench().execute('write', { key: 'later', context: { prompt_data: { username: 'ada' } } });
    expect(refused.status).toBe('denied');
    const given = { key: 'later', context: { prompt_data: { username: 'later' } } };
    const done = await bench().execute('write', given);
    expect(done.status).toBe('done');
    await bench().app.store.accounts.purge(Date.now() + 86_400_000);
    expect(await bench().execute('write', given)).toEqual(done);
  });
});

test('the library has it as flows.execute', async () => {
  const rig = await createRig({ blueprints: [flowYaml({ slug: 'write', stages: [{ kind: 'user_write' }] })] });
  try {
    const result = await rig.auth.flows.execute('write', { context: { prompt_data: { username: 'ada' } } });
    expect(Object.keys(result).toSorted()).toEqual(['challenge', 'message', 'problems', 'report', 'reports', 'status']);
    expect((await rig.auth.users.list()).users.map(({ username }) => username)).toEqual(['ada']);
  } finally {
    await rig.close();
  }
});
