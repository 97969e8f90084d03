import { expect, it } from 'vitest';
import { attackOnBothDatabases, signIn } from '../support/attacked-site.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { hiddenFields, signUp } from '../support/web-client.ts';

const easy = 'easy';
const hard = 'hard';
const identify = { kind: 'identification', attrs: { user_fields: ['username'] } };
const password = { kind: 'password', attrs: { backends: ['authentik.core.auth.InbuiltBackend'] } };
const click = { kind: 'dummy' };
const login = { kind: 'user_login' };
const authentication = { designation: 'authentication' };
const blueprints = [
  flowYaml({ slug: easy, attrs: authentication, stages: [identify, click, click] }),
  flowYaml({ slug: hard, attrs: authentication, stages: [identify, password, click, login] }),
];
const setup = 'default-authenticator-totp-setup';

attackOnBothDatabases('swapping', { blueprints, proof: 'off' }, (site) => {
  it('authentik ATH-01-014 what was passed in one flow is passed in no other', async () => {
    await site.user('ada');
    const thief = site.browser();
    await thief.open(easy);
    await thief.answer({ uid_field: 'ada' });
    expect(thief.challenge.component).toBe('ak-stage-dummy');
    const steps = [thief.step ?? ''];
    await thief.answer();
    steps.push(thief.step ?? '');
    for (const step of steps) {
      await thief.open(hard);
      expect(thief.challenge.component).toBe('ak-stage-identification');
      thief.step = step;
      for (const component of ['ak-stage-dummy', 'ak-stage-identification', '']) {
        await thief.post({ component });
        await thief.submit(`/if/flow/${hard}/`, { step, component });
      }
      expect((await thief.open(hard)).component).toBe('ak-stage-identification');
      expect(await thief.whoAmI()).toBeNull();
    }
  });

  it('authentik ATH-01-014 a secret shown to one user or session is confirmed by no other', async () => {
    await site.user('bea');
    await site.user('eve');
    const [victim, thief] = [await site.signedIn('bea'), await site.signedIn('eve')];
    const shown = await thief.open(setup);
    await victim.open(setup);
    expect(victim.challenge.config_url).not.toBe(shown.config_url);
    const { step } = thief;
    const other = victim.twin();
    other.step = step;
    const answer = await other.post({ code: '000000' });
    // A stale step: the victim's own challenge, nothing counted.
    expect(answer.json().config_url).toBe(victim.challenge.config_url);
    expect(answer.json()).not.toHaveProperty('response_errors');
  });

  it('step skipping: no stage is skipped by a direct POST, a made-up component or a step token of later', async () => {
    await site.user('cleo');
    const own = site.browser();
    await site.user('own');
    await own.open(hard);
    await own.answer({ uid_field: 'own' });
    await own.answer({ password: 'own password' });
    expect(own.challenge.component).toBe('ak-stage-dummy');
    const thief = site.browser();
    await thief.open(hard);
    await thief.answer({ uid_field: 'cleo' });
    for (const step of [own.step ?? '', 'made-up', '', (thief.step ?? '').replace(/~\d+~/, '~9~')])
      for (const component of ['ak-stage-dummy', 'ak-stage-user-login', 'xak-flow-redirect', '__proto__', '']) {
        await thief.post(
          { component, password: '', user_backend: 'x', auth_method: 'password' },
          { 'doorward-step': step },
        );
        expect(await thief.whoAmI()).toBeNull();
      }
    expect((await thief.open(hard)).component).toBe('ak-stage-password');
    for (const query of ['stage=2', 'plan=', 'restore=1&step=2', 'component=ak-stage-dummy', 'pending_user=1'])
      expect((await thief.open(hard, query)).component).toBe('ak-stage-password');
  });

  it('runs of two sessions: a step of one is no answer in the other', async () => {
    await site.user('dora');
    const [thief, victim] = [site.browser(), site.browser()];
    await thief.open(hard);
    await thief.answer({ uid_field: 'dora' });
    await victim.open(hard);
    await victim.answer({ uid_field: 'dora' });
    const stolen = victim.step ?? '';
    await victim.answer({ password: 'dora password' });
    for (const step of [stolen, victim.step ?? '']) {
      await thief.post({ component: '', password: '' }, { 'doorward-step': step });
      await thief.submit(`/if/flow/${hard}/`, { step, component: '' });
    }
    expect((await thief.open(hard)).component).toBe('ak-stage-password');
    expect(await thief.whoAmI()).toBeNull();
    await victim.answer();
    expect(await victim.whoAmI()).toBe('dora');
  });

  it('runs of two users in one browser: what one began the other does not end', async () => {
    const [emil, finn] = [await site.user('emil'), await site.user('finn')];
    const browser = await site.signedIn('emil');
    await browser.open('default-user-settings-flow');
    const begun = browser.twin();
    await browser.open(signIn);
    await browser.open('default-invalidation-flow');
    await browser.open(signIn);
    await browser.answer({ uid_field: 'finn' });
    await browser.answer({ password: 'finn password' });
    expect(await browser.whoAmI()).toBe('finn');
    for (const [name, value] of browser.cookies) begun.cookies.set(name, value);
    const changed = { username: 'swapped', name: 'Swapped', email: 'swapped@example.com' };
    await begun.post({ ...changed, 'attributes.settings.locale': '' });
    expect(await site.usernames()).not.toContain('swapped');
    await site.expectUnharmed(emil);
    await site.expectUnharmed(finn);
  });

  it('forms of the account page are of one session: another user’s form does nothing', async () => {
    await site.user('gwen');
    await site.user('hugo');
    const [victim, thief] = [await site.signedIn('gwen'), await site.signedIn('hugo')];
    const page = (await thief.request('/if/user/')).text;
    const action =
      /action="(\/if\/user\/sessions\/[^"]+\/end)"/.exec((await victim.request('/if/user/')).text)?.[1] ?? '';
    expect(action).not.toBe('');
    await thief.submit(action, hiddenFields(page));
    expect(await victim.whoAmI()).toBe('gwen');
    const { 'content-type': _, ...forged } = { 'content-type': '', 'sec-fetch-site': 'cross-site' };
    await victim.submit('/if/user/sessions/end-others', hiddenFields(page), { ...forged, origin: 'null' });
    expect(await victim.whoAmI()).toBe('gwen');
  });

  it('a run that a stranger began is not shown to who is signed in with the same form', async () => {
    const stranger = site.browser();
    await stranger.open('default-enrollment-flow');
    await site.user('ivo');
    const user = await site.signedIn('ivo');
    user.step = stranger.step;
    await user.open('default-enrollment-flow');
    await user.post(signUp('ivo-second'), { 'doorward-step': stranger.step ?? '' });
    expect(await site.usernames()).not.toContain('ivo-second');
    expect(await user.whoAmI()).toBe('ivo');
  });
});
