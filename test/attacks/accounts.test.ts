import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { given } from '../store/databases.ts';
import { attackOnBothDatabases, attackOnSqlite, placeOf, signIn } from '../support/attacked-site.ts';
import { signUp } from '../support/web-client.ts';

const enrollment = 'default-enrollment-flow';

attackOnBothDatabases('accounts', {}, (site) => {
  it.each([
    'default-user-settings-flow',
    'default-password-change',
    'default-recovery-flow',
    'default-recovery-link',
    'default-authentication-flow',
    'default-unenrollment-flow',
    'default-authenticator-totp-setup',
    'initial-setup',
  ])('CVE-2022-46145 %s makes no user, whatever a stranger sends it', async (flow) => {
    if ((await site.usernames()).length === 0) await site.user('somebody');
    const before = await site.usernames();
    const stranger = site.browser();
    await stranger.open(flow);
    const body = { ...signUp('intruder'), uid_field: 'intruder', groups: ['admins'], type: 'internal' };
    for (const answer of [body, { ...body, component: 'ak-stage-prompt' }, { ...body, component: '' }])
      await stranger.post(answer);
    await stranger.submit(`/if/flow/${flow}/`, signUp('intruder'));
    expect(await site.usernames()).toEqual(before);
    expect(await stranger.whoAmI()).toBeNull();
  });

  it('CVE-2022-46172 an enrollment overwrites nobody: not who is signed in, not whose name is typed', async () => {
    const admin = await site.user('admin');
    const signedIn = await site.signedIn('admin');
    await signedIn.open(enrollment);
    await signedIn.post({ ...signUp('taken-over'), email: 'thief@example.com' });
    const stranger = site.browser();
    await stranger.open(enrollment);
    for (const more of [{}, { pk: admin.id }, { pending_user: admin.id, uuid: admin.uuid }]) {
      await stranger.answer({ ...signUp('admin'), ...more, email: 'thief@example.com' });
      expect(await stranger.whoAmI()).toBeNull();
    }
    await site.expectUnharmed(admin);
  });

  it('CVE-2022-46172 nobody writes more of themselves than is asked: neither rights nor somebody else', async () => {
    const [ada, bob] = [await site.user('ada'), await site.user('bob')];
    const browser = await site.signedIn('ada');
    await browser.open('default-user-settings-flow');
    await browser.answer({
      ...{ username: 'ada', name: 'Ada', email: 'ada@example.com', 'attributes.settings.locale': '' },
      ...{ pk: bob.id, id: bob.id, uuid: bob.uuid, pending_user: bob.id, user: 'bob', groups: ['admins'] },
      ...{ is_superuser: true, is_active: false, type: 'service_account', path: 'root', 'attributes.role': 'admin' },
      ...{ attributes: { role: 'admin' }, password: 'changed by stealth', 'doorward/made': {}, __proto__: { a: 1 } },
    });
    expect(await site.auth.users.get({ pk: ada.id })).toMatchObject({ name: 'Ada', isActive: true, type: ada.type });
    expect(JSON.stringify(await site.auth.users.get({ pk: ada.id }))).not.toContain('role');
    const me = (await browser.request('/api/v3/core/users/me/')).json() as { user: { is_superuser: boolean } };
    expect(me.user.is_superuser).toBe(false);
    await site.expectUnharmed(bob);
  });

  it('CVE-2026-19607 username takeover: the name or address of another is not to be had, and its owner still gets in', async () => {
    const owner = await site.user('olga');
    await site.user('thief');
    const thief = await site.signedIn('thief');
    for (const username of ['olga', 'OLGA', ' olga ', 'ｏｌｇａ', 'olga@example.com', 'OLGA@EXAMPLE.COM']) {
      await thief.open('default-user-settings-flow');
      await thief.answer({ username, name: 'T', email: 'thief@example.com', 'attributes.settings.locale': '' });
      const stranger = site.browser();
      await stranger.open(enrollment);
      await stranger.answer({ ...signUp('x'), username });
      const byAddress = site.browser();
      await byAddress.open(signIn);
      await byAddress.answer({ uid_field: 'olga@example.com' });
      await byAddress.answer({ password: 'olga password' });
      expect([username, await byAddress.whoAmI()]).toEqual([username, 'olga']);
    }
    await site.expectUnharmed(owner);
  });

  describe('CVE-2026-19607 an address that its owner proved', () => {
    const provesFirst = new URL('../../examples/flows/enrollment-verify-first.yaml', import.meta.url);

    async function signedUp(flow: string, username: string, email: string) {
      const browser = site.browser();
      await browser.open(flow);
      await browser.answer({ ...signUp(username), email });
      return browser;
    }

    async function meansOwner(owner: string, email: string): Promise<void> {
      for (const uid_field of [email, email.toUpperCase()]) {
        const browser = site.browser();
        await browser.open(signIn);
        await browser.answer({ uid_field });
        await browser.answer({ password: signUp('').password });
        expect([uid_field, await browser.whoAmI()]).toEqual([uid_field, owner]);
      }
    }

    it('is not to be made ambiguous by strangers who sign up with it: its owner signs in and recovers by it', async () => {
      const email = 'rosa@example.com';
      const owner = await signedUp(enrollment, 'rosa', email);
      await signedUp(enrollment, 'before-rosa', email);
      await owner.open('default-email-verification');
      await owner.answer({ code: (await site.proof(email)).code });
      for (const stranger of ['after-rosa', 'after-rosa-2']) await signedUp(enrollment, stranger, email.toUpperCase());
      await meansOwner('rosa', email);
      const browser = site.browser();
      await browser.open('default-recovery-flow');
      await browser.answer({ uid_field: email });
      await browser.answer({ code: (await site.proof(email)).code });
      await browser.answer({ password: 'a brand new password', password_repeat: 'a brand new password' });
      expect(await browser.whoAmI()).toBe('rosa');
    });

    it('is nobody else’s to prove: a stranger who claims it gets no link, and its owner is told', async () => {
      const email = 'tina@example.com';
      await site.user('tina', { email, emailVerified: true });
      const stranger = await signedUp(enrollment, 'claims-tina', email);
      await stranger.open('default-email-verification');
      const letter = await site.mail.next(email);
      expect([letter.headers.get('subject'), letter.link, letter.code]).toEqual([
        ...['You already have an account with Doorward', '', ''],
      ]);
      await stranger.answer({ code: '000000' });
      expect(await site.auth.users.get({ username: 'claims-tina' })).toMatchObject({ emailVerifiedAt: null });
    });

    it('is no stranger’s name, not even of one who asks for it while it is being proven', async () => {
      await site.auth.flows.apply(readFileSync(provesFirst, 'utf8'));
      for (const round of [1, 2, 3]) {
        const email = `uma-${round}@example.com`;
        const owner = await signedUp('enrollment-verify-first', `uma-${round}`, email);
        const { code } = await site.proof(email);
        const strangers = [email, email.toUpperCase()].map((username) =>
          signedUp(enrollment, username, `thief-${round}@example.com`),
        );
        await Promise.all([owner.answer({ code }), ...strangers]);
        expect(given(await site.auth.users.get({ username: `uma-${round}` })).emailVerifiedAt).not.toBeNull();
        await meansOwner(`uma-${round}`, email);
        const late = await signedUp(enrollment, `ｕｍａ-${round}@example.com`, 'thief@example.com');
        expect(await late.whoAmI()).toBeNull();
      }
    });
  });

  it('CVE-2026-19607 many wrong passwords elsewhere keep no owner out of the device that they use', async () => {
    const owner = await site.user('lotte');
    const device = await site.signedIn('lotte');
    for (let guess = 0; guess < 6; guess += 1) {
      const stranger = site.browser();
      await stranger.open(signIn);
      await stranger.answer({ uid_field: 'lotte' });
      await stranger.answer({ password: `guess number ${guess}` });
    }
    await device.open('default-invalidation-flow');
    await device.open(signIn);
    await device.answer({ uid_field: 'lotte' });
    await device.answer({ password: 'lotte password' });
    expect(await device.whoAmI()).toBe('lotte');
    expect(await site.auth.users.get({ pk: owner.id })).toMatchObject({ isActive: true });
  });

  describe('Unicode look-alikes and case', () => {
    it.each([
      ['capitals', 'ADMIN-KIM'],
      ['full width', 'ａｄｍｉｎ-ｋｉｍ'],
      ['the Kelvin sign', 'admin-\u212Aim'],
      ['mathematical letters', '\u{1D41A}\u{1D41D}\u{1D426}\u{1D422}\u{1D427}-kim'],
      ['spaces and a byte order mark around', '\u00A0admin-kim\u2003\uFEFF'],
      ['a ligature of another spelling', 'admin-\u24DAim'],
    ])('case and look-alikes: %s is the same username, and taken', async (_, username) => {
      if ((await site.auth.users.get({ username: 'admin-kim' })) === null) await site.user('admin-kim');
      const stranger = site.browser();
      await stranger.open(enrollment);
      await stranger.answer({ ...signUp('x'), username });
      expect(stranger.challenge.response_errors).toMatchObject({ username: [{ code: 'unique' }] });
      expect(await stranger.whoAmI()).toBeNull();
    });

    it.each([
      ['Cyrillic letters', '\u0430dmin-lee'],
      ['a dotless i', 'adm\u0131n-lee'],
      ['a zero-width space', 'admin\u200B-lee'],
      ['a zero-width joiner', 'admin\u200D-lee'],
      ['a soft hyphen', 'ad\u00ADmin-lee'],
      ['a right-to-left override', '\u202Eeel-nimda'],
      ['a combining dot', 'admi\u0307n-lee'],
    ])('look-alikes: who has %s in their name is somebody else in every respect', async (_, username) => {
      if ((await site.auth.users.get({ username: 'admin-lee' })) === null) await site.user('admin-lee');
      const stranger = site.browser();
      await stranger.open(signIn);
      await stranger.answer({ uid_field: username });
      await stranger.answer({ password: 'admin-lee password' });
      expect(await stranger.whoAmI()).toBeNull();
      await stranger.open(enrollment);
      await stranger.answer({ ...signUp('x'), email: 'stranger@example.com', username });
      expect(await stranger.whoAmI()).not.toBe('admin-lee');
      const { id } = (await site.auth.users.get({ username: 'admin-lee' })) ?? { id: 0 };
      expect(await site.auth.users.get({ pk: id })).toMatchObject({ email: 'admin-lee@example.com' });
      expect((await site.signedIn('admin-lee')).challenge.component).toBe('xak-flow-redirect');
    });
  });

  it('CVE-2023-26481 an unverified look-alike of an address opens nothing of its owner’s link', async () => {
    const owner = await site.user('nina');
    await site.user('nina-thief', { email: 'N\u0131na@example.com' });
    const thief = site.browser();
    await thief.open('default-recovery-flow');
    await thief.answer({ uid_field: 'N\u0131na@example.com' });
    await site.user('marker');
    const link = await site.auth.tokens.recoveryLink((await site.auth.users.get({ username: 'marker' }))?.id ?? 0);
    await thief.open(...placeOf(link.address));
    await thief.answer({ password: 'a new password', password_repeat: 'a new password' });
    expect(await thief.whoAmI()).toBe('marker');
    await site.expectUnharmed(owner);
  });
});

attackOnSqlite('mail', {}, (site) => {
  it.each([
    ['a dotless i', 'm\u0131ke@example.com'],
    ['the Kelvin sign', 'mi\u212Ae@example.com'],
    ['full width', 'ｍｉｋｅ@example.com'],
    ['a full-width at', 'mike\uFF20example.com'],
    ['a domain of look-alikes', 'mike@ex\u0430mple.com'],
    ['a domain in circles', 'mike@\u24D4xample.com'],
    ['capitals', 'MIKE@EXAMPLE.COM'],
    ['two addresses', 'mike@example.com,thief@example.org'],
    ['two addresses in lines', 'mike@example.com\r\nBcc: thief@example.org'],
    ['an address with a name', 'x <mike@example.com>, thief@example.org'],
    ['a comment', 'mike@example.com(thief@example.org)'],
  ])('look-alikes: recovery asked with %s writes to the owner’s own address or to nobody', async (_, uid_field) => {
    if ((await site.auth.users.get({ username: 'mike' })) === null) await site.user('mike');
    // Of messages one client gets so many an hour.
    site.clock.advance(60 * 60_000);
    const before = site.mail.received.length;
    const thief = site.browser();
    await thief.open('default-recovery-flow');
    await thief.answer({ uid_field });
    // A letter that surely comes later: then what was sent before it has come, too.
    await site.user(`after-${before}`);
    const marker = site.browser();
    await marker.open('default-recovery-flow');
    await marker.answer({ uid_field: `after-${before}` });
    await site.mail.next(`after-${before}@example.com`);
    const others = site.mail.received.slice(before).flatMap(({ to }) => to);
    expect(others.filter((to) => to !== 'mike@example.com' && !to.startsWith('after-'))).toEqual([]);
  });
});
