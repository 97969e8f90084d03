import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flowYaml } from '../support/flow-yaml.ts';
import { buildProgram, type Program } from '../support/program.ts';
import { WebClient } from '../support/web-client.ts';

const password = 'correct horse battery';
let program: Program;
beforeAll(async () => {
  program = await buildProgram();
});
afterAll(() => program.remove());

/** A result as JSON, of a command that was carried out. */
async function done(args: readonly string[], input = ''): Promise<Record<string, unknown>> {
  const { code, out, err } = await program.run([...args, '--json'], { input });
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as Record<string, unknown>;
}

function write(name: string, text: string): string {
  writeFileSync(join(program.folder, name), text);
  return name;
}

describe('the command line says how it is used (CONTRACT: Statuses)', () => {
  it('lists its commands, and each of them explains itself', async () => {
    const overview = await program.run(['--help']);
    expect([overview.code, overview.err]).toEqual([0, '']);
    const names = [...overview.out.matchAll(/^ {2}([a-z][a-z -]*?) {2,}\S/gm)].map(([, name = '']) => name);
    expect(names).toEqual(expect.arrayContaining(['serve', 'apply', 'user create', 'group add', 'migrate', 'backup']));
    const explains = async (name: string): Promise<void> => {
      const { code, out, err } = await program.run([...name.split(' '), '--help'], {
        env: { DATABASE_URL: 'postgres://127.0.0.1:1/x' },
      });
      expect([name, code, err]).toEqual([name, 0, '']);
      expect(out).toContain(`Usage: doorward ${name}`);
      expect(out).toMatch(/--help {2,}show this help/);
      expect(out).toMatch(/--json {2,}/);
    };
    for (let at = 0; at < names.length; at += 6) await Promise.all(names.slice(at, at + 6).map(explains));
  });

  it.each([
    [[], 2],
    [['--version'], 0],
    [['help'], 0],
    [['nonsense'], 2],
    [['usr'], 2],
    [['user', '--help'], 0],
    [['user'], 2],
    [['user', 'nonsense'], 2],
    [['user', 'create'], 2],
    [['user', 'create', 'one', 'two'], 2],
    [['user', 'create', 'one', '--nonsense'], 2],
    [['user', 'create', 'one', '--email'], 2],
    [['user', 'create', 'one', '--password', password], 2],
    [['user', 'delete', 'one'], 2],
    [['user', 'list', '--page', '0'], 2],
    [['user', 'create', 'one', '--no-password', '--email', 'no address'], 2],
    [['user', 'create', 'one', '--no-password', '--email-verified'], 2],
    [['user', 'list', '--page', 'x'], 2],
    [['apply'], 2],
    [['backup'], 2],
    [['group', 'add', 'one'], 2],
    [['migrate', 'now'], 2],
    [['serve', 'now'], 2],
  ])('%j exits with %i', async (args, expected) => {
    const { code, out, err } = await program.run(args);
    expect(code).toBe(expected);
    if (expected === 2 && args.length > 0) {
      expect(out).toBe('');
      expect(err.trim().split('\n')).toHaveLength(1);
      expect(err).toMatch(/^doorward/);
    }
  });
});

describe('users and groups', () => {
  it('are made, with the password from standard input', async () => {
    const made = await program.run(['user', 'create', 'ada', '--name', 'Ada Lovelace', '--email', 'ada@example.com'], {
      input: `${password}\nand more that is not read\n`,
    });
    expect([made.code, made.out, made.err]).toEqual([0, expect.stringMatching(/^Made ada \(pk \d+\)\n$/), '']);
    expect(await done(['user', 'list', '--search', 'lovelace'])).toMatchObject({
      total: 1,
      users: [{ username: 'ada', name: 'Ada Lovelace', email: 'ada@example.com', is_active: true, last_login: null }],
    });
    const { out } = await program.run(['user', 'list']);
    expect(out).toContain('ada@example.com');
    expect(out).not.toContain(password);
  });

  it.each([
    ['a taken name', ['user', 'create', 'ADA', '--no-password'], '', /username is already taken/],
    ['a short password', ['user', 'create', 'bob'], 'short\n', /password: 8 to 256 characters/],
    ['no password', ['user', 'create', 'bob'], '', /password: 8 to 256 characters/],
    [
      'a group that is not there',
      ['user', 'create', 'bob', '--no-password', '--group', 'nobody'],
      '',
      /no group "nobody"/,
    ],
    ['an empty name', ['user', 'create', '', '--no-password'], '', /username: must not be empty/],
    ['nobody of that name', ['user', 'set-password', 'nobody'], `${password}\n`, /no user "nobody"/],
    ['nobody of that name', ['user', 'deactivate', 'nobody'], '', /no user "nobody"/],
    ['nobody of that name', ['user', 'delete', 'nobody', '--yes'], '', /no user "nobody"/],
    ['no group of that name', ['group', 'add', 'nobody', 'ada'], '', /no group "nobody"/],
    ['no parent of that name', ['group', 'create', 'x', '--parent', 'nobody'], '', /no group "nobody"/],
  ])('are refused with 1 and a reason: %s', async (_, args, input, reason) => {
    const json = await program.run([...args, '--json'], { input });
    expect([json.code, json.err]).toEqual([1, '']);
    expect(JSON.parse(json.out)).toEqual({
      error: { code: expect.any(String), detail: expect.stringMatching(reason) },
    });
  });

  it('are refused to people in one line, and nothing is left of what was refused', async () => {
    const { code, out, err } = await program.run(['user', 'create', 'Ada', '--no-password']);
    expect([code, out, err]).toEqual([1, '', 'doorward user create: this username is already taken\n']);
    expect(await done(['user', 'list'])).toMatchObject({ total: 1 });
  });

  it('are joined, and members of a superuser group are administrators', async () => {
    const group = await done(['group', 'create', 'Staff']);
    expect(group).toMatchObject({ name: 'Staff', pk: expect.stringMatching(/^[\da-f-]{36}$/) });
    await done(['group', 'create', 'Chiefs', '--superuser', '--parent', 'Staff']);
    expect(await done(['group', 'add', 'Chiefs', 'ada'])).toEqual({ group: 'Chiefs', username: 'ada' });
    expect((await program.run(['group', 'create', 'Staff'])).code).toBe(1);
    expect((await program.run(['group', 'list'])).out).toContain('Chiefs  (administrators)  below Staff\n');
    expect((await program.run(['group', 'list', 'Chiefs'])).out).toBe('ada\n');
    await done(['group', 'add', 'Staff', 'ada']);
    expect(await done(['group', 'remove', 'Staff', 'ada'])).toEqual({ group: 'Staff', username: 'ada' });
    expect(await done(['group', 'list', 'Staff'])).toEqual({ name: 'Staff', members: [] });
    const made = await done(['user', 'create', 'grace', '--no-password', '--admin', '--group', 'Staff']);
    expect(made).toMatchObject({ username: 'grace' });
    expect(JSON.stringify(made)).not.toMatch(/hash|password/);
  });

  it('act on a running server: a new password ends sessions, a deactivated user is out at once', async () => {
    const server = await program.serve();
    const signIn = async (secret: string): Promise<WebClient> => {
      const client = new WebClient(server.origin);
      await client.open('default-authentication-flow');
      await client.answer({ uid_field: 'ada' });
      await client.answer({ password: secret });
      return client;
    };
    const before = await signIn(password);
    expect((await before.request('/api/v3/core/users/me/')).json().user).toMatchObject({
      username: 'ada',
      is_superuser: true,
    });
    expect(await done(['user', 'set-password', 'ada'], 'staple tractor lantern\n')).toEqual({ username: 'ada' });
    expect(await before.whoAmI()).toBeNull();
    expect(await (await signIn(password)).whoAmI()).toBeNull();
    const after = await signIn('staple tractor lantern');
    expect(await after.whoAmI()).toBe('ada');
    expect(await done(['user', 'deactivate', 'ada'])).toEqual({ username: 'ada', is_active: false });
    expect(await after.whoAmI()).toBeNull();
    expect(await done(['user', 'list', '--inactive'])).toMatchObject({ total: 1, users: [{ username: 'ada' }] });
    expect(await done(['user', 'activate', 'ada'])).toEqual({ username: 'ada', is_active: true });
    expect(await (await signIn('staple tractor lantern')).whoAmI()).toBe('ada');
    expect(await done(['user', 'show', 'ada'])).toMatchObject({ username: 'ada', is_superuser: true, sessions: 1 });
    server.signal('SIGTERM');
    expect(await server.ended).toBe(0);
  });

  it('are listed without the characters that command a terminal: anybody can sign up with them', async () => {
    await done(['user', 'create', 'esc', '--no-password', '--name', '\u001b]0;gotcha\u0007']);
    const { out } = await program.run(['user', 'list', '--search', 'esc']);
    expect(out).toContain('gotcha');
    for (const control of ['\u001b', '\u0007']) expect(out).not.toContain(control);
    await done(['user', 'delete', 'esc', '--yes']);
  });

  it('are deleted for good, when one really means it', async () => {
    await done(['user', 'create', 'short-lived', '--no-password']);
    expect(await done(['user', 'delete', 'short-lived', '--yes'])).toEqual({ username: 'short-lived', deleted: true });
    expect(await done(['user', 'list', '--search', 'short-lived'])).toEqual({ total: 0, users: [] });
  });
});

describe('apply', () => {
  const good = flowYaml({ slug: 'mine', stages: [{ kind: 'dummy' }] }).text;

  it('is idempotent', async () => {
    const file = write('good.yaml', good);
    const first = await program.run(['apply', file]);
    expect([first.code, first.err]).toEqual([0, '']);
    expect(first.out).toMatch(
      /^\+ flow mine\n\+ dummy stage "mine-0-dummy"\n\+ .* at 0\nflow mine: is now version \d+\n3 created, 0 updated, 0 unchanged, 0 deleted\n$/,
    );
    expect(await done(['apply', file])).toMatchObject({ created: 0, updated: 0, unchanged: 3, deleted: 0, flows: [] });
  });

  it.each([
    ['broken YAML', 'version: 1\nentries:\n  - {model: x\n', /^doorward apply: bad\.yaml:\d+:\d+: /],
    [
      'an unknown model',
      'version: 1\nentries:\n  - { model: authentik_x.y, identifiers: { name: x } }\n',
      /bad\.yaml:3:\d+: .*authentik_x\.y/,
    ],
    ['a value that is not allowed', good.replace('"enrollment"', '"nonsense"'), /bad\.yaml:3:\d+: .*designation/],
    ['a reference to nothing', good.replace('!KeyOf flow', '!KeyOf nothing'), /bad\.yaml:5:\d+: .*nothing/],
  ])('says file, line and column of %s, and applies nothing of what came before', async (name, text, said) => {
    const slug = `before-${name.replaceAll(' ', '-').toLowerCase()}`;
    const before = write('before.yaml', flowYaml({ slug, stages: [{ kind: 'dummy' }] }).text);
    const { code, out, err } = await program.run(['apply', before, write('bad.yaml', text)]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(said);
    expect(await done(['apply', before])).toMatchObject({ created: 3, unchanged: 0 });
  });

  it('says which file it cannot read', async () => {
    const { code, err } = await program.run(['apply', 'missing.yaml']);
    expect([code, err]).toEqual([1, expect.stringMatching(/^doorward apply: missing\.yaml: cannot be read/)]);
  });
});

describe('migrate and backup', () => {
  it('migrate brings a new database up to date, once', async () => {
    const env = { DOORWARD_DATA_DIR: join(program.folder, 'new') };
    const [first, second] = [
      await program.run(['migrate', '--json'], { env }),
      await program.run(['migrate'], { env }),
    ];
    expect((JSON.parse(first.out) as { applied: string[] }).applied.length).toBeGreaterThan(0);
    expect([second.code, second.out]).toEqual([0, 'The database is up to date.\n']);
    for (const file of ['doorward.sqlite', 'secret.key'])
      expect([file, statSync(join(env.DOORWARD_DATA_DIR, file)).mode & 0o777]).toEqual([file, 0o600]);
  });

  it('backup writes a file that opens and has the users, for the owner alone, and overwrites nothing', async () => {
    const file = join(program.folder, 'copy.sqlite');
    expect(await done(['backup', 'copy.sqlite'])).toEqual({ file });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const copy = new Database(file, { readonly: true });
    const users = copy.prepare('SELECT username FROM doorward_user ORDER BY username').all() as { username: string }[];
    expect(users.map(({ username }) => username)).toEqual(['ada', 'grace']);
    expect(copy.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    copy.close();
    const again = await program.run(['backup', 'copy.sqlite']);
    expect([again.code, again.out]).toEqual([2, '']);
    expect(again.err).toContain('copy.sqlite');
  });

  it('the last administrator is refused, and who is to be asked instead is said', async () => {
    const env = { DOORWARD_DATA_DIR: join(program.folder, 'administered') };
    await program.run(['user', 'create', 'root', '--admin', '--no-password'], { env });
    for (const command of [
      ['deactivate', 'root'],
      ['delete', 'root', '--yes'],
    ]) {
      const { code, err } = await program.run(['user', ...command], { env });
      expect([command, code, err]).toEqual([
        command,
        1,
        expect.stringContaining('make somebody else an administrator'),
      ]);
    }
    const { code, out } = await program.run(['user', 'delete', 'root', '--yes', '--json'], { env });
    expect([code, JSON.parse(out)]).toMatchObject([1, { error: { code: 'last_administrator' } }]);
  });

  it('secrets reseal lets a former key be dropped', async () => {
    const folder = { DOORWARD_DATA_DIR: join(program.folder, 'rotated') };
    const captcha = { kind: 'captcha', attrs: { public_key: 'site', private_key: 'captcha secret' } };
    const file = write('captcha.yaml', flowYaml({ slug: 'captcha', stages: [captcha] }).text);
    expect((await program.run(['apply', file], { env: folder })).code).toBe(0);
    const old = readFileSync(join(folder.DOORWARD_DATA_DIR, 'secret.key'), 'utf8').trim();
    const fresh = 'another secret key of the tests with 32 bytes';
    const both = { ...folder, DOORWARD_SECRET_KEY: `${fresh},${old}` };
    const early = await program.run(['user', 'list'], { env: { ...folder, DOORWARD_SECRET_KEY: fresh } });
    expect([early.code, early.err]).toEqual([2, expect.stringContaining('new,old')]);
    const { code, out } = await program.run(['secrets', 'reseal', '--json'], { env: both });
    const { kinds } = JSON.parse(out) as { kinds: { kind: string; resealed: number; unreadable: number }[] };
    expect([code, kinds.map(({ unreadable }) => unreadable)]).toEqual([0, [0, 0, 0, 0, 0, 0]]);
    expect(Object.fromEntries(kinds.map(({ kind, resealed }) => [kind, resealed]))).toMatchObject({
      ...{ definitions: 1, 'flow versions': 1 },
    });
    const again = await program.run(['secrets', 'reseal'], { env: both });
    expect([again.code, again.out]).toEqual([
      0,
      expect.stringMatching(/^definitions +0 sealed anew, \d+ already were\n/),
    ]);
    const late = await program.run(['apply', file], { env: { ...folder, DOORWARD_SECRET_KEY: fresh } });
    expect([late.code, late.out]).toEqual([0, expect.stringContaining('unchanged')]);
  });

  it('a database that is away is exit code 3', async () => {
    const env = {
      DATABASE_URL: 'postgres://127.0.0.1:1/x',
      DOORWARD_SECRET_KEY: 'a secret key of the tests with 32 bytes or more',
    };
    const { code, out } = await program.run(['user', 'list', '--json'], { env });
    expect([code, JSON.parse(out)]).toEqual([3, { error: { code: 'store_unavailable', detail: expect.any(String) } }]);
  });
});
