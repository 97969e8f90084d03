import { expect, it } from 'vitest';
import { leading, localServers, noting } from '../../test/support/local-servers.ts';
import { createExpressionHosts } from './expression-hosts.ts';

const serve = localServers();
/** A busy machine may take long about little. */
const hostsFor = (...hosts: readonly string[]) => createExpressionHosts(hosts, 60_000);

const failure = async (work: Promise<unknown>): Promise<string> => String(await work.catch((error: unknown) => error));

it('nobody may be asked unless the administrator says so, and the error says how', async () => {
  const { send, resolve, reverse } = hostsFor();
  for (const work of [send('https://example.com/', {}), resolve('example.com'), reverse('192.0.2.1')])
    expect(await failure(work)).toMatch(/may not ask .*DOORWARD_EXPRESSION_HOSTS/);
});

it('a server that is named is asked: GET and POST, with headers and a body', async () => {
  const seen: unknown[] = [];
  const origin = await serve(noting(seen, 201, 'grün'));
  const { send } = hostsFor('127.0.0.1');
  const asked = { method: 'POST', headers: { 'X-Asked': 'yes' }, body: 'körper' } as const;
  expect(await send(`${origin}/a?b=c`, asked)).toMatchObject({
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
  expect(await failure(hostsFor('example.com').send(url, {}))).toMatch(/may not ask/);
});

it('a name that means a private address is not asked, unless the address is named as well', async () => {
  let asked = 0;
  const origin = await serve((_, response) => {
    asked += 1;
    response.end('inside');
  });
  const url = `http://localhost:${new URL(origin).port}/`;
  expect(await failure(hostsFor('localhost').send(url, {}))).toMatch(/private/);
  expect(asked).toBe(0);
  const both = hostsFor('LOCALHOST', '127.0.0.1');
  expect(await both.send(url, {})).toMatchObject({ status: 200, text: 'inside' });
});

it('follows redirects of the same server, a few times, and none to another', async () => {
  const elsewhere: string[] = [];
  const other = await serve((request, response) => {
    elsewhere.push(String(request.url));
    response.end();
  });
  const origin = await serve(leading(`${other}/taken`));
  const { send } = hostsFor('127.0.0.1');
  const get = { method: 'GET' } as const;
  expect(await send(`${origin}/here`, get)).toMatchObject({ text: 'arrived' });
  expect(await send(`${origin}/away`, get)).toMatchObject({ status: 302 });
  expect(elsewhere).toEqual([]);
  expect(await failure(send(`${origin}/round`, get))).toMatch(/redirects more than 3 times/);
});

it('a reply beyond 64 KB, and a server that is not there, are errors that name neither path nor query', async () => {
  const origin = await serve((_, response) => response.end('x'.repeat(65_537)));
  const { send, resolve } = hostsFor('127.0.0.1', 'name.invalid');
  const long = await failure(send(`${origin}/path?secret`, {}));
  expect(long).toBe('CodeException: 127.0.0.1 answered with more than 65536 bytes');
  expect(await failure(send('http://127.0.0.1:1/path?secret', {}))).toBe(
    'CodeException: 127.0.0.1 cannot be asked (ECONNREFUSED)',
  );
  expect(await failure(send('file:///etc/passwd', {}))).toBe('Error: file: is not HTTP');
  expect(await resolve('name.invalid')).toEqual([]);
});
