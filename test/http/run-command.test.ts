import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { flowYaml } from '../support/flow-yaml.ts';

const root = join(import.meta.dirname, '..', '..');
/** Inside the package, so that what is not bundled is found; not in `dist`, which others may be building. */
const built = join(root, 'node_modules', '.cache', `run-command-${process.pid}`);
const cli = join(built, 'cli.js');

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ['scripts/build.js', '--out', built], { cwd: root });
});

afterAll(() => {
  rmSync(built, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly told: string;
}

/** A data folder with the flows of these tests. */
class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'doorward-run-'));

  file(name: string, content = ''): string {
    const path = join(this.folder, name);
    if (content !== '') writeFileSync(path, content);
    return path;
  }

  /** `report` of the last call, by line number. */
  report(name = 'report.ndjson'): Record<string, unknown>[] {
    const lines = readFileSync(this.file(name), 'utf8').trim().split('\n');
    return lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .toSorted((a, b) => Number(a.line) - Number(b.line));
  }

  users(): { username: string; attributes: string; name: string }[] {
    const database = new Database(join(this.folder, 'data', 'doorward.sqlite'), {
      readonly: true,
      // Whoever was killed left the file to be put in order.
      timeout: 60_000,
    });
    try {
      return database.prepare('SELECT username, name, attributes FROM doorward_user ORDER BY id').all() as never;
    } finally {
      database.close();
    }
  }

  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    return spawn(process.execPath, [cli, ...args], {
      env: { PATH: process.env.PATH, DOORWARD_DATA_DIR: join(this.folder, 'data'), ...env },
    });
  }

  async call(args: readonly string[], input = '', env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const child = this.start(args, env);
    child.stdin?.end(input);
    let out = '';
    let told = '';
    child.stdout?.on('data', (text: Buffer) => {
      out += text.toString();
    });
    child.stderr?.on('data', (text: Buffer) => {
      told += text.toString();
    });
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, out, told };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function ndjson(records: readonly object[]): string {
  return `${records.map((record) => JSON.stringify(record)).join('\n')}\n`;
}

describe('doorward run', () => {
  const place = new Place();
  afterAll(() => place.remove());

  beforeAll(async () => {
    const people = flowYaml({
      slug: 'people',
      stages: [
        {
          kind: 'prompt',
          fields: [
            { field_key: 'username', type: 'username', required: true },
            { field_key: 'email', type: 'email', required: false },
          ],
        },
        { kind: 'user_write', attrs: { user_creation_mode: 'always_create' } },
      ],
    });
    const write = flowYaml({ slug: 'write', stages: [{ kind: 'user_write' }] });
    const { code, told } = await place.call([
      'apply',
      place.file('people.yaml', people.text),
      place.file('write.yaml', write.text),
    ]);
    expect(told + code).toBe(`${told}0`);
  });

  test('one record is one run; each refused one says why with its line; a second run doubles nothing', async () => {
    const records = place.file(
      'people.ndjson',
      `${ndjson([{ username: 'ada', name: 'Ada' }, { username: 'ADA' }, { username: 'bob', email: 'no' }])}\nnot json\n[1]\n${ndjson([{ username: 'bob', 'attributes.team': 'a' }])}`,
    );
    const args = ['run', 'people', '--records', records, '--concurrency', '1', '--report', place.file('report.ndjson')];
    const first = await place.call([...args, '--json']);
    expect(first.code).toBe(1);
    expect(JSON.parse(first.out)).toMatchObject({ records: 6, done: 2, already_done: 0, refused: 4, dry_run: false });
    expect(first.told).toContain('line 2: username: Username is already taken.');
    expect(first.told).toContain('line 3: email: ');
    expect(first.told).toContain('line 5: is not JSON');
    expect(first.told).toContain('line 6: is not a JSON object');
    expect(place.report()).toMatchObject([
      { line: 1, status: 'done', repeated: false, user: { username: 'ada' }, problems: [] },
      { line: 2, status: 'challenge', user: null, problems: [{ field: 'username', code: 'unique' }] },
      { line: 3, status: 'challenge', problems: [{ field: 'email', code: 'invalid' }] },
      { line: 5, status: 'unreadable', key: null },
      { line: 6, status: 'unreadable' },
      { line: 7, status: 'done', user: { username: 'bob' } },
    ]);
    // Kept and reported: who reads it must not be able to guess what was in the record.
    const [reported] = place.report();
    const plain = JSON.stringify([1, Object.entries({ username: 'ada', name: 'Ada' })]);
    expect(reported?.key).not.toBe(createHash('sha256').update(plain).digest('base64url'));
    const second = await place.call([...args, '--json']);
    expect(JSON.parse(second.out)).toMatchObject({ done: 0, already_done: 2, refused: 4 });
    expect(place.users()).toMatchObject([
      { username: 'ada', name: 'Ada' },
      { username: 'bob', attributes: '{"team":"a"}' },
    ]);
  });

  test('CSV from standard input, with quotes, and --key-field', async () => {
    const csv =
      '\ufeffusername,name,attributes.motto,employee\r\neve,"Eve, the ""first""","a\nb",7\r\nmallory,,"",8\r\nshort,x\r\n';
    const args = ['run', 'write', '--records', '-', '--format', 'csv', '--key-field', 'employee'];
    const first = await place.call([...args, '--report', place.file('csv.ndjson')], csv);
    expect(first.code).toBe(1);
    expect(first.told).toContain('line 5: has 2 columns instead of 4');
    expect(place.users().slice(2)).toEqual([
      { username: 'eve', name: 'Eve, the "first"', attributes: '{"motto":"a\\nb"}' },
      { username: 'mallory', name: '', attributes: '{"motto":""}' },
    ]);
    expect(place.report('csv.ndjson').map(({ key }) => key)).toEqual(['7', '8', null]);
    const moved = await place.call([...args, '--json'], 'employee,username\n9,trent\n7,eve\n');
    expect(JSON.parse(moved.out)).toMatchObject({ done: 1, already_done: 1, refused: 0 });
  });

  test('a dry run writes nothing and reports each field before and after', async () => {
    const before = place.users();
    const records = place.file('more.ndjson', ndjson([{ username: 'dry', name: 'Dry' }]));
    const ended = await place.call([
      'run',
      'write',
      '--records',
      records,
      '--dry-run',
      '--report',
      place.file('dry.ndjson'),
    ]);
    expect(ended).toMatchObject({ code: 0, told: expect.stringContaining('1 would be done') });
    expect(place.users()).toEqual(before);
    expect(place.report('dry.ndjson')).toMatchObject([
      {
        user: { pk: null, username: 'dry' },
        report: { dry_run: true, written: [{ field: 'username' }, { before: null, after: 'Dry' }] },
      },
    ]);
  });

  test('W11b: hashes are taken when they are trusted', async () => {
    const hash = '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';
    const records = ndjson([
      { username: 'hashed', password_hash: hash },
      { username: 'odd', password_hash: 'x' },
    ]);
    const ended = await place.call(['run', 'write', '--records', '-', '--trusted-hashes', '--json'], records);
    expect(JSON.parse(ended.out)).toMatchObject({ done: 1, refused: 1 });
    expect(ended.told).toContain('line 2: password_hash: is not a password hash of a known format');
    expect(ended.told).not.toContain(hash);
  });

  test('W11c: what records say of addresses counts when it is trusted', async () => {
    const records = [
      'username,email,email_verified',
      'known,known@example.com,true',
      'claims,claims@example.com,false',
      '',
    ];
    const given = ['run', 'write', '--records', '-', '--format', 'csv', '--json'];
    const untrusted = await place.call(
      [...given, '--dry-run', '--report', place.file('addresses.ndjson')],
      records.join('\n'),
    );
    expect(JSON.parse(untrusted.out)).toMatchObject({ done: 2 });
    expect(place.report('addresses.ndjson')).toMatchObject([
      { report: { discarded: [{ key: 'email_verified', reason: 'unknown' }] } },
      {},
    ]);
    const trusted = await place.call([...given, '--trusted-addresses'], records.join('\n'));
    expect(JSON.parse(trusted.out)).toMatchObject({ done: 2, refused: 0 });
    const known = await place.call(['user', 'list', '--search', 'known@', '--json']);
    expect(JSON.parse(known.out)).toMatchObject({ users: [{ username: 'known', email_verified: true }] });
    const claims = await place.call(['user', 'list', '--search', 'claims@', '--json']);
    expect(JSON.parse(claims.out)).toMatchObject({ users: [{ username: 'claims', email_verified: false }] });
  });

  test.each([
    [['run', 'write'], 2, '--records is missing'],
    [['run', 'write', '--records', 'x.ndjson', '--concurrency', '0'], 2, '--concurrency'],
    [['run', 'write', '--records', '/nowhere/x.ndjson'], 1, 'there is no file'],
    [['run', 'nowhere', '--records', '-'], 1, 'no flow has the slug nowhere'],
  ] as const)('%j ends with %i', async (args, code, told) => {
    const ended = await place.call(args, '{"username":"x"}\n');
    expect(ended.code).toBe(code);
    expect(ended.told).toContain(told);
  });

  test('an unclosed quote names the line where it began', async () => {
    const ended = await place.call(['run', 'write', '--records', '-', '--format', 'csv'], 'username,name\nx,"y\nz\n');
    expect(ended.code).toBe(1);
    expect(ended.told).toContain('line 2: the row does not end');
  });
});

test('killed in the middle and resumed: everybody is there, nobody twice', async () => {
  const place = new Place();
  try {
    const flow = flowYaml({ slug: 'write', stages: [{ kind: 'user_write' }] });
    await place.call(['apply', place.file('write.yaml', flow.text)]);
    const names = Array.from({ length: 1_500 }, (_, index) => `person-${index}`);
    const records = place.file('people.ndjson', ndjson(names.map((username) => ({ username }))));
    const args = (from: string) => [
      'run',
      'write',
      '--records',
      from,
      '--resume',
      '--report',
      place.file('report.ndjson'),
    ];
    for (const goal of [200, 700]) {
      const child = place.start(args('-'));
      const ended = new Promise((resolve) => child.once('close', resolve));
      // It gets a few more than that and waits for the others, so it dies among its records however fast it is.
      child.stdin
        ?.on('error', () => undefined)
        .write(ndjson(names.slice(0, goal + 200).map((username) => ({ username }))));
      while (place.users().length < goal) await pause(5);
      child.kill('SIGKILL');
      await ended;
    }
    const before = place.users().length;
    expect(before).toBeLessThanOrEqual(900);
    const last = await place.call([...args(records), '--json']);
    expect(last.code).toBe(0);
    expect(JSON.parse(last.out)).toMatchObject({ done: names.length - before, already_done: before, refused: 0 });
    expect(
      place
        .users()
        .map(({ username }) => username)
        .toSorted(),
    ).toEqual(names.toSorted());
    expect(new Set(place.report().map(({ line }) => line)).size).toBe(names.length);
  } finally {
    place.remove();
  }
});

test('records of more bytes than the process may keep', async () => {
  const place = new Place();
  try {
    const flow = flowYaml({ slug: 'write', stages: [{ kind: 'user_write' }] });
    await place.call(['apply', place.file('write.yaml', flow.text)]);
    const file = createWriteStream(place.file('large.ndjson'));
    const motto = 'x'.repeat(20_000);
    for (let index = 0; index < 6_000; index += 1)
      if (!file.write(`{"username":"person-${index}","attributes.motto":"${motto}"}\n`))
        await new Promise<void>((resolve) => file.once('drain', () => resolve()));
    await new Promise((resolve) => file.end(() => resolve(null)));
    const capped = { NODE_OPTIONS: '--max-old-space-size=64' };
    const args = ['run', 'write', '--records', place.file('large.ndjson'), '--dry-run', '--json'];
    const ended = await place.call(args, '', capped);
    expect(ended).toMatchObject({ code: 0, told: expect.not.stringContaining('heap') });
    expect(JSON.parse(ended.out)).toMatchObject({ records: 6_000, done: 6_000 });
  } finally {
    place.remove();
  }
}, 300_000);
