import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHasher } from '../../src/testing/rig.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { type MailServer, openMailServer } from '../support/mail-server.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { hiddenFields, signUp, WebClient } from '../support/web-client.ts';

const path = '/if/flow/verify/';
let server: TestServer;
let mail: MailServer;

beforeAll(async () => {
  mail = await openMailServer();
  server = await startServer({
    ...{ mail: { smtp: mail.url }, hasher: openHasher },
    blueprints: [
      flowYaml({
        slug: 'verify',
        stages: [
          {
            kind: 'prompt',
            fields: [
              { field_key: 'username', type: 'username' },
              { field_key: 'email', type: 'email' },
            ],
          },
          { kind: 'email' },
          { kind: 'user_write', attrs: { user_creation_mode: 'always_create' } },
          { kind: 'user_login' },
        ],
      }),
    ],
  });
});
afterAll(async () => {
  await server.close();
  await mail.close();
});

/** A browser on the page that waits, and the message. */
async function waiting(username: string) {
  const browser = new WebClient(server.origin);
  const answer = await browser.fill(path, { username, email: `${username}@example.com` });
  expect([answer.status, answer.headers.location]).toEqual([303, path]);
  const letter = await mail.next(`${username}@example.com`);
  const { pathname, search } = new URL(letter.link);
  return { browser, letter, link: `${pathname}${search}` };
}

describe('the pages of a proof by mail, without a script', () => {
  it('the page waits and comes again by itself; the link from a mail program asks for a click', async () => {
    const { browser, link } = await waiting('ada');
    const page = (await browser.request(path)).text;
    expect(page).toContain('<noscript><meta http-equiv="refresh" content="20"/></noscript>');
    expect(page).toContain('We sent a message to a…@example.com.');
    expect(page).toContain('autocomplete="one-time-code"');
    const phone = new WebClient(server.origin);
    const opened = await phone.request(link, {
      headers: { 'sec-fetch-site': 'cross-site', 'user-agent': 'Mozilla/5.0' },
    });
    expect(opened.status).toBe(200);
    expect(opened.text).toContain('Is ada@example.com your address?');
    expect(opened.text).toContain('127.0.0.1');
    const done = await phone.submit(link, hiddenFields(opened.text));
    expect(done.text).toContain('Go on where you started');
    expect((await phone.request(link)).text).toContain('This link was used or has expired');
    const next = await browser.request(path);
    expect([next.status, next.headers.location]).toEqual([303, '/']);
    expect(await browser.whoAmI()).toBe('ada');
  });

  it('a scanner that sends HEAD, prefetches, or posts from elsewhere confirms nothing', async () => {
    const { browser, link, letter } = await waiting('bea');
    const scanner = new WebClient(server.origin);
    await scanner.request(link, { method: 'HEAD' });
    await scanner.request(link, { headers: { 'sec-purpose': 'prefetch' } });
    const fields = hiddenFields((await scanner.request(link)).text);
    const stranger = new WebClient(server.origin);
    expect((await stranger.submit(link, fields, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await stranger.submit(link, fields)).headers.location).toBe(link);
    expect(await server.auth.users.get({ username: 'bea' })).toBeNull();
    await browser.fill(path, { code: letter.code });
    expect(await browser.whoAmI()).toBe('bea');
  });

  it('the page’s own look at its run (HEAD) moves nothing, and tells when there is something new', async () => {
    const { browser, link } = await waiting('cleo');
    const place = (token: unknown) => String(token).split('~').slice(0, 2).join('~');
    const shown = hiddenFields((await browser.request(path)).text).step;
    const before = await browser.request(path, { method: 'HEAD' });
    expect(place(before.headers['doorward-step'])).toBe(place(shown));
    const phone = new WebClient(server.origin);
    await phone.submit(link, hiddenFields((await phone.request(link)).text));
    const after = await browser.request(path, { method: 'HEAD' });
    expect(place(after.headers['doorward-step'])).not.toBe(place(shown));
    expect(await browser.whoAmI()).toBeNull();
    await browser.request(path);
    expect(await browser.whoAmI()).toBe('cleo');
  });

  it('a wrong code stands at its field; another message is a button of the same form', async () => {
    const { browser, letter } = await waiting('dora');
    const wrong = letter.code === '000000' ? '000001' : '000000';
    const refused = await browser.fill(path, { code: wrong });
    expect(refused.text).toContain('This code is not right.');
    const again = await browser.fill(path, { code: '', resend: 'true' });
    expect(again.status).toBe(303);
    expect((await browser.request(path)).text).toContain('A new message is on its way.');
    await browser.fill(path, { code: (await mail.next('dora@example.com')).code });
    expect(await browser.whoAmI()).toBe('dora');
  });

  it('host header poisoning: what the request calls this server is not where links lead', async () => {
    const browser = new WebClient(server.origin);
    const fields = hiddenFields((await browser.request(path)).text);
    const headers = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example',
    };
    await browser.submit(
      path,
      { ...fields, username: 'eva', email: 'eva@example.com' },
      { ...headers, host: 'evil.example' },
    );
    const letter = await mail.next('eva@example.com');
    expect(new URL(letter.link).origin).toBe(server.origin);
    expect(letter.raw).not.toContain('evil.example');
  });
});

describe('the account page and one’s address, without a script', () => {
  const account = '/if/user/';
  const me = async (browser: WebClient) =>
    ((await browser.request('/api/v3/core/users/me/')).json() as { user: { email_verified: boolean } }).user;
  const data = async (browser: WebClient) =>
    ((await browser.request('/if/user/data.json')).json() as { profile: Record<string, unknown> }).profile;

  it('says that it is not confirmed, leads to the proof and comes back from it', async () => {
    const browser = new WebClient(server.origin);
    await browser.fill('/if/flow/default-enrollment-flow/', signUp('kim'));
    const before = (await browser.request(account)).text;
    expect(before).toContain('Not confirmed yet.');
    const [, href = ''] = /<a href="([^"]+)">Confirm this address</.exec(before) ?? [];
    expect(href).toBe('/if/flow/default-email-verification/?next=%2Fif%2Fuser%2F%3Fnotice%3Demail-confirmed');
    expect([await me(browser), await data(browser)]).toMatchObject([
      { email_verified: false },
      { email_verified: null },
    ]);
    await browser.request(href);
    const { code } = await mail.next('kim@example.com');
    const done = await browser.fill(href, { code });
    expect([done.status, done.headers.location]).toEqual([303, '/if/user/?notice=email-confirmed']);
    const after = (await browser.request('/if/user/?notice=email-confirmed')).text;
    expect(after).toContain('Your address is confirmed.');
    expect(after).toContain('<span class="badge">Confirmed</span>');
    expect(after).not.toContain('Confirm this address');
    expect(await me(browser)).toMatchObject({ email_verified: true });
    expect(await data(browser)).toMatchObject({
      email: 'kim@example.com',
      email_verified: expect.stringMatching(/^20/),
    });
  });

  it('a new address in the profile is written when it is proven, and then is confirmed', async () => {
    const browser = new WebClient(server.origin);
    await browser.fill('/if/flow/default-enrollment-flow/', signUp('lea'));
    const profile = '/if/flow/default-user-settings-flow/?next=/if/user/';
    const sent = { username: 'lea', name: 'Lea', email: 'lea@example.org', 'attributes.settings.locale': '' };
    await browser.fill(profile, sent);
    expect((await browser.request(account)).text).toContain('lea@example.com');
    await browser.fill(profile, { code: (await mail.next('lea@example.org')).code });
    const after = (await browser.request(account)).text;
    expect(after).toContain('lea@example.org');
    expect(after).toContain('<span class="badge">Confirmed</span>');
    expect((await mail.next('lea@example.com')).headers.get('subject')).toContain('address');
  });
});
