import { URI } from 'otpauth';
import { describe, expect, it } from 'vitest';
import type { AttackedSite } from '../support/attacked-site.ts';
import { attackOnBothDatabases, placeOf, signIn } from '../support/attacked-site.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { signUp, type WebClient } from '../support/web-client.ts';

const totp = 'default-authenticator-totp-setup';
const codes = 'default-authenticator-static-setup';
const recovery = 'default-recovery-flow';
const byLink = 'by-link';
const invited = 'invited';
const open = 'open-to-invited';

const identify = { kind: 'identification', attrs: { user_fields: ['username'], show_matched_user: false } };
const invitation = { kind: 'authentik_stages_invitation.invitationstage' };
const form = {
  kind: 'prompt',
  fields: [
    { field_key: 'username', type: 'username', required: true },
    { field_key: 'password', type: 'password', required: true },
  ],
};
const create = { kind: 'user_write', attrs: { user_creation_mode: 'always_create' } };
const login = { kind: 'user_login' };
const blueprints = [
  flowYaml({
    slug: byLink,
    attrs: { designation: 'authentication' },
    stages: [identify, { kind: 'email' }, login],
  }),
  flowYaml({ slug: invited, stages: [invitation, form, create, login] }),
  flowYaml({ slug: open, stages: [invitation, form, create, login] }),
];

function codeAt(address: string, at: number): string {
  return URI.parse(address).generate({ timestamp: at } as never);
}

async function addApp(site: AttackedSite, browser: WebClient): Promise<string> {
  const { config_url: address } = await browser.open(totp);
  await browser.answer({ code: codeAt(String(address), site.clock.now()) });
  expect(browser.challenge.component).toBe('xak-flow-redirect');
  site.clock.advance(30_000);
  return String(address);
}

/** Up to the second factor. */
async function withPassword(site: AttackedSite, username: string): Promise<WebClient> {
  const browser = site.browser();
  await browser.open(signIn);
  await browser.answer({ uid_field: username });
  await browser.answer({ password: `${username} password` });
  expect(browser.challenge.component).toBe('ak-stage-authenticator-validate');
  return browser;
}

async function many<Result>(make: (index: number) => Promise<Result>): Promise<readonly Result[]> {
  return Promise.all(Array.from({ length: 50 }, (_, index) => make(index)));
}

/** How many of them are signed in. */
async function signedIn(browsers: readonly WebClient[]): Promise<number> {
  const names = await Promise.all(browsers.map((browser) => browser.whoAmI()));
  return names.filter((name) => name !== null).length;
}

/** Sessions of the user, as an administrator's list would have them. */
async function sessionsOf(browser: WebClient): Promise<number> {
  return ((await browser.request('/api/v3/core/authenticated_sessions/')).json() as { results: readonly unknown[] })
    .results.length;
}

attackOnBothDatabases('replay', { blueprints }, (site) => {
  describe('CVE-2026-37982 a used link or code', () => {
    it('of recovery sets no second password, and opens nothing in which an authenticator could be added', async () => {
      const user = await site.user('ada');
      const link = placeOf((await site.auth.tokens.recoveryLink(user.id)).address);
      const owner = site.browser();
      await owner.open(...link);
      await owner.answer({ password: 'the new password', password_repeat: 'the new password' });
      expect(await owner.whoAmI()).toBe('ada');
      for (const flow of [link[0], recovery, totp, codes, 'default-authenticator-webauthn-setup', signIn]) {
        const thief = site.browser();
        await thief.open(flow, link[1]);
        expect(['ak-stage-authenticator-totp', 'ak-stage-prompt']).not.toContain(thief.challenge.component);
        await thief.post({ password: 'the thief’s own', password_repeat: 'the thief’s own', code: '000000' });
        expect(await thief.whoAmI()).toBeNull();
      }
      await site.signedIn('ada', 'the new password');
    });

    it('by mail signs nobody in again, in the same browser or another, by link or by code', async () => {
      await site.user('bea');
      const owner = site.browser();
      await owner.open(byLink);
      await owner.answer({ uid_field: 'bea' });
      const letter = await site.proof('bea@example.com');
      const [twin, before] = [owner.twin(), owner.twin()];
      await owner.answer({ code: letter.code });
      expect(await owner.whoAmI()).toBe('bea');
      await before.answer({ code: `${letter.code} ` });
      const thief = site.browser();
      await thief.open(...placeOf(letter.link));
      await thief.post({ component: 'ak-stage-consent' });
      const again = site.browser();
      await again.open(byLink);
      await again.answer({ uid_field: 'bea' });
      await again.answer({ code: letter.code });
      await twin.open(byLink);
      expect(await signedIn([thief, again, twin, before])).toBe(0);
    });
  });

  describe('Kratos H1-3692149 of fifty at once one gets in', () => {
    it('with the code of a mail, in fifty windows of one browser: one session', async () => {
      await site.user('cleo');
      const browser = site.browser();
      await browser.open(byLink);
      await browser.answer({ uid_field: 'cleo' });
      const { code } = await site.proof('cleo@example.com');
      const windows = await many(async () => browser.twin());
      await Promise.all(windows.map((window, index) => window.post({ code: index === 0 ? code : ` ${code}` })));
      const names = await Promise.all(windows.map((window) => window.whoAmI()));
      const first = windows[names.indexOf('cleo')];
      expect(first === undefined ? 0 : await sessionsOf(first)).toBe(1);
    });

    it('with one link, in fifty browsers', async () => {
      await site.user('dora');
      const asking = site.browser();
      await asking.open(byLink);
      await asking.answer({ uid_field: 'dora' });
      const letter = await site.proof('dora@example.com');
      const browsers = await many(async () => {
        const browser = site.browser();
        await browser.open(...placeOf(letter.link));
        return browser;
      });
      await Promise.all(browsers.map((browser) => browser.post()));
      expect(await signedIn(browsers)).toBe(1);
    });

    it('with one recovery link, in fifty browsers: one password', async () => {
      const user = await site.user('emil');
      const link = placeOf((await site.auth.tokens.recoveryLink(user.id)).address);
      const browsers = await many(async () => {
        const browser = site.browser();
        await browser.open(...link);
        return browser;
      });
      await Promise.all(
        browsers.map((browser, index) =>
          browser.post({ password: `password number ${index}`, password_repeat: `password number ${index}` }),
        ),
      );
      expect(await signedIn(browsers)).toBe(1);
    });

    it('with one invitation for one, in fifty browsers: one user', async () => {
      const { secret } = await site.auth.invitations.create({ name: 'for-one', flow: invited, singleUse: true });
      const browsers = await many(async () => {
        const browser = site.browser();
        await browser.open(invited, `itoken=${secret}`);
        return browser;
      });
      await Promise.all(
        browsers.map((browser, index) => browser.post({ username: `guest-${index}`, password: 'guest password' })),
      );
      expect(await signedIn(browsers)).toBe(1);
      expect((await site.usernames()).filter((name) => name.startsWith('guest-'))).toHaveLength(1);
    });

    it('with one code of an app, or one recovery code, each after the right password', async () => {
      await site.user('finn');
      const owner = await site.signedIn('finn');
      const { codes: list } = await owner.open(codes);
      await owner.answer();
      const address = await addApp(site, owner);
      const [spare = ''] = list as readonly string[];
      for (const code of [codeAt(address, site.clock.now()), spare]) {
        const browsers = await Promise.all(Array.from({ length: 10 }, () => withPassword(site, 'finn')));
        const windows = browsers.flatMap((browser) => Array.from({ length: 5 }, () => browser.twin()));
        await Promise.all(windows.map((window, index) => window.post({ code: `${code}${' '.repeat(index)}` })));
        const inside = await signedIn(windows);
        expect(inside).toBe(1);
        // Wrong codes are counted; they are forgotten after a while.
        site.clock.advance(60 * 60_000);
      }
    });
  });

  it('CVE-2022-23555 an invitation is of its own flow alone, before and after it was used', async () => {
    const { secret } = await site.auth.invitations.create({ name: 'for-invited', flow: invited, singleUse: true });
    const guest = site.browser();
    for (const query of [`itoken=${secret}`, `token=${secret}`, `flow_token=${secret}`]) {
      await guest.open(open, query);
      await guest.post({ username: 'intruder', password: 'guest password', itoken: secret, token: secret });
    }
    // Begun where it is good, answered elsewhere.
    await guest.open(invited, `itoken=${secret}`);
    const { step } = guest;
    await guest.open(open);
    guest.step = step;
    await guest.post({ username: 'intruder', password: 'guest password' });
    expect(await site.usernames()).not.toContain('intruder');
    await guest.open(invited, `itoken=${secret}`);
    await guest.answer({ username: 'welcome', password: 'guest password' });
    expect(await guest.whoAmI()).toBe('welcome');
    for (const flow of [invited, open]) {
      const next = site.browser();
      await next.open(flow, `itoken=${secret}`);
      await next.post({ username: 'intruder', password: 'guest password' });
    }
    expect(await site.usernames()).not.toContain('intruder');
  });

  it('a program’s token is no session, and a session no token; revoked it is nothing', async () => {
    const user = await site.user('greta');
    const token = await site.auth.tokens.create(user.id);
    const browser = await site.signedIn('greta');
    const cookie = [...browser.cookies.values()][0] ?? '';
    const me = '/api/v3/core/users/me/';
    const ask = async (headers: Record<string, string>) => (await site.browser().request(me, { headers })).status;
    expect(await ask({ authorization: `Bearer ${token.secret}` })).toBe(200);
    expect(await ask({ cookie: `doorward_session=${token.secret}` })).toBe(403);
    expect(await ask({ cookie: `doorward_session=u.${token.secret}` })).toBe(403);
    expect(await ask({ authorization: `Bearer ${cookie}` })).toBe(403);
    expect(await ask({ authorization: `Bearer ${cookie.split('.')[1]}` })).toBe(403);
    await site.auth.tokens.revoke(token.uuid);
    expect(await ask({ authorization: `Bearer ${token.secret}` })).toBe(403);
  });

  it('a second sign-up by the same answer makes no second user', async () => {
    const browser = site.browser();
    await browser.open('default-enrollment-flow');
    const windows = await many(async () => browser.twin());
    await Promise.all(windows.map((window) => window.post(signUp('hanna'))));
    expect((await site.usernames()).filter((name) => name === 'hanna')).toHaveLength(1);
  });
});
