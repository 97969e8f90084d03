import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/app/create.ts';
import { mailEffect } from '../../src/engine/mail.ts';
import { createHandler } from '../../src/http/handler.ts';
import { openHasher } from '../../src/testing/rig.ts';
import { given } from '../store/databases.ts';

const origin = 'http://localhost:9000';
const folder = mkdtempSync(join(tmpdir(), 'doorward-mailbox-'));
const link = `${origin}/if/flow/recovery/?flow_token=abc`;

type App = Awaited<ReturnType<typeof createApp>>;
let app: App;
let fetch: (path: string, headers?: Record<string, string>) => Promise<Response>;

async function open(publicUrl: string, file: string, smtp?: string): Promise<App> {
  return createApp({
    ...{ database: { sqlite: join(folder, file) }, secretKey: 'the secret key of a test which is no secret' },
    ...{ publicUrl, hasher: openHasher, ...(smtp === undefined ? {} : { mail: { smtp } }) },
  });
}

beforeAll(async () => {
  app = await open(origin, 'local.sqlite');
  const handler = createHandler(app);
  fetch = (path, headers = {}) => handler(new Request(`${origin}${path}`, { headers }), { address: '127.0.0.1' });
  await app.change([
    mailEffect(
      {
        ...{ template: 'recovery', locale: 'en', to: { name: '<b>Ada', address: 'ada@example.com' } },
        values: { url: link, code: '123456', username: 'R&D "team"' },
      },
      null,
      app.now(),
    ),
  ]);
});
afterAll(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

const keyFor = async (secret: string): Promise<string> => {
  const answer = await fetch(`/if/mail/?secret=${secret}`);
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/if/mail/']);
  const cookie = given(answer.headers.get('set-cookie'));
  expect(cookie).toMatch(/HttpOnly; SameSite=Strict$/);
  return given(cookie.split(';')[0]);
};

describe('the mailbox of a server without a mail server', () => {
  it('opens with the terminal’s secret, once', async () => {
    const secret = given(app.mailboxKey).secret();
    const cookie = await keyFor(secret);
    expect((await fetch(`/if/mail/?secret=${secret}`)).status).toBe(403);
    const list = await (await fetch('/if/mail/', { cookie })).text();
    expect(list).toContain('ada@example.com');
    const path = given(/href="(\/if\/mail\/[\w-]+\/)"/.exec(list)?.[1]);
    const shown = await (await fetch(path, { cookie })).text();
    expect(shown).toContain(`href="${link}"`);
    expect(shown).toContain('R&amp;D');
    expect((await fetch(path)).status).toBe(403);
  });

  it('is not opened by a prefetch, nor by another site', async () => {
    const secret = given(app.mailboxKey).secret();
    expect((await fetch(`/if/mail/?secret=${secret}`, { 'sec-purpose': 'prefetch' })).status).toBe(403);
    expect((await fetch(`/if/mail/?secret=${secret}`, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    await keyFor(secret);
  });

  it.each(['', 'x', 'doorward_mailbox=', 'doorward_mailbox=made-up', 'other=1; doorward_mailbox=x'])(
    'stays shut for the cookie "%s"',
    async (cookie) => {
      expect((await fetch('/if/mail/', cookie === '' ? {} : { cookie })).status).toBe(403);
    },
  );

  it.each(['x-forwarded-for', 'forwarded', 'x-forwarded-host', 'x-real-ip', 'via'])(
    'is not there behind a proxy (%s), whatever key is shown',
    async (name) => {
      const cookie = await keyFor(given(app.mailboxKey).secret());
      expect((await fetch('/if/mail/', { cookie, [name]: '192.0.2.1' })).status).toBe(404);
    },
  );

  it.each([
    ['at a public address', 'https://id.example', undefined],
    ['at an address like this machine’s', 'http://127.0.0.1.example', undefined],
    ['where mail leaves', origin, 'smtp://localhost:25'],
  ])('is not there %s', async (name, publicUrl, smtp) => {
    const other = await open(publicUrl, `${name.replace(/\W/g, '-')}.sqlite`, smtp);
    const answer = await createHandler(other)(new Request(`${publicUrl}/if/mail/`), { address: '127.0.0.1' });
    expect([other.mailboxKey, answer.status]).toEqual([null, 404]);
    await other.close();
  });

  it('opens to administrators', async () => {
    await app.change([
      { kind: 'group.create', group: { pk: 'a', name: 'a', isSuperuser: true, parent: null, attributes: {} } },
    ]);
    const boss = await app.users.create({ username: 'boss', groups: ['a'] });
    const user = await app.users.create({ username: 'user' });
    const asking = async (pk: number): Promise<number> => {
      const { secret } = await app.tokens.create(pk);
      return (await fetch('/if/mail/', { authorization: `Bearer ${secret}` })).status;
    };
    expect([await asking(boss.id), await asking(user.id)]).toEqual([200, 403]);
  });
});
