import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHasher } from '../../src/testing/rig.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { send, signUp, WebClient } from '../support/web-client.ts';

const secure = 'https://id.example.com';
const signIn = '/if/flow/default-authentication-flow/';
const executor = '/api/v3/flows/executor/default-authentication-flow/?query=';

let server: TestServer;
let behind: TestServer;
let proxied: string;
beforeAll(async () => {
  [server, behind] = await Promise.all([
    startServer({ hasher: openHasher }),
    startServer({ hasher: openHasher, publicUrl: secure, trustedProxies: ['127.0.0.0/8'] }),
  ]);
  proxied = behind.local;
});
afterAll(() => Promise.all([server.close(), behind.close()]));

/** Sends bytes as they are and gives what comes back until the server closes. */
function raw(origin: string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const socket = connect(Number(new URL(origin).port), '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('utf8');
    socket.on('data', (part) => {
      said += part;
    });
    // What a server said before it closed is what it said.
    socket.on('error', (error) => (said === '' ? reject(error) : undefined));
    socket.on('close', () => resolve(said));
  });
}

describe('headers of every answer (DESIGN: What a visitor meets)', () => {
  it('a page: nothing from elsewhere, no frame, no store', async () => {
    for (const path of [signIn, '/nowhere', '/if/flow/nowhere/']) {
      const { headers } = await send(server.origin, path);
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'same-origin',
        'x-request-id': expect.stringMatching(/^[\da-f-]{36}$/),
      });
      const policy = String(headers['content-security-policy']).split('; ');
      expect(policy).toEqual(
        expect.arrayContaining([
          "default-src 'none'",
          "script-src 'self'",
          "style-src 'self'",
          "form-action 'self'",
          "base-uri 'none'",
          "frame-ancestors 'none'",
        ]),
      );
      expect(policy.join()).not.toMatch(/unsafe|\*/);
    }
  });

  it('a page has no script and no style of its own', async () => {
    const { text } = await send(server.origin, signIn);
    expect(text).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
  });

  it('JSON may be framed by nobody else (flow-engine.md 3.1)', async () => {
    expect((await send(server.origin, executor)).headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
    });
  });

  it('assets are kept by browsers, and only what is named by its content for ever', async () => {
    const { text } = await send(server.origin, signIn);
    const paths = [...text.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map(([, path = '']) => path);
    expect(paths.length).toBeGreaterThan(2);
    for (const path of paths) {
      const { status, headers } = await send(server.origin, path);
      expect([path, status, headers['x-content-type-options']]).toEqual([path, 200, 'nosniff']);
      expect(headers['cache-control']).toBe(
        /-[\w-]{8,}\.\w+$/.test(path) ? 'public, max-age=31536000, immutable' : 'public, max-age=3600',
      );
      expect(headers['set-cookie']).toBeUndefined();
    }
    expect((await send(server.origin, '/static/../../package.json')).status).toBe(404);
    expect((await send(server.origin, '/static/%2e%2e%2fpackage.json')).status).toBe(404);
  });
});

describe('the session cookie', () => {
  it('is HttpOnly and Lax, and lasts as long as the browser', async () => {
    const [cookie = ''] = (await send(server.origin, signIn)).cookies;
    expect(cookie).toMatch(/^doorward_session=a\.[\w-]+\.[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  it('is Secure and __Host- where the public address is HTTPS, whatever the request looks like', async () => {
    const [cookie = ''] = (await send(proxied, signIn)).cookies;
    expect(cookie).toMatch(/^__Host-doorward_session=a\.[\w-]+\.[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
  });

  it('is another one after sign-in and after sign-out: none from before counts', async () => {
    const client = new WebClient(server.origin);
    await client.open('default-enrollment-flow');
    const before = new Map(client.cookies);
    await client.answer(signUp('ada'));
    const during = new Map(client.cookies);
    await client.open('default-invalidation-flow');
    const after = new Map(client.cookies);
    expect(new Set([before, during, after].map((cookies) => cookies.get('doorward_session'))).size).toBe(3);
    for (const cookies of [before, during, after]) {
      const thief = new WebClient(server.origin);
      for (const [name, value] of cookies) thief.cookies.set(name, value);
      expect(await thief.whoAmI()).toBeNull();
    }
  });
});

describe('methods', () => {
  it.each([
    ['PUT', executor, 'GET, HEAD, POST'],
    ['DELETE', signIn, 'GET, HEAD, POST'],
    ['POST', '/if/user/', 'GET, HEAD'],
    ['GET', '/if/user/sessions/end-others', 'POST'],
    ['POST', '/flows/-/cancel/', 'GET, HEAD'],
    ['POST', '/api/v3/core/users/me/', 'GET, HEAD'],
    ['OPTIONS', '/', 'GET, HEAD'],
    ['PATCH', '/-/metrics', 'GET, HEAD'],
    ['POST', '/static/favicon.svg', 'GET, HEAD'],
  ])('%s %s is a 405 that says what is allowed', async (method, path, allow) => {
    const answer = await send(server.origin, path, { method, body: '' });
    expect([answer.status, answer.headers.allow]).toEqual([405, allow]);
  });

  it('HEAD is GET without a body', async () => {
    for (const path of [signIn, executor, '/-/health/live/', '/static/favicon.svg']) {
      const [got, head] = [await send(server.origin, path), await send(server.origin, path, { method: 'HEAD' })];
      expect([path, head.status, head.text, head.headers['content-type']]).toEqual([
        path,
        got.status,
        '',
        got.headers['content-type'],
      ]);
    }
  });

  it('an address without its slash leads to the one with it, the query and the method kept', async () => {
    for (const [method, path] of [
      ['GET', '/if/flow/x?next=%2F'],
      ['POST', '/if/flow/x?next=%2F'],
      ['GET', '/api/v3/core/users/me'],
      ['GET', '/-/health/live'],
    ] as const) {
      const [before = '', query] = path.split('?');
      const answer = await send(server.origin, path, { method, body: '' });
      expect([answer.status, answer.headers.location]).toEqual([
        308,
        `${before}/${query === undefined ? '' : `?${query}`}`,
      ]);
    }
  });
});

describe('what a client claims about itself', () => {
  it('a foreign Host is in no link, redirect or cookie', async () => {
    const headers = {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example',
    };
    for (const path of [
      '/',
      '/if/user/',
      signIn,
      '/if/flow/x',
      '/flows/-/cancel/',
      '/flows/-/default/authentication/?next=%2F',
      executor,
      '/api/v3/core/brands/current/',
      '/nowhere',
    ]) {
      const answer = await send(proxied, path, { headers });
      expect(JSON.stringify([answer.headers, answer.text])).not.toContain('evil.example');
    }
  });

  it.each(['', 'a b', 'evil.example:99999', '[::1', 'x'.repeat(300), '%', 'a\\b', '@'])(
    'a Host of %j is answered',
    async (host) => {
      const said = await raw(
        server.origin,
        `GET /-/health/live/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      );
      expect(said).toMatch(/^HTTP\/1\.1 (200|400) /);
    },
  );

  it('the address counts only from a trusted proxy, and nonsense breaks nothing (CVE-2024-47070)', async () => {
    const addressOf = async (
      test: TestServer,
      origin: string,
      forwarded: string,
      username: string,
    ): Promise<unknown> => {
      const client = new WebClient(origin);
      const headers = { 'x-forwarded-for': forwarded, origin: test.origin, 'content-type': 'application/json' };
      const path = '/api/v3/flows/executor/default-enrollment-flow/?query=';
      const body = JSON.stringify(signUp(username));
      expect((await client.request(path, { method: 'POST', headers, body })).json().component).toBe(
        'xak-flow-redirect',
      );
      const listed = (await client.request('/api/v3/core/authenticated_sessions/')).json() as {
        results: { last_ip: string }[];
      };
      return listed.results[0]?.last_ip;
    };
    expect(await addressOf(server, server.origin, '203.0.113.9', 'direct')).toBe('127.0.0.1');
    expect(await addressOf(behind, proxied, '198.51.100.1, 203.0.113.9', 'proxied')).toBe('203.0.113.9');
    for (const [at, nonsense] of ['unknown', '1.2.3.4.5', ',,,', '"><script>', 'x'.repeat(10_000)].entries())
      expect(await addressOf(behind, proxied, nonsense, `nonsense-${at}`)).toBe('127.0.0.1');
  });

  it.each(['%0d%0aset-cookie:%20x=1', '%0D%0A%0D%0A<script>', '%E5%98%8A%E5%98%8Dset-cookie:x=1'])(
    'nothing that is sent becomes a header: %s',
    async (evil) => {
      for (const path of [
        `/if/flow/x?next=${evil}`,
        `/if/flow/${evil}`,
        `/if/flow/${evil}/`,
        `${signIn}?next=/${evil}`,
        `/flows/-/default/authentication/?next=/${evil}`,
        `/api/v3/flows/executor/${evil}?query=${evil}`,
      ]) {
        const answer = await send(server.origin, path);
        expect(answer.cookies.filter((cookie) => !cookie.startsWith('doorward_session='))).toEqual([]);
        expect(JSON.stringify(answer.headers)).not.toMatch(/<script|[\r\n]/);
        expect(answer.text).not.toContain('<script>');
      }
    },
  );

  it.each([
    ['a query of nine kilobytes', `${signIn}?next=/${'x'.repeat(9_000)}`, 400],
    ['the same one level deeper', `${executor}next%3D/${'x'.repeat(9_000)}`, 400],
    ['an address of seventy kilobytes', `/${'x'.repeat(70_000)}`, 431],
  ])('%s is refused, and the server goes on', async (_, path, status) => {
    expect((await send(server.origin, path)).status).toBe(status);
    expect((await send(server.origin, signIn)).status).toBe(200);
  });

  it.each(['?next=%00', '?next=%ED%A0%80', '?next=%zz', '?%00=x'])(
    'a query of %s is a 400, as JSON and as a page',
    async (query) => {
      expect((await send(server.origin, signIn + query)).status).toBe(400);
      const outer = await send(server.origin, executor.replace('?query=', query));
      expect([outer.status, outer.json().code]).toEqual([400, 'invalid_request']);
      const inner = await send(server.origin, executor + encodeURIComponent(query.slice(1)));
      expect([inner.status, inner.json().code]).toEqual([400, 'invalid_request']);
    },
  );
});

describe('for those who run it', () => {
  it('health says that it lives and that it is ready', async () => {
    for (const path of ['/-/health/live/', '/-/health/ready/']) {
      const answer = await send(server.origin, path);
      expect([answer.status, answer.json(), answer.cookies]).toEqual([200, { status: 'ok' }, []]);
    }
  });

  it('metrics count requests by route and never by what a visitor sent', async () => {
    await send(server.origin, '/if/flow/a-name-that-nobody-should-see/?next=%2Fneither-this');
    await send(server.origin, '/nor-this');
    const { status, headers, text } = await send(server.origin, '/-/metrics');
    expect([status, headers['content-type']]).toEqual([200, expect.stringContaining('text/plain')]);
    expect(text).toMatch(/doorward_http_requests_total\{route="\/if\/flow\/:slug\/",method="GET",status="404"\} \d/);
    expect(text).toMatch(/doorward_http_requests_total\{route="other",method="GET",status="404"\} \d/);
    expect(text).toMatch(/doorward_http_request_seconds_bucket/);
    expect(text).toMatch(/doorward_resident_memory_bytes \d/);
    expect(text).not.toMatch(/nobody-should-see|neither-this|nor-this/);
  });
});
