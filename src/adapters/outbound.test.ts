import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { createOutbound } from './outbound.ts';

const { send } = createOutbound();
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

it('gives status, headers and text, and sends what it is told to', async () => {
  const seen: unknown[] = [];
  const url = await serve(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    seen.push([request.method, request.url, request.headers['x-asked'], Buffer.concat(chunks).toString()]);
    response.writeHead(418, { 'X-Said': 'tea' }).end('grün');
  });
  const asked = { method: 'POST', headers: { 'X-Asked': 'yes' }, body: 'körper', timeoutMs: 5_000 } as const;
  expect(await send(`${url}/a?b=c`, asked)).toMatchObject({ status: 418, headers: { 'x-said': 'tea' }, text: 'grün' });
  expect(seen).toEqual([['POST', '/a?b=c', 'yes', 'körper']]);
});

it('follows redirects of the same origin, a few times, and none to another', async () => {
  const elsewhere: string[] = [];
  const other = await serve((request, response) => {
    elsewhere.push(String(request.url));
    response.end('elsewhere');
  });
  const url = await serve((request, response) => {
    const to = { '/here': '/there', '/away': `${other}/taken`, '/round': '/round' }[String(request.url)];
    if (to === undefined) response.end('arrived');
    else response.writeHead(302, { location: to }).end();
  });
  const within = { timeoutMs: 5_000 };
  expect(await send(`${url}/here`, within)).toMatchObject({ status: 200, text: 'arrived' });
  expect(await send(`${url}/away`, within)).toMatchObject({ status: 302, text: '' });
  expect(elsewhere).toEqual([]);
  await expect(send(`${url}/round`, within)).rejects.toThrow(/redirects more than 3 times/);
});

it('a reply that is too long, too slow or not there is an error that tells neither path nor query', async () => {
  const url = await serve((request, response) => {
    if (request.url?.startsWith('/long') === true) response.end('x'.repeat(1_048_577));
    else response.write('never ends');
  });
  const failure = async (at: string, timeoutMs: number): Promise<string> => {
    const error: unknown = await send(at, { timeoutMs }).catch((reason: unknown) => reason);
    return String(error);
  };
  const { host } = new URL(url);
  expect(await failure(`${url}/long?secret`, 5_000)).toBe(`Error: ${host} answered with more than 1048576 bytes`);
  expect(await failure(`${url}/slow?secret`, 50)).toBe(`Error: ${host} gave no whole answer within 0.05 seconds`);
  expect(await failure('http://127.0.0.1:1/secret', 5_000)).toMatch(/^Error: 127\.0\.0\.1:1 cannot be asked/);
  expect(await failure('file:///etc/passwd', 5_000)).toBe('Error: file: is not HTTP');
});
