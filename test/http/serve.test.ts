import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freshDatabase } from '../support/postgres.ts';
import { buildProgram, onFreePort, type Program } from '../support/program.ts';
import { send, signUp, WebClient } from '../support/web-client.ts';

const secretKey = 'a secret key of the tests with at least 32 bytes';
let program: Program;
beforeAll(async () => {
  program = await buildProgram();
});
afterAll(() => program.remove());

describe('doorward serve', () => {
  it('says where it is, and how the first administrator is made, until there is one', async () => {
    const env = { DOORWARD_DATA_DIR: join(program.folder, 'first') };
    const server = await program.serve(env);
    await server.said(/setup=\S+\s/);
    const setup = /http:\S+\/if\/flow\/initial-setup\/\?setup=\S+/.exec(server.out())?.[0] ?? '';
    expect(new URL(setup).origin).toBe(server.origin);
    const { pathname, search } = new URL(setup);
    const client = new WebClient(server.origin);
    await client.open('initial-setup', search.slice(1));
    await client.answer(signUp('root'));
    const me = (await client.request('/api/v3/core/users/me/')).json();
    expect(me.user).toMatchObject({ username: 'root', is_superuser: true });
    const late = await new WebClient(server.origin).request(pathname + search);
    expect(late.text).not.toContain('name="username"');
    server.signal('SIGTERM');
    expect(await server.ended).toBe(0);

    const again = await program.serve(env);
    again.signal('SIGINT');
    expect(await again.ended).toBe(0);
    expect(again.out()).not.toContain('initial-setup');
  });

  it('keeps its key and its data for the owner alone, and goes on with the same sessions after a restart', async () => {
    const first = await program.serve();
    const client = new WebClient(first.origin);
    await client.open('default-enrollment-flow');
    await client.answer(signUp('ada'));
    first.signal('SIGTERM');
    await first.ended;
    const second = await program.serve();
    client.node = second.origin;
    expect(await client.whoAmI()).toBe('ada');
    second.signal('SIGTERM');
    await second.ended;
  });
});

describe('SIGTERM', () => {
  it('answers what is under way, takes nothing new, and exits with 0', async () => {
    const server = await program.serve();
    const port = Number(new URL(server.origin).port);
    // A browser's spare connection must not keep the server up.
    const spare = await opened(port);
    const busy = await opened(port);
    const body = JSON.stringify(signUp('unhurried'));
    busy.write(
      [
        'POST /api/v3/flows/executor/default-enrollment-flow/?query= HTTP/1.1',
        ...[`Host: localhost:${port}`, `Origin: ${server.origin}`, 'Content-Type: application/json'],
        ...[`Content-Length: ${body.length}`, 'Expect: 100-continue', '', ''],
      ].join('\r\n'),
    );
    // The server says that it reads the body, so the request is under way.
    const [first] = (await once(busy, 'data')) as [Buffer];
    expect(String(first)).toContain('100 Continue');
    server.signal('SIGTERM');
    await server.logged(/stopping/);
    await expect(send(server.origin, '/-/health/live/')).rejects.toMatchObject({
      code: expect.stringMatching(/^ECONN/),
    });
    let answer = '';
    busy.on('data', (part) => {
      answer += part;
    });
    const closed = once(busy, 'close');
    busy.write(body);
    expect(await server.ended).toBe(0);
    await closed;
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(answer).toMatch(/connection: close/i);
    expect(answer).toContain('xak-flow-redirect');
    spare.destroy();
    const listed = await program.run(['user', 'list', '--json']);
    expect(listed.out).toContain('"unhurried"');
  });
});

describe('wrong settings are refused at start by the name of the variable, with exit code 2', () => {
  it.each([
    ['DOORWARD_PORT', { DOORWARD_PORT: 'nine' }],
    ['DOORWARD_PORT', { DOORWARD_PORT: '65536' }],
    ['DOORWARD_PORT', { DOORWARD_PORT: '-1' }],
    ['DOORWARD_HOST', { DOORWARD_HOST: '203.0.113.77' }],
    ['DOORWARD_PUBLIC_URL', { DOORWARD_PUBLIC_URL: 'id.example.com' }],
    ['DOORWARD_PUBLIC_URL', { DOORWARD_PUBLIC_URL: 'https://id.example.com/path' }],
    ['DOORWARD_PUBLIC_URL', { DOORWARD_PUBLIC_URL: 'ftp://id.example.com' }],
    ['DOORWARD_SECRET_KEY', { DOORWARD_SECRET_KEY: 'short' }],
    ['DOORWARD_SECRET_KEY', { DOORWARD_SECRET_KEY: `${secretKey},short` }],
    ['DOORWARD_SECRET_KEY', { DATABASE_URL: 'postgres://127.0.0.1:1/x' }],
    ['DATABASE_URL', { DATABASE_URL: 'mysql://127.0.0.1/x', DOORWARD_SECRET_KEY: secretKey }],
    ['DOORWARD_TRUSTED_PROXIES', { DOORWARD_TRUSTED_PROXIES: '10.0.0.0/8, proxy.example' }],
    ['DOORWARD_LOG_LEVEL', { DOORWARD_LOG_LEVEL: 'loud' }],
    ['DOORWARD_RATE_LIMITS', { DOORWARD_RATE_LIMITS: 'maybe' }],
    ['DOORWARD_EXPRESSION_HOSTS', { DOORWARD_EXPRESSION_HOSTS: 'https://api.example.com' }],
    ['DOORWARD_EVENT_RETENTION', { DOORWARD_EVENT_RETENTION: 'a year' }],
    ['DOORWARD_EVENT_RETENTION', { DOORWARD_EVENT_RETENTION: 'days=-1' }],
    ['DOORWARD_BRAND', { DOORWARD_BRAND: '/no/such/file.json' }],
    ['DOORWARD_DATA_DIR', { DOORWARD_DATA_DIR: '/dev/null/data' }],
    ['DOORWARD_DATA_DIR', { DOORWARD_DATA_DIR: '/proc/data' }],
    ['DOORWARD_DATA_DIR', { DOORWARD_DATA_DIR: '/dev/null/data', DOORWARD_SECRET_KEY: secretKey }],
  ])('%s in %j', async (name, env) => {
    const { code, out, err } = await program.run(['serve'], { env });
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(new RegExp(`^doorward serve: ${name}: .+`));
    expect(err.trim().split('\n')).toHaveLength(1);
  });

  it('DOORWARD_BRAND whose content is wrong', async () => {
    const file = join(program.folder, 'brand.json');
    writeFileSync(file, '{"accent":"greenish"}');
    const { code, err } = await program.run(['serve'], { env: { DOORWARD_BRAND: file } });
    expect([code, err]).toEqual([2, expect.stringMatching(/DOORWARD_BRAND: .*accent/)]);
  });

  it('DOORWARD_SECRET_KEY that is not the one of the database', async () => {
    const env = { DOORWARD_DATA_DIR: join(program.folder, 'keyed'), DOORWARD_SECRET_KEY: secretKey };
    expect((await program.run(['migrate'], { env })).code).toBe(0);
    const other = { ...env, DOORWARD_SECRET_KEY: 'another secret key of the tests with 32 bytes' };
    const { code, err } = await program.run(['serve'], { env: other });
    expect([code, err]).toEqual([2, expect.stringMatching(/secret key|DOORWARD_SECRET_KEY/i)]);
    expect(
      (
        await program.run(['migrate'], {
          env: { ...env, DOORWARD_SECRET_KEY: `${other.DOORWARD_SECRET_KEY},${secretKey}` },
        })
      ).code,
    ).toBe(0);
  });

  it('a port in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { code, err } = await program.run(['serve'], { env: { DOORWARD_PORT: String(port) } });
    taken.close();
    expect([code, err]).toEqual([2, `doorward serve: DOORWARD_PORT: port ${port} is in use; choose another one\n`]);
  });

  it('a file that is no database', async () => {
    const folder = join(program.folder, 'broken');
    mkdirSync(folder);
    writeFileSync(join(folder, 'doorward.sqlite'), 'this is not a database, whatever its name says. '.repeat(100));
    const { code, err } = await program.run(['serve'], { env: { DOORWARD_DATA_DIR: folder } });
    expect(code).toBe(3);
    expect(err).toMatch(/SQLite/);
    expect(existsSync(join(folder, 'doorward.sqlite'))).toBe(true);
  });

  it('a PostgreSQL that is away is not a wrong setting: exit code 3', async () => {
    const env = { DATABASE_URL: 'postgres://127.0.0.1:1/x', DOORWARD_SECRET_KEY: secretKey };
    const { code, err } = await program.run(['serve'], { env });
    expect([code, err]).toEqual([3, expect.stringMatching(/PostgreSQL cannot be reached/)]);
  });
});

describe('two servers on one PostgreSQL', () => {
  it('serve one visitor by turns: sign-up, sign-out, sign-in, profile, sign-out', async () => {
    const fresh = await freshDatabase({ url: inject('postgresUrl') });
    const origin = 'http://id.example.test';
    const env = { DATABASE_URL: fresh.url, DOORWARD_SECRET_KEY: secretKey, DOORWARD_PUBLIC_URL: origin };
    const start = (port: number) => program.serve({ ...env, DOORWARD_PORT: String(port) });
    // Both at once: the migration is done by one of them.
    const started = await Promise.all([onFreePort(start), onFreePort(start)]);
    const servers = started.map(([server]) => server);
    const ports = started.map(([, port]) => port);
    const client = new WebClient(origin);
    let turn = 0;
    const other = (): WebClient => {
      turn += 1;
      client.node = `http://127.0.0.1:${ports[turn % 2]}`;
      return client;
    };
    await other().open('default-enrollment-flow');
    await other().answer({ ...signUp('ada'), password_repeat: 'another one' });
    expect(client.challenge.response_errors).toBeDefined();
    await other().answer(signUp('ada'));
    expect(await other().whoAmI()).toBe('ada');
    expect(await other().whoAmI()).toBe('ada');
    await other().open('default-invalidation-flow');
    expect([await other().whoAmI(), await other().whoAmI()]).toEqual([null, null]);
    await other().open('default-authentication-flow');
    await other().answer({ uid_field: 'ada' });
    await other().answer({ password: 'not this one' });
    expect(client.challenge.response_errors).toBeDefined();
    await other().answer({ password: 'correct horse battery' });
    expect([await other().whoAmI(), await other().whoAmI()]).toEqual(['ada', 'ada']);
    await other().open('default-user-settings-flow');
    await other().answer({ username: 'ada', name: 'Augusta', email: 'ada@example.com' });
    const page = (await other().request('/if/user/')).text;
    expect(page).toContain('Augusta');
    expect((await other().request('/if/user/')).text).toContain('Augusta');
    await other().open('default-invalidation-flow');
    expect([await other().whoAmI(), await other().whoAmI()]).toEqual([null, null]);
    for (const server of servers) server.signal('SIGTERM');
    expect(await Promise.all(servers.map(({ ended }) => ended))).toEqual([0, 0]);
    await fresh.drop();
  });
});

async function opened(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}
