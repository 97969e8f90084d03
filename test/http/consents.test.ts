import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/kernel/json.ts';
import type { Visitor } from '../../src/testing/rig.ts';
import { accountPageOf, deleted, listed, postForm, press } from '../support/account-forms.ts';
import { type EngineRig, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';

const all = '/api/v3/core/user_consent/';
const week = 7 * 86_400_000;
const email = { id: 'email', name: 'See your email address' };
const notes = { id: 'notes', name: 'Read your notes' };

interface Wish {
  readonly application?: unknown;
  readonly permissions?: readonly object[];
  readonly header?: string;
  readonly mode?: string;
}

/** A flow that asks for something, for somebody who is signed in. */
async function asking(rig: EngineRig, slug: string, wish: Wish): Promise<void> {
  const { application, permissions = [], header, mode = 'expiring' } = wish;
  const context = {
    ...(application === undefined ? {} : { application }),
    ...{ consent_permissions: permissions, ...(header === undefined ? {} : { consent_header: header }) },
  };
  const wishes = rig.probe(slug, { enter: () => ({ kind: 'pass', context }) });
  const attrs = { designation: 'authorization', authentication: 'require_authenticated', title: `Flow ${slug}` };
  await rig.flow(slug, [wishes, { kind: 'consent', attrs: { mode } }], { attrs });
}

/** Goes through it. Whether it asked, and with what. */
async function through(visitor: Visitor, slug: string): Promise<JsonObject | null> {
  const challenge = await visitor.open(slug);
  if (challenge.component !== 'ak-stage-consent') {
    visitor.expectEnd();
    return null;
  }
  await visitor.answer({ token: challenge.token });
  visitor.expectEnd();
  return challenge as unknown as JsonObject;
}

onBothDatabases('consents', (rig) => {
  const signedIn = async (username: string): Promise<Visitor> => {
    await rig.user(username);
    return rig.signedIn(username);
  };
  const bearer = async (username: string) => {
    const { secret } = await rig.auth.tokens.create((await rig.find(username))?.id ?? 0);
    return { authorization: `Bearer ${secret}` };
  };

  describe('in flows', () => {
    it('CO-3, CO-4: hold for their time, on every device; then they are asked for again', async () => {
      await asking(rig, 'once', { application: 'notes', permissions: [email] });
      const here = await signedIn('once');
      expect(await through(here, 'once')).toMatchObject({ permissions: [email] });
      expect(await through(here, 'once')).toBeNull();
      expect(await through(await rig.signedIn('once'), 'once')).toBeNull();
      expect(await through(await signedIn('once-other'), 'once')).not.toBeNull();
      rig.clock.advance(4 * week - 1_000);
      expect(await through(await rig.signedIn('once'), 'once')).toBeNull();
      rig.clock.advance(1_000);
      expect(await through(await rig.signedIn('once'), 'once')).not.toBeNull();
    });

    it('CO-3, CO-5: what an application asks for later is listed by itself, in the one consent to it', async () => {
      await asking(rig, 'more-1', { application: { slug: 'more', name: 'More' }, permissions: [email] });
      await asking(rig, 'more-2', { application: 'more', permissions: [email, notes] });
      const visitor = await signedIn('more');
      await through(visitor, 'more-1');
      expect(await through(visitor, 'more-2')).toMatchObject({ permissions: [email], additional_permissions: [notes] });
      expect(await through(visitor, 'more-2')).toBeNull();
      expect(await through(visitor, 'more-1')).toBeNull();
      expect(await listed(visitor, all)).toMatchObject([{ permissions: 'email notes' }]);
    });

    it('to a text: until it says something else', async () => {
      const visitor = await signedIn('terms');
      await asking(rig, 'terms', { header: 'Terms of 2025', mode: 'permanent' });
      expect(await through(visitor, 'terms')).toMatchObject({ header_text: 'Terms of 2025' });
      rig.clock.advance(53 * week);
      const later = await rig.signedIn('terms');
      expect(await through(later, 'terms')).toBeNull();
      await asking(rig, 'terms', { header: 'Terms of 2026', mode: 'permanent' });
      expect(await through(later, 'terms')).toMatchObject({ header_text: 'Terms of 2026' });
      expect(await listed(later, all)).toMatchObject([
        { application: null, flow: 'terms', wording: 'Terms of 2026', expiring: false, expires: null },
      ]);
    });

    it('CO-2: always_require asks each time, and nothing is kept', async () => {
      await asking(rig, 'always', { application: 'notes', permissions: [email], mode: 'always_require' });
      const visitor = await signedIn('always');
      for (let time = 0; time < 2; time += 1) expect(await through(visitor, 'always')).not.toBeNull();
      expect(await listed(visitor, all)).toEqual([]);
    });

    it('in an enrollment are kept with the user who is written, and not without one', async () => {
      const terms = rig.probe('joining', { enter: () => ({ kind: 'pass', context: { consent_header: 'Our terms' } }) });
      const stages = [
        terms,
        { kind: 'consent' },
        promptFor('username'),
        write({ user_creation_mode: 'always_create' }),
      ];
      await rig.flow('joining', [...stages, { kind: 'user_login' }]);
      const given = await rig.events('consent_given');
      const visitor = rig.visitor();
      const { token } = await visitor.open('joining');
      await visitor.answer({ token });
      expect(await rig.events('consent_given')).toHaveLength(given.length);
      await visitor.answer({ username: 'joined' });
      visitor.expectEnd();
      expect(await listed(visitor, all)).toMatchObject([{ flow: 'joining', user: { username: 'joined' } }]);
      expect(await rig.events('consent_given', 'joined')).toHaveLength(1);
    });

    it('CO-5: an answer sent twice gives one', async () => {
      await asking(rig, 'twice', { application: 'twice', permissions: [email] });
      const visitor = await signedIn('twice');
      const { token } = await visitor.open('twice');
      const [body, step] = [{ component: 'ak-stage-consent', token }, visitor.step];
      const answers = await Promise.all([1, 2, 3].map(() => visitor.post(body, step)));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(await listed(visitor, all)).toHaveLength(1);
      expect(await rig.events('consent_given', 'twice')).toHaveLength(1);
    });
  });

  describe('over the API', () => {
    it("are listed, shown and withdrawn by their owners; another user's are not found", async () => {
      await asking(rig, 'own', { application: { slug: 'own', name: 'Own' }, permissions: [email, notes] });
      const [ada, eve] = [await signedIn('own-ada'), await signedIn('own-eve')];
      await through(ada, 'own');
      const [consent, ...none] = await listed(ada, all);
      expect(none).toEqual([]);
      expect(consent).toMatchObject({
        ...{ pk: expect.any(String), expiring: true, user: { username: 'own-ada' }, permissions: 'email notes' },
        application: { slug: 'own', name: 'Own' },
      });
      const path = `${all}${String(consent?.pk)}/`;
      expect(await listed(eve, `${all}?user=${(await rig.find('own-ada'))?.id}`)).toEqual([]);
      expect((await eve.request(path)).status).toBe(404);
      expect(await deleted(eve, path)).toBe(404);
      expect(await deleted(rig.visitor(), path)).toBe(403);
      expect(await deleted(ada, path, { origin: 'https://evil.example' })).toBe(403);
      for (const pk of ['nothing', "'", '%00', '00000000-0000-4000-8000-000000000000'])
        expect(await deleted(ada, `${all}${pk}/`)).toBe(404);
      expect(await (await ada.request(path)).json()).toEqual(consent);
      expect(await deleted(ada, path)).toBe(204);
      expect(await deleted(ada, path)).toBe(404);
      expect(await listed(ada, all)).toEqual([]);
      expect(await rig.events('consent_withdrawn', 'own-ada')).toMatchObject([
        { context: { given_to: { application: 'own', name: 'Own' }, permissions: ['email', 'notes'] } },
      ]);
      expect(await through(ada, 'own')).not.toBeNull();
    });

    it('are all listed for administrators, who may withdraw them', async () => {
      await rig.auth.groups.create({ name: 'Consent chiefs', isSuperuser: true });
      await rig.user('consent-chief', { groups: ['Consent chiefs'] });
      await asking(rig, 'seen', { application: 'seen', permissions: [email] });
      const visitor = await signedIn('seen');
      await through(visitor, 'seen');
      const headers = await bearer('consent-chief');
      const { id } = (await rig.find('seen')) ?? {};
      const [one, ...none] = await listed(rig.visitor(), `${all}?user=${id}`, headers);
      expect([one?.user, none]).toMatchObject([{ pk: id, username: 'seen' }, []]);
      expect((await rig.visitor().request(`${all}?user=seen`, { headers })).status).toBe(400);
      expect((await listed(rig.visitor(), all, headers)).length).toBeGreaterThan(1);
      expect(await deleted(rig.visitor(), `${all}${String(one?.pk)}/`, headers)).toBe(204);
      expect(await rig.events('consent_withdrawn', 'seen')).toMatchObject([
        { context: { withdrawn_by: 'consent-chief' } },
      ]);
      expect(await listed(visitor, all)).toEqual([]);
    });
  });

  describe('of a user', () => {
    it('are on the account page, and withdrawn there without a script, by themselves alone', async () => {
      await asking(rig, 'page', { application: { slug: 'page', name: 'Shared <b>Notes</b>' }, permissions: [email] });
      const [ada, eve] = [await signedIn('page-ada'), await signedIn('page-eve')];
      expect(await accountPageOf(ada)).not.toContain('What you agreed to');
      await through(ada, 'page');
      expect(await accountPageOf(ada)).toContain('Shared &lt;b&gt;Notes&lt;/b&gt;');
      expect(await accountPageOf(eve)).not.toContain('What you agreed to');
      const [{ pk } = {}] = await listed(ada, all);
      const path = `/if/user/consents/${String(pk)}/withdraw`;
      expect((await postForm(eve, path)).status).toBe(404);
      expect((await postForm(ada, path, {}, 'https://evil.example')).status).toBe(403);
      expect((await postForm(rig.visitor(), path)).status).toBe(401);
      const answer = await press(ada, /withdraw$/);
      expect([answer.status, answer.headers.get('location')]).toEqual([303, '/if/user/?notice=consent-withdrawn']);
      expect(await (await ada.request('/if/user/?notice=consent-withdrawn')).text()).toContain('was withdrawn');
      expect(await listed(ada, all)).toEqual([]);
    });

    it('are in the copy of their data, and go with them', async () => {
      await asking(rig, 'gone', { header: 'The terms', permissions: [notes] });
      const visitor = await signedIn('gone');
      await through(visitor, 'gone');
      expect(await (await visitor.request('/if/user/data.json')).json()).toMatchObject({
        consents: [{ given_to: { flow: 'gone' }, wording: 'The terms', permissions: [notes] }],
      });
      const { id = 0 } = (await rig.find('gone')) ?? {};
      await rig.auth.users.delete(id);
      expect(await rig.store.accounts.countConsents({ userId: id })).toBe(0);
    });

    it('are purged when their time is over', async () => {
      await asking(rig, 'purged', { application: 'purged', permissions: [email] });
      await asking(rig, 'purged-not', { application: 'purged-not', permissions: [email], mode: 'permanent' });
      const visitor = await signedIn('purged');
      for (const slug of ['purged', 'purged-not']) await through(visitor, slug);
      const { id = 0 } = (await rig.find('purged')) ?? {};
      await rig.store.accounts.purge(rig.clock.now() + 4 * week - 1);
      expect(await rig.store.accounts.countConsents({ userId: id })).toBe(2);
      expect((await rig.store.accounts.purge(rig.clock.now() + 4 * week)).consents).toBeGreaterThan(0);
      expect(await rig.store.accounts.listConsents({ userId: id })).toMatchObject([{ name: 'purged-not' }]);
    });
  });
});
