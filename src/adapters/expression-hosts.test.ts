import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { createExpressionHosts } from './expression-hosts.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const failure = async (work: Promise<unknown>): Promise<string> => String(await work.catch((error: unknown) => error));

it('nobody may be asked unless the administrator says so, and the error says how', async () => {
  const { send, resolve, reverse } = createExpressionHosts([]);
  for (const work of [send('https://example.com/', {}), resolve('example.com'), reverse('192.0.2.1')])
    expect(await failure(work)).toMatch(/may not ask .*DOORWARD_EXPRESSION_HOSTS/);
});

it('a server that is named is asked: GET and POST, with headers and a body', async () => {
  const seen: unknown[] = [];
  const port = await serve(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    seen.push([request.method, request.url, request.headers['x-asked'], Buffer.concat(chunks).toString()]);
    response.writeHead(201, { 'X-Said': 'yes' }).end('grün');
  });
  const { send } = createExpressionHosts(['127.0.0.1']);
  const asked = { method: 'POST', headers: { 'X-Asked': 'yes' }, body: 'körper' } as const;
  expect(await send(`http://127.0.0.1:${port}/a?b=c`, asked)).toMatchObject({
    ...{ status: 201, headers: { 'x-said': 'yes' }, text: 'grün' },
  });
  expect(seen).toEqual([['POST', '/a?b=c', 'yes', 'körper']]);
});

it.each([
  'http://127.0.0.1:1/',
  'http://[::1]:1/',
  'http://[::ffff:127.0.0.1]:1/',
  'http://2130706433:1/',
  'http://0x7f.1:1/',
])('%s is not asked because some other server is named', async (url) => {
  expect(await failure(createExpressionHosts(['example.com']).send(url, {}))).toMatch(/may not ask/);
});

it('a name that means a private address is not asked, unless the address is named as well', async () => {
  let asked = 0;
  const port = await serve((_, response) => {
    asked += 1;
    response.end('inside');
  });
  const url = `http://localhost:${port}/`;
  expect(await failure(createExpressionHosts(['localhost']).send(url, {}))).toMatch(/private/);
  expect(asked).toBe(0);
  const both = createExpressionHosts(['LOCALHOST', '127.0.0.1']);
  expect(await both.send(url, {})).toMatchObject({ status: 200, text: 'inside' });
});

it('follows redirects of the same server, a few times, and none to another', async () => {
  const elsewhere: string[] = [];
  const other = await serve((request, response) => {
    elsewhere.push(String(request.url));
    response.end();
  });
  const port = await serve((request, response) => {
    const to = { '/here': '/there', '/away': `http://127.0.0.1:${other}/taken`, '/round': '/round' }[
      String(request.url)
    ];
    if (to === undefined) response.end('arrived');
    else response.writeHead(302, { location: to }).end();
  });
  const { send } = createExpressionHosts(['127.0.0.1']);
  const get = { method: 'GET' } as const;
  expect(await send(`http://127.0.0.1:${port}/here`, get)).toMatchObject({ text: 'arrived' });
  expect(await send(`http://127.0.0.1:${port}/away`, get)).toMatchObject({ status: 302 });
  expect(elsewhere).toEqual([]);
  expect(await failure(send(`http://127.0.0.1:${port}/round`, get))).toMatch(/redirects more than 3 times/);
});

it('a reply beyond 64 KB, and a server that is not there, are errors that name neither path nor query', async () => {
  const port = await serve((_, response) => response.end('x'.repeat(65_537)));
  const { send, resolve } = createExpressionHosts(['127.0.0.1', 'name.invalid']);
  const long = await failure(send(`http://127.0.0.1:${port}/path?secret`, {}));
  expect(long).toBe('CodeException: 127.0.0.1 answered with more than 65536 bytes');
  expect(await failure(send('http://127.0.0.1:1/path?secret', {}))).toBe(
    'CodeException: 127.0.0.1 cannot be asked (ECONNREFUSED)',
  );
  expect(await failure(send('file:///etc/passwd', {}))).toBe('Error: file: is not HTTP');
  expect(await resolve('name.invalid')).toEqual([]);
});
