import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/kernel/json.ts';
import { sql } from '../../src/store/sql.ts';
import type { Visitor } from '../../src/testing/rig.ts';
import {
  addApp,
  addCodes,
  addPasskey,
  atSecondStep,
  codeAt,
  identify,
  makeFlows,
  offered,
  passkeyOptions,
  password,
  validate,
} from '../support/authenticator-rig.ts';
import { login, onBothDatabases } from '../support/engine-rig.ts';
import { SoftPasskey } from '../support/soft-passkey.ts';

const designation = { attrs: { designation: 'authentication' } };
const validateComponent = 'ak-stage-authenticator-validate';

/** How many of these browsers are signed in. */
async function signedIn(visitors: readonly Visitor[]): Promise<number> {
  const names = await Promise.all(visitors.map((visitor) => visitor.whoAmI()));
  return names.filter((name) => name !== null).length;
}

onBothDatabases('the second step', (rig) => {
  beforeAll(() => makeFlows(rig));
  const withApp = async (username: string): Promise<string> => {
    await rig.user(username);
    return addApp(rig, await rig.signedIn(username));
  };

  describe('a code of an app', () => {
    it('signs in, and session and event say so (AV-7, UL-7)', async () => {
      const address = await withApp('code-ada');
      const visitor = await atSecondStep(rig, 'code-ada');
      expect(visitor.expectAsk(validateComponent)).toMatchObject({
        pending_user: 'code-ada',
        configuration_stages: [],
      });
      expect(visitor.challenge.device_challenges).toEqual([
        { device_class: 'totp', device_uid: expect.any(String), challenge: {}, last_used: null },
      ]);
      expect(await visitor.whoAmI()).toBeNull();
      await visitor.answer({ code: codeAt(address, rig.clock.now()) });
      visitor.expectEnd();
      expect(await visitor.whoAmI()).toBe('code-ada');
      const [event] = await rig.events('login', 'code-ada');
      expect(event?.context).toMatchObject({
        auth_method: 'password',
        auth_method_args: { mfa_devices: [{ model_name: 'totpdevice', name: 'Authenticator app' }] },
      });
      const id = (await rig.find('code-ada'))?.id ?? 0;
      const listed = await rig.store.accounts.listSessions(id, null);
      expect(listed.map(({ authMethod, factors }) => [authMethod, factors])).toContainEqual(['password', ['totp']]);
      const [used] = await rig.store.read.authenticatorsOf(id);
      expect(used?.lastUsedAt).toBe(rig.clock.now());
    });

    it('is good once: not the one of the setup, not a second time, not an older one (TO-5)', async () => {
      await rig.user('code-replay');
      const setter = await rig.signedIn('code-replay');
      const { config_url } = await setter.open('app-setup');
      const [address, at] = [String(config_url), rig.clock.now()];
      await setter.answer({ code: codeAt(address, at) });
      const visitor = await atSecondStep(rig, 'code-replay');
      for (const moment of [at, at - 30_000]) {
        await visitor.answer({ code: codeAt(address, moment) });
        visitor.expectProblem('code', 'invalid');
      }
      await visitor.answer({ code: codeAt(address, at + 30_000) });
      visitor.expectEnd();
      const other = await atSecondStep(rig, 'code-replay', '192.0.2.2');
      await other.answer({ code: codeAt(address, at + 30_000) });
      other.expectProblem('code', 'invalid');
      expect(await other.whoAmI()).toBeNull();
      rig.clock.advance(60_000);
    });

    it('of 50 who send one at the same time one gets in (HackerOne 3692149)', async () => {
      const address = await withApp('code-race');
      const visitors = await Promise.all(
        Array.from({ length: 50 }, (_, at) => atSecondStep(rig, 'code-race', `198.51.100.${at}`)),
      );
      const code = codeAt(address, rig.clock.now());
      await Promise.all(visitors.map((visitor) => visitor.answer({ code })));
      expect(await signedIn(visitors)).toBe(1);
      expect(await rig.events('login', 'code-race')).toHaveLength(2);
    });

    it('may be a step off, and the drift is learned; two steps are too many', async () => {
      const address = await withApp('code-drift');
      const off = async (steps: number) => {
        const visitor = await atSecondStep(rig, 'code-drift', `192.0.2.${10 + steps}`);
        await visitor.answer({ code: codeAt(address, rig.clock.now() + steps * 30_000) });
        return visitor;
      };
      (await off(2)).expectProblem('code', 'invalid');
      (await off(1)).expectEnd();
      rig.clock.advance(60_000);
      // The clock of the app is known to be a step ahead: so two are one off now.
      (await off(2)).expectEnd();
    });

    it('is no code of another user, and no class that is not asked for (AV-1, AV-5)', async () => {
      const theirs = await withApp('code-eve');
      await rig.user('code-victim');
      const setter = await rig.signedIn('code-victim');
      await addApp(rig, setter);
      const codes = await addCodes(setter);
      const visitor = await atSecondStep(rig, 'code-victim');
      await visitor.answer({ code: codeAt(theirs, rig.clock.now()) });
      visitor.expectProblem('code', 'invalid');
      await rig.flow('apps-only', [identify, password, validate({ device_classes: ['totp'] }), login], designation);
      const strict = rig.visitor({ address: '192.0.2.44' });
      await strict.open('apps-only');
      await strict.answer({ uid_field: 'code-victim' });
      await strict.answer({ password: 'code-victim password' });
      expect(Object.keys(offered(strict.challenge))).toEqual(['totp']);
      await strict.answer({ code: codes[0] });
      strict.expectProblem('code', 'invalid');
    });

    it('that is wrong is counted per user and address, ends the flow, and is an event', async () => {
      const address = await withApp('code-guess');
      const guess = async (from: string) => {
        const visitor = await atSecondStep(rig, 'code-guess', from);
        for (let time = 0; time < 5; time += 1) await visitor.answer({ code: '000000' });
        visitor.expectDenied('Too many wrong codes. Please wait a while and try again.');
      };
      await guess('203.0.113.1');
      expect(await rig.events('login_failed', 'code-guess')).toHaveLength(5);
      const again = await atSecondStep(rig, 'code-guess', '203.0.113.1');
      await again.answer({ code: codeAt(address, rig.clock.now()) });
      again.expectDenied();
      // From elsewhere it goes on, until all together were wrong too often.
      for (const from of ['203.0.113.2', '203.0.113.3', '203.0.113.4']) await guess(from);
      const owner = await atSecondStep(rig, 'code-guess', '203.0.113.5');
      await owner.answer({ code: codeAt(address, rig.clock.now()) });
      owner.expectDenied();
      rig.clock.advance(60 * 60_000);
      const later = await atSecondStep(rig, 'code-guess', '203.0.113.5');
      await later.answer({ code: codeAt(address, rig.clock.now()) });
      later.expectEnd();
    });

    it('cannot be right when the key of its secret is gone; the factor is asked for all the same', async () => {
      const address = await withApp('code-unreadable');
      const id = (await rig.find('code-unreadable'))?.id ?? 0;
      await rig.driver.write(
        sql`UPDATE doorward_authenticator SET secret = 'gone.AAAA' WHERE user_id = ${id} RETURNING uuid`,
      );
      const visitor = await atSecondStep(rig, 'code-unreadable');
      visitor.expectAsk(validateComponent);
      await visitor.answer({ code: codeAt(address, rig.clock.now()) });
      visitor.expectProblem('code', 'invalid');
      expect(await visitor.whoAmI()).toBeNull();
    });

    it.each([
      {},
      { code: '' },
      { code: null },
      { code: ['1'] },
      { code: 'x'.repeat(10_000) },
      { duo: 1 },
      { webauthn: 1 },
    ])('is not %j', async (body) => {
      const username = `code-odd-${JSON.stringify(body).slice(0, 20)}`;
      await withApp(username);
      const visitor = await atSecondStep(rig, username);
      await visitor.answer(body);
      expect(visitor.challenge.response_errors).toBeDefined();
      expect(await visitor.whoAmI()).toBeNull();
    });
  });

  describe('a recovery code', () => {
    it('is good once, however it is typed, of 50 at the same time too', async () => {
      await rig.user('sheet-ada');
      const [first = '', second = '', third = ''] = await addCodes(await rig.signedIn('sheet-ada'));
      const typed = ` ${first.slice(0, 4).toUpperCase()}-${first.slice(4, 8)} ${first.slice(8)} `;
      const visitor = await atSecondStep(rig, 'sheet-ada');
      await visitor.answer({ code: typed });
      visitor.expectEnd();
      const again = await atSecondStep(rig, 'sheet-ada');
      await again.answer({ code: first });
      again.expectProblem('code', 'invalid');
      const visitors = await Promise.all(
        Array.from({ length: 50 }, (_, at) => atSecondStep(rig, 'sheet-ada', `198.51.100.${at}`)),
      );
      await Promise.all(visitors.map((one) => one.answer({ code: second })));
      expect(await signedIn(visitors)).toBe(1);
      await again.answer({ code: third });
      again.expectEnd();
      // With none left the user is still one who has a factor.
      const late = await atSecondStep(rig, 'sheet-ada');
      late.expectAsk(validateComponent);
    });
  });

  describe('a passkey', () => {
    it('signs in, once a challenge, and counts up (AV-6)', async () => {
      await rig.user('key-step');
      const passkey = await addPasskey(await rig.signedIn('key-step'));
      const visitor = await atSecondStep(rig, 'key-step');
      expect(passkeyOptions(visitor.challenge)).toMatchObject({
        rpId: 'localhost',
        userVerification: 'preferred',
        allowCredentials: [{ id: passkey.id, type: 'public-key' }],
      });
      const sent = passkey.use(passkeyOptions(visitor.challenge));
      await visitor.answer({ webauthn: sent });
      visitor.expectEnd();
      const other = await atSecondStep(rig, 'key-step');
      await other.answer({ webauthn: sent });
      other.expectProblem('webauthn', 'invalid');
      for (const mischief of [{ counter: 1 }, { origin: 'https://evil.example' }, { rpId: 'evil.example' }]) {
        await other.answer({ webauthn: passkey.use(passkeyOptions(other.challenge), mischief) });
        other.expectProblem('webauthn', 'invalid');
      }
      expect(await other.whoAmI()).toBeNull();
      expect(await rig.events('login_failed', 'key-step')).toHaveLength(4);
    });

    it("is not somebody else's, and must know its user where that is required", async () => {
      await rig.user('key-owner');
      await rig.user('key-other');
      const passkey = await addPasskey(await rig.signedIn('key-owner'));
      await addPasskey(await rig.signedIn('key-other'));
      const visitor = await atSecondStep(rig, 'key-other');
      await visitor.answer({ webauthn: passkey.use(passkeyOptions(visitor.challenge)) });
      visitor.expectProblem('webauthn', 'invalid');
      const owners = await atSecondStep(rig, 'key-owner');
      const stolen = String(passkeyOptions(visitor.challenge).challenge);
      await owners.answer({ webauthn: passkey.use(passkeyOptions(owners.challenge), { challenge: stolen }) });
      owners.expectProblem('webauthn', 'invalid');
      const strictly = validate({ webauthn_user_verification: 'required' });
      await rig.flow('strict-key', [identify, password, strictly, login], designation);
      const strict = rig.visitor();
      await strict.open('strict-key');
      await strict.answer({ uid_field: 'key-owner' });
      await strict.answer({ password: 'key-owner password' });
      const weak = passkey.use(passkeyOptions(strict.challenge), { userVerified: false });
      await strict.answer({ webauthn: weak });
      strict.expectProblem('webauthn', 'invalid');
      await strict.answer({ webauthn: passkey.use(passkeyOptions(strict.challenge)) });
      strict.expectEnd();
    });

    it('alone says who somebody is (AV-2, AV-8)', async () => {
      await rig.user('key-alone');
      const passkey = await addPasskey(await rig.signedIn('key-alone'), false);
      const visitor = rig.visitor();
      await visitor.open('passkey-alone');
      expect(visitor.challenge.device_challenges).toMatchObject([
        {
          device_class: 'webauthn',
          device_uid: '-1',
          challenge: { allowCredentials: [], userVerification: 'required' },
        },
      ]);
      await visitor.answer({ webauthn: passkey.use(passkeyOptions(visitor.challenge), { userVerified: false }) });
      visitor.expectProblem('webauthn', 'invalid');
      await visitor.answer({
        webauthn: new SoftPasskey('http://localhost:9000').use(passkeyOptions(visitor.challenge)),
      });
      visitor.expectProblem('webauthn', 'invalid');
      await visitor.answer({ webauthn: passkey.use(passkeyOptions(visitor.challenge)) });
      visitor.expectEnd();
      expect(await visitor.whoAmI()).toBe('key-alone');
      const [event] = await rig.events('login', 'key-alone');
      expect(event?.context).toMatchObject({
        auth_method: 'auth_webauthn_pwl',
        auth_method_args: { device: { model_name: 'webauthndevice' } },
      });
    });

    it('signs no deactivated user in, nor anybody by an answer that was used (CVE-2025-53942)', async () => {
      const user = await rig.user('key-asleep');
      const passkey = await addPasskey(await rig.signedIn('key-asleep'), false);
      const visitor = rig.visitor();
      const before = visitor.clone();
      await visitor.open('passkey-alone');
      const twin = visitor.clone();
      const sent = passkey.use(passkeyOptions(visitor.challenge));
      await visitor.answer({ webauthn: sent });
      expect(await visitor.whoAmI()).toBe('key-asleep');
      rig.clock.advance(11 * 60_000);
      // Whoever holds the cookie from before the sign-in and the answer is not signed in by them.
      await twin.open('passkey-alone');
      await twin.answer({ webauthn: sent });
      expect(await twin.whoAmI()).toBeNull();
      await rig.auth.users.deactivate(user.id);
      await before.open('passkey-alone');
      await before.answer({ webauthn: passkey.use(passkeyOptions(before.challenge)) });
      before.expectProblem('webauthn', 'invalid');
    });
  });

  describe('who has no authenticator', () => {
    const path = async (username: string, attrs: JsonObject): Promise<Visitor> => {
      const slug = `without-${username}`;
      await rig.flow(slug, [identify, password, validate(attrs), login], designation);
      await rig.user(username);
      const visitor = rig.visitor();
      await visitor.open(slug);
      await visitor.answer({ uid_field: username });
      await visitor.answer({ password: `${username} password` });
      return visitor;
    };

    it('goes on where that is set, or is denied (AV-3)', async () => {
      (await path('none-skip', {})).expectEnd();
      const denied = await path('none-deny', { not_configured_action: 'deny' });
      denied.expectDenied('You have no authenticator that is allowed here.');
    });

    it('sets one up, chosen from several, and is not asked for it once more (AV-3)', async () => {
      await rig.auth.flows.apply([
        {
          name: 'choices',
          text: `entries:
  - {model: authentik_stages_authenticator_totp.authenticatortotpstage, identifiers: {name: choose-app}}
  - {model: authentik_stages_authenticator_static.authenticatorstaticstage, identifiers: {name: choose-codes}}`,
        },
      ]);
      const find = (kind: string, name: string) =>
        `!Find [authentik_stages_authenticator_${kind}.authenticator${kind}stage, [name, ${name}]]`;
      const stages = [find('totp', 'choose-app'), find('static', 'choose-codes')];
      const visitor = await path('none-choose', {
        not_configured_action: 'configure',
        configuration_stages: stages,
      });
      const { configuration_stages: choices } = visitor.expectAsk(validateComponent);
      expect(choices).toMatchObject([
        { name: 'choose-app', verbose_name: 'Authenticator app' },
        { name: 'choose-codes', verbose_name: 'Recovery codes' },
      ]);
      await visitor.answer({ selected_stage: '00000000-0000-4000-8000-000000000000' });
      visitor.expectProblem('selected_stage', 'invalid');
      await visitor.answer({ selected_stage: (choices as readonly JsonObject[])[0]?.pk });
      const { config_url: address } = visitor.expectAsk('ak-stage-authenticator-totp');
      await visitor.answer({ code: codeAt(String(address), rig.clock.now()) });
      visitor.expectEnd();
      const one = await path('none-only', {
        not_configured_action: 'configure',
        configuration_stages: stages.slice(1),
      });
      one.expectAsk('ak-stage-authenticator-static');
      // Who has an authenticator does not get another one instead of using it.
      rig.clock.advance(30_000);
      const thief = rig.visitor();
      await thief.open('without-none-choose');
      await thief.answer({ uid_field: 'none-choose' });
      await thief.answer({ password: 'none-choose password' });
      await thief.answer({ selected_stage: (choices as readonly JsonObject[])[0]?.pk });
      thief.expectProblem('selected_stage', 'invalid');
    });

    it('is nobody at all: skipped outside of sign-in, and denied where a factor is demanded (AV-2)', async () => {
      await rig.flow('nobody-skips', [validate(), { kind: 'dummy' }]);
      await rig.flow('nobody-denied', [validate({ not_configured_action: 'deny' }), { kind: 'dummy' }]);
      const [skips, denied] = [rig.visitor(), rig.visitor()];
      await skips.open('nobody-skips');
      skips.expectAsk('ak-stage-dummy');
      await denied.open('nobody-denied');
      denied.expectDenied();
    });
  });

  it('a stand-in is asked as a user with an app, and is always wrong', async () => {
    const attrs = { user_fields: ['username'], pretend_user_exists: true, show_matched_user: false };
    await rig.flow('code-first', [{ kind: 'identification', attrs }, validate(), login], designation);
    const address = await withApp('real-one');
    const shown = async (typed: string) => {
      const visitor = rig.visitor({ address: `192.0.2.${typed.length}` });
      await visitor.open('code-first');
      await visitor.answer({ uid_field: typed });
      return visitor;
    };
    const [real, fake, same] = [await shown('real-one'), await shown('made-up-one'), await shown('made-up-one')];
    const uid = (visitor: Visitor) => offered(visitor.challenge).totp?.device_uid;
    expect(uid(fake)).toBe(uid(same));
    const blank = (visitor: Visitor) =>
      JSON.stringify(visitor.challenge)
        .replaceAll(String(uid(visitor)), 'uid')
        .replaceAll(/real-one|made-up-one/g, 'who');
    expect(blank(fake)).toBe(blank(real));
    expect(String(uid(fake))).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    for (const visitor of [real, fake]) await visitor.answer({ code: '000000' });
    expect(blank(fake)).toBe(blank(real));
    await fake.answer({ code: codeAt(address, rig.clock.now()) });
    fake.expectProblem('code', 'invalid');
    for (let time = 0; time < 4; time += 1) await fake.answer({ code: '000000' });
    fake.expectDenied();
  });

  describe('a browser in which an authenticator was used lately (AV-9)', () => {
    const flow = async (slug: string, threshold: string) =>
      rig.flow(slug, [identify, password, validate({ last_auth_threshold: threshold }), login], designation);
    const toSecondStep = async (visitor: Visitor, slug: string, username: string): Promise<Visitor> => {
      await visitor.open(slug);
      await visitor.answer({ uid_field: username });
      await visitor.answer({ password: `${username} password` });
      return visitor;
    };
    const once = async (slug: string, username: string, address: string): Promise<Visitor> => {
      const visitor = await toSecondStep(rig.visitor(), slug, username);
      await visitor.answer({ code: codeAt(address, rig.clock.now()) });
      visitor.expectEnd();
      return visitor;
    };

    it('is not asked again for so long: the same user and stage, and no other browser', async () => {
      const address = await withApp('trusted');
      await withApp('trusted-other');
      await flow('trusting', 'hours=1');
      await flow('trusting-too', 'hours=1');
      const visitor = await once('trusting', 'trusted', address);
      (await toSecondStep(visitor, 'trusting', 'trusted')).expectEnd();
      (await toSecondStep(visitor, 'trusting-too', 'trusted')).expectAsk(validateComponent);
      (await toSecondStep(visitor, 'trusting', 'trusted-other')).expectAsk(validateComponent);
      (await toSecondStep(rig.visitor(), 'trusting', 'trusted')).expectAsk(validateComponent);
      rig.clock.advance(61 * 60_000);
      (await toSecondStep(visitor, 'trusting', 'trusted')).expectAsk(validateComponent);
    });

    it('is asked after a new password, and when the authenticator is gone; a changed cookie says nothing', async () => {
      const user = await rig.user('distrusted');
      const setter = await rig.signedIn('distrusted');
      const address = await addApp(rig, setter);
      await addCodes(setter);
      await flow('distrusting', 'hours=1');
      const visitor = await once('distrusting', 'distrusted', address);
      const forged = visitor.clone();
      for (const [name, value] of forged.cookies) if (name.includes('device')) forged.cookies.set(name, `${value}x`);
      (await toSecondStep(forged, 'distrusting', 'distrusted')).expectAsk(validateComponent);
      const [app] = await rig.store.read.authenticatorsOf(user.id);
      await rig.store.commit({
        ...{ id: 'remove', runs: [] },
        effects: [{ kind: 'authenticator.remove', uuid: app?.uuid ?? '', userId: user.id }],
      });
      (await toSecondStep(visitor.clone(), 'distrusting', 'distrusted')).expectAsk(validateComponent);
      const other = await withApp('new-password');
      const trusted = await once('distrusting', 'new-password', other);
      rig.clock.advance(1_000);
      await rig.auth.users.setPassword((await rig.find('new-password'))?.id ?? 0, 'new-password password');
      (await toSecondStep(trusted, 'distrusting', 'new-password')).expectAsk(validateComponent);
    });

    it('is always asked where no time is set', async () => {
      const visitor = await once('two-steps', 'never-trusted', await withApp('never-trusted'));
      (await toSecondStep(visitor, 'two-steps', 'never-trusted')).expectAsk(validateComponent);
    });
  });

  it('a choice is looked at, and the same page comes back (AV-4)', async () => {
    await withApp('chooser');
    const visitor = await atSecondStep(rig, 'chooser');
    const [own] = visitor.challenge.device_challenges as readonly JsonObject[];
    await visitor.answer({ selected_challenge: own });
    visitor.expectProblem('non_field_errors', 'invalid');
    await visitor.answer({ selected_challenge: { ...own, device_uid: 'another' } });
    visitor.expectProblem('selected_challenge', 'invalid');
    expect(await rig.events('login_failed', 'chooser')).toEqual([]);
  });

  it('is not got round by an answer to the step after it, nor by the password once more', async () => {
    await withApp('skipper');
    const visitor = await atSecondStep(rig, 'skipper');
    for (const body of [
      { component: 'ak-stage-user-login', remember_me: true },
      { component: 'ak-stage-password', password: 'skipper password' },
      { component: 'ak-stage-authenticator-totp', code: '000000' },
      { component: 'ak-stage-dummy' },
      { component: validateComponent, selected_stage: 'x' },
    ])
      for (const step of [null, visitor.step]) {
        await visitor.post(body, step);
        expect(await visitor.whoAmI()).toBeNull();
      }
    await visitor.open('two-steps');
    visitor.expectAsk(validateComponent);
  });
});
