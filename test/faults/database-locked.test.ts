import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openHasher } from '../../src/testing/rig.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { hiddenFields, send, signUp, WebClient } from '../support/web-client.ts';

const flow = 'default-enrollment-flow';
const page = `/if/flow/${flow}/`;

/** Another process that writes to the file when told to. */
const writer = `
  const Database = require('libsql');
  const file = new Database(process.argv[1], { timeout: 60_000 });
  process.on('message', (text) => { file.exec(text); process.send('done'); });
  process.send('ready');
`;

const folder = mkdtempSync(join(tmpdir(), 'doorward-locked-'));
const file = join(folder, 'doorward.sqlite');
let server: TestServer;
/** Whoever waits long for a lock, and whoever does not. */
let patient: TestServer;
let other: ChildProcess;
const tell = async (text: string): Promise<void> => {
  other.send(text);
  await once(other, 'message');
};

beforeAll(async () => {
  server = await startServer({ hasher: openHasher, database: { sqlite: file, patienceMs: 500 } });
  patient = await startServer({ hasher: openHasher, database: { sqlite: file } });
  other = spawn(process.execPath, ['-e', writer, file], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  await once(other, 'message');
});
afterAll(async () => {
  other.disconnect();
  await once(other, 'exit');
  await Promise.all([server.close(), patient.close()]);
  rmSync(folder, { recursive: true, force: true });
});

it('W33: another process keeps the file locked: 503, nothing moved, and the same answer is taken afterwards', async () => {
  const [program, person, reader] = [0, 1, 2].map(() => new WebClient(server.origin)) as [
    WebClient,
    WebClient,
    WebClient,
  ];
  await program.open(flow);
  const form = { ...hiddenFields((await person.request(page)).text), ...signUp('grace') };
  await tell('BEGIN IMMEDIATE');
  const answers = Promise.all([program.post(signUp('ada')), person.submit(page, form)]);
  // Whoever only reads is served meanwhile.
  expect((await reader.open(flow)).component).toBe('ak-stage-prompt');
  expect((await send(server.origin, '/-/health/ready/')).status).toBe(200);
  const [json, html] = await answers;
  expect([json.status, json.json().code, json.headers['retry-after']]).toEqual([503, 'store_unavailable', '5']);
  expect([html.status, html.headers['retry-after'], html.headers['content-type']]).toEqual([
    503,
    '5',
    'text/html; charset=utf-8',
  ]);
  expect(html.text).toContain('Nothing was lost');
  await tell('ROLLBACK');
  expect((await server.auth.users.list()).total).toBe(0);

  expect(await program.answer(signUp('ada'))).toEqual({ component: 'xak-flow-redirect', to: '/' });
  const sent = await person.submit(page, form);
  expect([sent.status, sent.headers.location]).toEqual([303, '/']);
  expect([await program.whoAmI(), await person.whoAmI()]).toEqual(['ada', 'grace']);
  expect((await server.auth.users.list()).total).toBe(2);
});

it('a lock that passes is waited for', async () => {
  const client = new WebClient(patient.origin);
  await client.open(flow);
  await tell('BEGIN IMMEDIATE');
  const answer = client.answer(signUp('patience'));
  await send(patient.origin, '/-/health/live/');
  await tell('COMMIT');
  expect((await answer).component).toBe('xak-flow-redirect');
});
