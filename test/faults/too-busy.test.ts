import { afterAll, beforeAll, expect, it } from 'vitest';
import { DoorwardError } from '../../src/kernel/errors.ts';
import { openHasher } from '../../src/testing/rig.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { hiddenFields, signUp, WebClient } from '../support/web-client.ts';

const flow = 'default-enrollment-flow';
const page = `/if/flow/${flow}/`;
let full = false;
let server: TestServer;
beforeAll(async () => {
  const hash = async (password: string): Promise<string> => {
    if (full) throw new DoorwardError('too_busy', 'the queue is full', { retryAfter: 0.4 });
    return openHasher.hash(password);
  };
  server = await startServer({ hasher: { ...openHasher, hash } });
});
afterAll(() => server.close());

it('no room for another hash: 429 that says when to come back, and the same answer is taken then (CONTRACT: Trust)', async () => {
  const [client, person] = [new WebClient(server.origin), new WebClient(server.origin)];
  await client.open(flow);
  const form = { ...hiddenFields((await person.request(page)).text), ...signUp('grace') };
  full = true;
  const json = await client.post(signUp('ada'), { 'accept-language': 'de' });
  expect([json.status, json.json().code, json.headers['retry-after']]).toEqual([429, 'too_busy', '1']);
  expect(json.json().detail).not.toMatch(/queue|busy/);
  const html = await person.submit(page, form);
  expect([html.status, html.headers['retry-after']]).toEqual([429, '1']);
  expect(html.text).toContain('very busy');
  full = false;
  await client.answer(signUp('ada'));
  expect(await client.whoAmI()).toBe('ada');
  expect((await person.submit(page, form)).headers.location).toBe('/');
});
