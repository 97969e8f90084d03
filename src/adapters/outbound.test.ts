import { expect, it } from 'vitest';
import { leading, localServers, noting } from '../../test/support/local-servers.ts';
import { createOutbound } from './outbound.ts';

const { send } = createOutbound();
const serve = localServers();
/** A busy machine may take long about little. */
const timeoutMs = 60_000;

it('gives status, headers and text, and sends what it is told to', async () => {
  const seen: unknown[] = [];
  const url = await serve(noting(seen, 418, 'grün'));
  const asked = { method: 'POST', headers: { 'X-Asked': 'yes' }, body: 'körper', timeoutMs } as const;
  expect(await send(`${url}/a?b=c`, asked)).toMatchObject({ status: 418, headers: { 'x-said': 'yes' }, text: 'grün' });
  expect(seen).toEqual([['POST', '/a?b=c', 'yes', 'körper']]);
});

it('follows redirects of the same origin, a few times, and none to another', async () => {
  const elsewhere: string[] = [];
  const other = await serve((request, response) => {
    elsewhere.push(String(request.url));
    response.end('elsewhere');
  });
  const url = await serve(leading(`${other}/taken`));
  expect(await send(`${url}/here`, { timeoutMs })).toMatchObject({ status: 200, text: 'arrived' });
  expect(await send(`${url}/away`, { timeoutMs })).toMatchObject({ status: 302, text: '' });
  expect(elsewhere).toEqual([]);
  await expect(send(`${url}/round`, { timeoutMs })).rejects.toThrow(/redirects more than 3 times/);
});

it('a reply that is too long, too slow or not there is an error that tells neither path nor query', async () => {
  const url = await serve((request, response) => {
    if (request.url?.startsWith('/long') === true) response.end('x'.repeat(1_048_577));
    else response.write('never ends');
  });
  const failure = async (at: string, within = timeoutMs): Promise<string> => {
    const error: unknown = await send(at, { timeoutMs: within }).catch((reason: unknown) => reason);
    return String(error);
  };
  const { host } = new URL(url);
  expect(await failure(`${url}/long?secret`)).toBe(`Error: ${host} answered with more than 1048576 bytes`);
  expect(await failure(`${url}/slow?secret`, 50)).toBe(`Error: ${host} gave no whole answer within 0.05 seconds`);
  expect(await failure('http://127.0.0.1:1/secret')).toMatch(/^Error: 127\.0\.0\.1:1 cannot be asked/);
  expect(await failure('file:///etc/passwd')).toBe('Error: file: is not HTTP');
});
