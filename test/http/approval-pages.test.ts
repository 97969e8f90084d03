import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHasher } from '../../src/testing/rig.ts';
import { type MailServer, openMailServer } from '../support/mail-server.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { hiddenFields, WebClient } from '../support/web-client.ts';

const name = 'enrollment-approval';
const path = `/if/flow/${name}/`;
const text = readFileSync(new URL(`../../examples/flows/${name}.yaml`, import.meta.url), 'utf8');
let server: TestServer;
let mail: MailServer;

beforeAll(async () => {
  mail = await openMailServer();
  server = await startServer({
    ...{ mail: { smtp: mail.url }, hasher: openHasher },
    blueprints: [{ name: `${name}.yaml`, text }],
  });
  await server.auth.users.create({ username: 'boss', email: 'boss@example.com', groups: ['approvers'] });
});
afterAll(async () => {
  await server.close();
  await mail.close();
});

/** Where a message leads, as a mail program opens it. */
const placeOf = (link: string) => new URL(link).pathname + new URL(link).search;

async function waiting(username: string): Promise<WebClient> {
  const browser = new WebClient(server.origin);
  const password = 'correct horse battery';
  const email = `${username}@example.com`;
  await browser.fill(path, { username, name: 'Ada', email, password, password_repeat: password });
  await browser.fill(path, { code: (await mail.next(email)).code });
  return browser;
}

describe('the pages of an approval, without a script', () => {
  it('the example: proven, approved by a link out of a mail program, then written and signed in', async () => {
    const browser = await waiting('ada');
    const wait = (await browser.request(path)).text;
    expect(wait).toContain('<noscript><meta http-equiv="refresh" content="20"/></noscript>');
    expect(wait).toContain('Somebody has to approve it');
    const link = placeOf((await mail.next('boss@example.com')).link);
    const boss = new WebClient(server.origin);
    const opened = await boss.request(link, { headers: { 'sec-fetch-site': 'cross-site' } });
    expect(opened.text).toContain('Do you know them?');
    expect(opened.text).toContain('ada@example.com');
    expect(opened.text).not.toContain('correct horse');
    expect(await server.auth.users.get({ username: 'ada' })).toBeNull();
    const refused = await boss.submit(link, { verdict: 'deny', reason: '' });
    expect(refused.text).toContain('aria-invalid="true"');
    await boss.submit(link, { verdict: 'approve', reason: '' });
    expect((await boss.request(link)).text).toContain('You approved this.');
    expect((await boss.submit(link, { verdict: 'deny', reason: 'On second thoughts' })).status).toBe(303);
    expect(await server.auth.users.get({ username: 'ada' })).toMatchObject({ isActive: true });
    expect((await browser.request(path)).status).toBe(303);
    expect(await browser.whoAmI()).toBe('ada');
  });

  it('the way back asks for a click, in a browser that knows nothing of the run; both languages', async () => {
    await waiting('bea');
    const boss = new WebClient(server.origin);
    const link = placeOf((await mail.next('boss@example.com')).link);
    expect((await boss.request(link, { headers: { 'accept-language': 'de' } })).text).toContain('Genehmigen');
    await boss.submit(link, { verdict: 'approve' });
    const back = placeOf((await mail.next('bea@example.com')).link);
    const phone = new WebClient(server.origin);
    const shown = await phone.request(back);
    expect(shown.text).toContain('Go on in this browser?');
    const foreign = await phone.submit(back, hiddenFields(shown.text), { origin: 'https://evil.example' });
    expect(foreign.status).toBe(403);
    const went = await phone.submit(back, hiddenFields(shown.text));
    expect([went.status, went.headers.location]).toEqual([303, path]);
    await phone.request(path);
    expect(await phone.whoAmI()).toBe('bea');
  });

  it('the account page leads those who approve to what waits for them, and nobody else', async () => {
    const password = 'correct horse battery';
    const accountOf = async (username: string, groups: readonly string[]) => {
      await server.auth.users.create({ username, password, groups });
      const browser = new WebClient(server.origin);
      await browser.open('default-authentication-flow');
      await browser.answer({ uid_field: username });
      await browser.answer({ password });
      return async (path = '/if/user/') => (await browser.request(path)).text;
    };
    const [chair, other, root] = [
      await accountOf('chair', ['approvers']),
      await accountOf('other', []),
      await accountOf('root', ['Doorward Admins']),
    ];
    for (const page of [chair, root]) expect(await page()).toContain('Nobody waits for your approval');
    await waiting('dora');
    await mail.next('boss@example.com');
    for (const page of [chair, root]) expect(await page()).toContain('One request waits for your decision.');
    await waiting('emil');
    const link = placeOf((await mail.next('boss@example.com')).link);
    expect(await chair()).toContain('2 requests wait for your decision.');
    await new WebClient(server.origin).submit(link, { verdict: 'approve' });
    for (const page of [chair, root]) expect(await page()).toContain('One request waits for your decision.');
    expect(await other()).not.toContain('/if/approvals/');
    const list = await chair('/if/approvals/');
    for (const part of ['>dora</a>', 'Create your account · Open until', 'href="/if/user/"'])
      expect(list).toContain(part);
  });

  it('who is not signed in is asked to, and finds their way to the list', async () => {
    const answer = await new WebClient(server.origin).request('/if/approvals/');
    expect([answer.status, answer.headers.location]).toEqual([
      302,
      '/flows/-/default/authentication/?next=%2Fif%2Fapprovals%2F',
    ]);
    expect((await new WebClient(server.origin).request('/api/v3/stages/approval/requests/')).status).toBe(403);
  });
});
