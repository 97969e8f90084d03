import { expect, it } from 'vitest';
import { type AttackedSite, attackOnBothDatabases, placeOf, shapeOf, signIn } from '../support/attacked-site.ts';
import type { WebClient } from '../support/web-client.ts';

const recovery = 'default-recovery-flow';
const fresh = { password: 'the attacker’s own', password_repeat: 'the attacker’s own' };

async function asking(site: AttackedSite, uid_field: string): Promise<WebClient> {
  const browser = site.browser();
  await browser.open(recovery);
  await browser.answer({ uid_field });
  expect(browser.challenge.component).toBe('ak-stage-email');
  return browser;
}

/** A thief shows what they have: nothing in it is of any use. */
async function expectOutside(thief: WebClient): Promise<void> {
  expect(await thief.whoAmI()).toBeNull();
  expect((await thief.open(recovery)).component).not.toBe('ak-stage-prompt');
}

attackOnBothDatabases('recovery', {}, (site) => {
  it('CVE-2026-18963 the new password is not reached by any POST that leaves out the mail', async () => {
    const ada = await site.user('ada');
    const thief = await asking(site, 'ada');
    const answers = [
      { component: 'ak-stage-prompt' },
      { component: '' },
      { component: null },
      { component: ['ak-stage-email'] },
      { code: '' },
      { code: null },
      { code: true },
      { code: [] },
      { code: {} },
      { code: { $ne: '' } },
      { flow_token: 'made-up' },
      { pending_user: ada.id, context: { email_verified: true }, prompt_data: fresh },
      { 'doorward/proven': { email: ada.email }, plan: [], is_active: true },
    ];
    for (const answer of answers)
      for (const headers of [{}, { 'doorward-step': '' }]) {
        await thief.post({ ...answer, ...fresh }, headers);
        await expectOutside(thief);
      }
    await thief.submit(`/if/flow/${recovery}/`, fresh);
    await expectOutside(thief);
    for (const query of ['flow_token=made-up', 'flow_token=', 'token=1&restore=1', 'next=/if/user/'])
      for (const flow of [recovery, 'default-recovery-link']) {
        await thief.open(flow, query);
        await thief.post(fresh);
        await expectOutside(thief);
      }
    await site.expectUnharmed(ada);
  });

  it('CVE-2026-18963 flows behind a sign-in cannot be had by a run of recovery', async () => {
    const bea = await site.user('bea');
    const thief = await asking(site, 'bea');
    const { step } = thief;
    for (const flow of ['default-password-change', 'default-user-settings-flow', 'default-authenticator-totp-setup']) {
      expect((await thief.open(flow)).component).not.toBe('ak-stage-prompt');
      thief.step = step;
      await thief.post({ ...fresh, email: 'thief@example.com', username: 'thief' });
      expect(await thief.whoAmI()).toBeNull();
    }
    await site.expectUnharmed(bea);
  });

  it('CVE-2023-26481 a recovery link is about its own user, whoever is named along with it', async () => {
    const [cleo, eve] = [await site.user('cleo'), await site.user('eve')];
    const names = { username: 'cleo', uid_field: 'cleo', pending_user: cleo.id, pk: cleo.id, user: cleo.uuid };
    const thief = await asking(site, 'cleo');
    const link = placeOf((await site.auth.tokens.recoveryLink(eve.id)).address);
    await thief.open(link[0], `${link[1]}&username=cleo&uid_field=cleo&pending_user=${cleo.id}`);
    expect(thief.challenge.component).toBe('ak-stage-prompt');
    await thief.answer({ ...names, email: 'thief@example.com', ...fresh });
    expect(await thief.whoAmI()).toBe('eve');
    await site.signedIn('eve', fresh.password);
    await site.expectUnharmed(cleo);
    expect(await site.auth.users.get({ pk: eve.id })).toMatchObject({ username: 'eve', email: 'eve@example.com' });
  });

  it('CVE-2023-26481 the code of one’s own mail is no code of another run, nor is its link', async () => {
    const dora = await site.user('dora');
    await site.user('emil');
    const [thief, own] = [await asking(site, 'dora'), await asking(site, 'emil')];
    const letter = await site.proof('emil@example.com');
    await thief.answer({ code: letter.code });
    await expectOutside(thief);
    thief.step = own.step;
    await thief.post({ code: letter.code });
    await expectOutside(thief);
    // Their own link, on the browser in which the victim's recovery waits.
    await thief.open(...placeOf(letter.link));
    await thief.answer();
    await thief.open(recovery);
    await thief.answer({ ...fresh, uid_field: 'dora' });
    expect(await thief.whoAmI()).toBe('emil');
    await site.expectUnharmed(dora);
  });

  it('EM-3, CVE-2023-39522 present, absent, inactive and address-less names read the same, as a page and as JSON', async () => {
    await site.user('finn-present');
    await site.user('finn-inactv', { isActive: false });
    await site.user('finn-noaddr', { email: '' });
    const typed = ['finn-present', 'finn-inactv', 'finn-noaddr', 'finn-absent'].map((name) => name.padEnd(12, 'x'));
    // The same length for all: what is typed is shown again.
    await Promise.all(
      typed.slice(0, 3).map(async (name) => {
        const user = await site.auth.users.get({ username: name.replace(/x+$/, '') });
        if (user !== null && user.username !== name) await site.auth.users.update(user.id, { username: name });
      }),
    );
    const shapes = new Set<string>();
    for (const name of typed) {
      const [program, person] = [site.browser(), site.browser()];
      await program.open(recovery);
      const path = `/if/flow/${recovery}/`;
      const answers = [
        await program.post({ uid_field: name }),
        await program.post({ code: '000000' }),
        await person.fill(path, { uid_field: name }),
        await person.request(path),
        await person.fill(path, { code: '000000' }),
      ];
      shapes.add(answers.map((answer) => shapeOf(answer, name)).join('\n'));
    }
    expect([...shapes]).toHaveLength(1);
  });

  it('CVE-2023-39522 the sign-in tells nobody’s username either, and a wrong password is the same for all', async () => {
    await site.user('gwen', { email: 'private@example.com' });
    const shapes = new Set<string>();
    for (const name of ['private@example.com', 'nobodys@example.com']) {
      const browser = site.browser();
      await browser.open(signIn);
      const answers = [await browser.post({ uid_field: name }), await browser.post({ password: 'wrong wrong' })];
      shapes.add(answers.map((answer) => shapeOf(answer, name)).join('\n'));
      expect(answers.map(({ text }) => text).join()).not.toContain('gwen');
    }
    expect([...shapes]).toHaveLength(1);
  });
});
