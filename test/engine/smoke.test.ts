import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createApp } from '../../src/app/create.ts';
const openHasher = { hash: async (p: string) => `plain:${p}`, verify: async (s: string, p: string) => ({ ok: s === `plain:${p}`, renew: false }), decoy: async () => {} };

it('smoke', async () => {
  const app = await createApp({ database: { sqlite: join(mkdtempSync(join(tmpdir(), 'dw-')), 'a.sqlite') }, secretKey: 'x'.repeat(40), publicUrl: 'http://localhost:9000', hasher: openHasher, log: (...a) => console.log(...a) });
  const base = { sessionToken: 'anon-1', query: {}, cautious: false, address: '192.0.2.1', agent: 'test', acceptLanguage: null, origin: 'http://localhost:9000', requestId: 'r' };
  const shown = await app.step({ ...base, slug: 'default-enrollment-flow', answer: null });
  console.log(JSON.stringify({ ...shown, flow: undefined }, null, 1));
  const done = await app.step({ ...base, slug: 'default-enrollment-flow', answer: { stepToken: shown.stepToken, body: { component: 'ak-stage-prompt', username: 'ada', name: 'Ada', email: 'ada@example.com', password: 'correct horse', password_repeat: 'correct horse' } } });
  console.log(JSON.stringify({ ...done, flow: undefined }, null, 1));
  expect(done.challenge.component).toBe('xak-flow-redirect');
  const again = await app.step({ ...base, slug: 'default-enrollment-flow', answer: { stepToken: shown.stepToken, body: { component: 'ak-stage-prompt', username: 'ada', name: 'Ada', email: 'ada@example.com', password: 'correct horse', password_repeat: 'correct horse' } } });
  expect(again.session).toEqual(done.session);
  console.log(await app.store.accounts.listEvents?.({}));
  await app.close();
});
