import { expect, it } from 'vitest';
import { attackOnBothDatabases, placeOf, signIn } from '../support/attacked-site.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { hiddenFields, signUp, type WebAnswer, type WebClient } from '../support/web-client.ts';

const duty = 'sign-in-with-a-duty';
const detour = 'sign-in-with-a-detour';
const there = 'where-the-detour-leads';
const blueprints = [
  flowYaml({
    slug: duty,
    attrs: { designation: 'authentication' },
    stages: [
      { kind: 'identification', attrs: { user_fields: ['username'] } },
      { kind: 'password', attrs: { backends: ['authentik.core.auth.InbuiltBackend'] } },
      { kind: 'prompt', fields: [{ field_key: 'attributes.terms', required: true }] },
      { kind: 'user_write', attrs: { user_creation_mode: 'never_create' } },
      { kind: 'user_login' },
    ],
  }),
  flowYaml({ slug: there, stages: [{ kind: 'dummy' }, { kind: 'user_login' }] }),
  flowYaml({
    slug: detour,
    attrs: { designation: 'authentication' },
    stages: [
      { kind: 'identification', attrs: { user_fields: ['username'] } },
      { kind: 'password', attrs: { backends: ['authentik.core.auth.InbuiltBackend'] } },
      {
        kind: 'redirect',
        attrs: {
          mode: 'flow',
          keep_context: true,
          target_flow: `!Find [authentik_flows.flow, [slug, ${there}]]`,
        },
      },
    ],
  }),
];
/** What shows or changes an account. */
const doors = [
  '/api/v3/core/users/me/',
  '/api/v3/core/authenticated_sessions/',
  '/api/v3/authenticators/all/',
  '/if/user/',
];

/** Statuses of all doors; a page for nobody leads to the sign-in. */
async function knock(browser: WebClient): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (const door of doors) statuses.push((await browser.request(door)).status);
  return statuses;
}
const nobody = [403, 403, 403, 302];

function cookieOf(browser: WebClient): string | undefined {
  return [...browser.cookies].find(([name]) => name.endsWith('doorward_session'))?.[1];
}

attackOnBothDatabases('sessions', { blueprints, proof: 'off' }, (site) => {
  it('CVE-2026-7507 session fixation: a session made beforehand is nobody’s once its victim signs in', async () => {
    await site.user('ada');
    const thief = site.browser();
    await thief.open(signIn);
    const victim = thief.twin();
    await victim.answer({ uid_field: 'ada' });
    await victim.answer({ password: 'ada password' });
    expect(await victim.whoAmI()).toBe('ada');
    expect(cookieOf(victim)).not.toBe(cookieOf(thief));
    expect(await thief.whoAmI()).toBeNull();
    expect(await knock(thief)).toEqual(nobody);
    // The answer that signed the victim in, once more, and the steps after it.
    for (const body of [{}, { password: '' }, { component: '', password: 'a guess of mine' }]) {
      await thief.post(body);
      expect(await thief.whoAmI()).toBeNull();
    }
  });

  it('CVE-2026-7507 session fixation: the form behind the password is not filled in by who made the session', async () => {
    const user = await site.user('bea');
    const thief = site.browser();
    await thief.open(duty);
    const victim = thief.twin();
    await victim.answer({ uid_field: 'bea' });
    await victim.answer({ password: 'bea password' });
    expect(victim.challenge.component).toBe('ak-stage-prompt');
    const stolen = thief.twin();
    stolen.step = victim.step;
    const form = { component: 'ak-stage-prompt', 'attributes.terms': 'by the thief' };
    for (const browser of [stolen, thief]) {
      await browser.post(form);
      await browser.post({ component: 'ak-stage-password', password: 'a guess of mine' });
      expect(await browser.whoAmI()).toBeNull();
    }
    expect((await thief.open(duty)).component).toBe('ak-stage-identification');
    expect(await site.auth.users.get({ pk: user.id })).toMatchObject({ attributes: {} });
  });

  it('CVE-2026-7507 a password sent twice by a hasty click leads on all the same, for a minute', async () => {
    await site.user('betty');
    const browser = site.browser();
    await browser.open(duty);
    await browser.answer({ uid_field: 'betty' });
    const [hasty, late, guessing] = [browser.twin(), browser.twin(), browser.twin()];
    const password = { component: 'ak-stage-password', password: 'betty password' };
    const answers = await Promise.all([browser.twin().post(password), browser.post(password)]);
    expect(answers.map((answer) => answer.json().component)).toEqual(Array(2).fill('ak-stage-prompt'));
    expect((await hasty.answer(password)).component).toBe('ak-stage-prompt');
    await guessing.answer({ password: 'another password' });
    expect(guessing.challenge.component).toBe('ak-stage-access-denied');
    expect(cookieOf(guessing)).toBe(cookieOf(late));
    site.clock.advance(60_000);
    expect((await late.post(password)).json().component).toBe('ak-stage-access-denied');
    await hasty.answer({ 'attributes.terms': 'yes' });
    expect(await hasty.whoAmI()).toBe('betty');
  });

  it('CVE-2026-7507 session fixation: the flow that a proof leads into is not shared either', async () => {
    await site.user('bianca');
    const thief = site.browser();
    await thief.open(detour);
    const victim = thief.twin();
    await victim.answer({ uid_field: 'bianca' });
    const password = { component: 'ak-stage-password', password: 'bianca password' };
    const answers = [await victim.twin().post(password), await victim.post(password)];
    expect(answers.map((answer) => answer.json().to)).toEqual(Array(2).fill(`/if/flow/${there}/`));
    for (const flow of [there, detour]) {
      await thief.open(flow);
      await thief.post();
      expect(await thief.whoAmI()).toBeNull();
    }
    expect((await victim.open(there)).component).toBe('ak-stage-dummy');
    await victim.answer();
    expect(await victim.whoAmI()).toBe('bianca');
  });

  it('CVE-2026-7507 session fixation: a link out of a mail, opened in a browser with a planted cookie, is not shared', async () => {
    const user = await site.user('berta');
    const thief = site.browser();
    await thief.open('default-recovery-flow');
    await thief.answer({ uid_field: 'berta' });
    const letter = await site.proof('berta@example.com');
    const [own, elsewhere] = [thief.twin(), site.browser()];
    await elsewhere.open(signIn);
    const planted = elsewhere.twin();
    await own.open(...placeOf(letter.link));
    const victim = own;
    await victim.answer();
    await victim.open('default-recovery-flow');
    expect(victim.challenge.component).toBe('ak-stage-prompt');
    for (const browser of [thief, planted]) {
      expect((await browser.open('default-recovery-flow')).component).not.toBe('ak-stage-prompt');
      await browser.post({ component: 'ak-stage-consent' });
      await browser.post({ password: 'the thief’s own', password_repeat: 'the thief’s own' });
      expect(await browser.whoAmI()).toBeNull();
    }
    await site.expectUnharmed(user);
  });

  it('session fixation: a session token of the thief’s own making, or of another site, is replaced', async () => {
    await site.user('cleo');
    for (const value of ['fixed', 'a.fixed.fixed', '', 'x'.repeat(3_000), 'a.%00.b']) {
      const browser = site.browser();
      browser.cookies.set('doorward_session', value);
      await browser.open(signIn);
      expect(cookieOf(browser)).not.toBe(value);
      expect(await browser.whoAmI()).toBeNull();
    }
  });

  it.each<[string, Record<string, string>]>([
    ['a form of another site', { origin: 'https://evil.example' }],
    ['a form whose site hides its origin', { origin: 'null' }],
    ['a form of a sibling site', { 'sec-fetch-site': 'same-site' }],
    ['a form without any of that', {}],
    ['JSON as text', { 'content-type': 'text/plain', origin: 'https://evil.example' }],
    ['JSON as a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['JSON from another site', { 'content-type': 'application/json', origin: 'https://evil.example' }],
    ['an origin that begins as ours', { origin: 'http://localhost.evil.example' }],
  ])('login CSRF: %s signs nobody in as the thief', async (_, headers) => {
    const name = `eve-${Object.values(headers).join('').length}-${Object.keys(headers).length}`;
    if ((await site.auth.users.get({ username: name })) === null) await site.user(name);
    const thief = site.browser();
    await thief.open(signIn);
    await thief.answer({ uid_field: name });
    const step = thief.step ?? '';
    const victim = site.browser();
    await victim.open(signIn);
    const before = cookieOf(victim);
    const json = headers['content-type']?.startsWith('application/json') ?? headers['content-type'] === 'text/plain';
    const fields = { component: 'ak-stage-password', password: `${name} password`, uid_field: name, step };
    const sent: WebAnswer[] = [];
    for (const path of [`/api/v3/flows/executor/${signIn}/?query=`, `/if/flow/${signIn}/`])
      sent.push(
        await victim.request(path, {
          method: 'POST',
          body: json ? JSON.stringify(fields) : new URLSearchParams(fields).toString(),
          headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        }),
      );
    expect(sent.every(({ status }) => status === 403 || status === 415)).toBe(true);
    expect(cookieOf(victim)).toBe(before);
    expect(await victim.whoAmI()).toBeNull();
  });

  it('login CSRF: a sign-in link of the thief, opened by a link elsewhere, asks before it does anything', async () => {
    const user = await site.user('mallory');
    const link = (await site.auth.tokens.recoveryLink(user.id)).address;
    const [flow, query] = placeOf(link);
    const victim = await site.signedIn((await site.user('dora')).username);
    await victim.request(`/if/flow/${flow}/?${query}`, { headers: { 'sec-fetch-site': 'cross-site' } });
    expect(await victim.whoAmI()).toBe('dora');
  });

  it('CVE-2025-29928 a deleted session is gone at every door, with what it had begun', async () => {
    const ends: readonly (readonly [string, (browser: WebClient, name: string) => Promise<unknown>])[] = [
      [
        'by-api',
        async (browser) => {
          const { results } = (await browser.request('/api/v3/core/authenticated_sessions/')).json() as {
            results: { uuid: string; current: boolean }[];
          };
          const { uuid } = results.find(({ current }) => current) ?? { uuid: '' };
          await browser.request(`/api/v3/core/authenticated_sessions/${uuid}/`, {
            method: 'DELETE',
            headers: { origin: site.origin },
          });
        },
      ],
      [
        'by-others',
        async (_, name) => {
          const other = await site.signedIn(name);
          const page = await other.request('/if/user/');
          await other.submit('/if/user/sessions/end-others', hiddenFields(page.text));
        },
      ],
      ['by-sign-out', async (browser) => browser.open('default-invalidation-flow')],
      ['by-password', async (_, name) => site.auth.users.setPassword(await idOf(name), 'another password')],
      ['by-deactivation', async (_, name) => site.auth.users.deactivate(await idOf(name))],
      ['by-deletion', async (_, name) => site.auth.users.delete(await idOf(name))],
    ];
    const idOf = async (name: string): Promise<number> => (await site.auth.users.get({ username: name }))?.id ?? 0;
    for (const [name, end] of ends) {
      await site.user(name);
      const victim = await site.signedIn(name);
      await victim.open('default-user-settings-flow');
      expect(victim.challenge.component).toBe('ak-stage-prompt');
      const stolen = victim.twin();
      site.clock.advance(1_000);
      await end(victim.twin(), name);
      expect([name, await knock(stolen.twin())]).toEqual([name, nobody]);
      await stolen.post({ username: `${name}-stolen`, name: 'Eve', email: 'eve@example.com' });
      expect(await site.usernames()).not.toContain(`${name}-stolen`);
      expect(await stolen.whoAmI()).toBeNull();
    }
  });

  it('CVE-2025-53942 a deactivated user is let in by no door, not even half', async () => {
    const user = await site.user('frank');
    const token = await site.auth.tokens.create(user.id);
    const link = placeOf((await site.auth.tokens.recoveryLink(user.id)).address);
    const between = site.browser();
    await between.open(signIn);
    await between.answer({ uid_field: 'frank' });
    const later = site.browser();
    await later.open(duty);
    await later.answer({ uid_field: 'frank' });
    await later.answer({ password: 'frank password' });
    expect(later.challenge.component).toBe('ak-stage-prompt');
    const recovering = site.browser();
    await recovering.open('default-recovery-flow');
    await recovering.answer({ uid_field: 'frank' });
    const letter = await site.proof('frank@example.com');
    const old = await site.signedIn('frank');
    await site.auth.users.deactivate(user.id);
    await between.answer({ password: 'frank password' });
    await later.answer({ 'attributes.terms': 'yes' });
    await recovering.answer({ code: letter.code });
    await recovering.post({ password: 'frank password', password_repeat: 'frank password' });
    const linked = site.browser();
    await linked.open(...placeOf(letter.link));
    await linked.post();
    const recovered = site.browser();
    await recovered.open(...link);
    await recovered.post({ password: 'frank password', password_repeat: 'frank password' });
    const again = site.browser();
    await again.open(signIn);
    await again.answer({ uid_field: 'frank' });
    await again.answer({ password: 'frank password' });
    for (const browser of [between, later, recovering, linked, recovered, again, old])
      expect(await knock(browser)).toEqual(nobody);
    const program = await site.browser().request('/api/v3/core/users/me/', {
      headers: { authorization: `Bearer ${token.secret}` },
    });
    expect(program.status).toBe(403);
    expect(await site.auth.users.get({ pk: user.id })).toMatchObject({ attributes: {}, isActive: false });
  });

  it('CVE-2025-53942 who signs up or proves an address wakes no account that sleeps', async () => {
    const user = await site.user('greta', { isActive: false });
    const browser = site.browser();
    await browser.open('default-enrollment-flow');
    await browser.answer({ ...signUp('greta'), is_active: true });
    expect(await browser.whoAmI()).toBeNull();
    expect(await site.auth.users.get({ pk: user.id })).toMatchObject({ isActive: false });
  });
});
