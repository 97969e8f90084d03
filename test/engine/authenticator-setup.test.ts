import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/kernel/json.ts';
import { sql } from '../../src/store/sql.ts';
import {
  addApp,
  addCodes,
  addPasskey,
  atSecondStep,
  codeAt,
  makeFlows,
  password,
} from '../support/authenticator-rig.ts';
import { type EngineRig, login, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';
import { SoftPasskey } from '../support/soft-passkey.ts';

const origin = 'http://localhost:9000';
const prove = (flow: string) => `/flows/-/prove/?next=${encodeURIComponent(`/if/flow/${flow}/`)}`;

/** Everything that stands in the tables where a secret could. */
async function everywhere({ driver }: EngineRig): Promise<string> {
  const [runs, authenticators, codes, events] = await Promise.all([
    driver.read(sql`SELECT state, ended FROM doorward_run`),
    driver.read(sql`SELECT secret, data FROM doorward_authenticator`),
    driver.read(sql`SELECT hash FROM doorward_recovery_code`),
    driver.read(sql`SELECT context FROM doorward_event`),
  ]);
  return JSON.stringify([runs, authenticators, codes, events]);
}

onBothDatabases('setting up', (rig) => {
  beforeAll(() => makeFlows(rig));
  const kindsOf = async (username: string) => {
    const id = (await rig.find(username))?.id ?? 0;
    return (await rig.store.read.authenticatorsOf(id)).map(({ kind, name }) => `${kind} ${name}`);
  };

  describe('an authenticator app', () => {
    it('shows one key until a code proves it, also on reload (TO-2, TO-3, TO-4)', async () => {
      await rig.user('app-ada');
      const visitor = await rig.signedIn('app-ada');
      const { config_url: address, ...challenge } = await visitor.open('app-setup');
      expect(challenge).toMatchObject({ component: 'ak-stage-authenticator-totp', pending_user: 'app-ada' });
      expect(address).toMatch(
        /^otpauth:\/\/totp\/Doorward:app-ada\?issuer=Doorward&secret=[A-Z2-7]{32}&algorithm=SHA1&digits=6&period=30$/,
      );
      expect((await visitor.open('app-setup')).config_url).toBe(address);
      await visitor.answer({ code: '000000' });
      visitor.expectProblem('code', 'invalid');
      expect(visitor.challenge.config_url).toBe(address);
      expect(await kindsOf('app-ada')).toEqual([]);
      await visitor.answer({ code: Number(codeAt(String(address), rig.clock.now())) });
      visitor.expectEnd();
      expect(await kindsOf('app-ada')).toEqual(['totp Authenticator app']);
      expect(await rig.events('authenticator_added', 'app-ada')).toMatchObject([
        { context: { authenticator: { model_name: 'totpdevice', name: 'Authenticator app' } } },
      ]);
    });

    it('keeps its key sealed from the first page on', async () => {
      await rig.user('app-sealed');
      const visitor = await rig.signedIn('app-sealed');
      const { config_url: address } = await visitor.open('app-setup');
      const secret = /secret=([A-Z2-7]+)/.exec(String(address))?.[1] ?? '';
      expect(secret).toHaveLength(32);
      expect(await everywhere(rig)).not.toContain(secret);
      await visitor.answer({ code: codeAt(String(address), rig.clock.now()) });
      visitor.expectEnd();
      expect(await everywhere(rig)).not.toContain(secret);
    });

    it('is skipped for nobody (TO-1)', async () => {
      await rig.flow('app-for-nobody', [{ kind: 'authenticator_totp' }, { kind: 'dummy' }]);
      const visitor = rig.visitor();
      await visitor.open('app-for-nobody');
      visitor.expectAsk('ak-stage-dummy');
    });

    it('has codes of eight digits where that is set', async () => {
      await rig.user('app-eight');
      const attrs = { designation: 'stage_configuration', authentication: 'require_authenticated' };
      await rig.flow('app-eight', [{ kind: 'authenticator_totp', attrs: { digits: 8 } }], { attrs });
      const visitor = await rig.signedIn('app-eight');
      const { config_url: address } = await visitor.open('app-eight');
      expect(codeAt(String(address), rig.clock.now())).toHaveLength(8);
      await visitor.answer({ code: codeAt(String(address), rig.clock.now()) });
      visitor.expectEnd();
    });
  });

  describe('recovery codes', () => {
    it('are shown once, and kept as hashes; new ones take the place of the old', async () => {
      await rig.user('codes-ada');
      const visitor = await rig.signedIn('codes-ada');
      const { codes } = await visitor.open('codes-setup');
      const [code = ''] = codes as readonly string[];
      expect(codes).toEqual([1, 2, 3].map(() => expect.stringMatching(/^[a-z2-9]{12}$/)));
      expect((await visitor.open('codes-setup')).codes).toEqual(codes);
      expect(await everywhere(rig)).not.toContain(code);
      await visitor.answer();
      visitor.expectEnd();
      expect(await kindsOf('codes-ada')).toEqual(['static Recovery codes']);
      expect(await everywhere(rig)).not.toContain(code);
      expect(await addCodes(visitor)).not.toContain(code);
      expect(await kindsOf('codes-ada')).toEqual(['static Recovery codes']);
      expect(await rig.events('authenticator_removed', 'codes-ada')).toHaveLength(1);
      const again = await atSecondStep(rig, 'codes-ada');
      await again.answer({ code });
      again.expectProblem('code', 'invalid');
    });
  });

  describe('a passkey', () => {
    it('is registered for this site and user (WA-6), and not twice (WA-3)', async () => {
      await rig.user('key-ada');
      const visitor = await rig.signedIn('key-ada');
      const { registration, ...challenge } = await visitor.open('passkey-setup');
      expect(challenge).toMatchObject({ component: 'ak-stage-authenticator-webauthn', pending_user: 'key-ada' });
      expect(registration).toMatchObject({
        rp: { id: 'localhost', name: 'Doorward' },
        user: { name: 'key-ada', displayName: 'key-ada' },
        authenticatorSelection: { userVerification: 'preferred', residentKey: 'preferred' },
        attestation: 'none',
      });
      const passkey = new SoftPasskey(origin);
      await visitor.answer({ response: passkey.register(registration as JsonObject) });
      visitor.expectEnd();
      expect(await kindsOf('key-ada')).toEqual(['webauthn Passkey']);
      await rig.user('key-bob');
      for (const other of [visitor, await rig.signedIn('key-bob')]) {
        const again = await other.open('passkey-setup');
        await other.answer({ response: passkey.register(again.registration as JsonObject) });
        other.expectProblem('response', 'invalid');
      }
      expect(await kindsOf('key-bob')).toEqual([]);
    });

    it('is taken as the reference sends it: padded, and with extensions of another name', async () => {
      await rig.user('key-padded');
      const visitor = await rig.signedIn('key-padded');
      const { registration } = await visitor.open('passkey-setup');
      const { clientExtensionResults: _, ...sent } = new SoftPasskey(origin).register(registration as JsonObject);
      const response = Object.entries(sent.response as JsonObject).map(([key, value]) => [key, `${String(value)}==`]);
      const padded = { ...sent, registrationClientExtensions: '{}', response: Object.fromEntries(response) };
      await visitor.answer({ response: JSON.stringify(padded) });
      visitor.expectEnd();
    });

    it('is refused from another origin, site or challenge, or a challenge of another run (WA-1, WA-2)', async () => {
      await rig.user('key-foreign');
      await rig.user('key-thief');
      const [visitor, thief] = [await rig.signedIn('key-foreign'), await rig.signedIn('key-thief')];
      const stolen = (await thief.open('passkey-setup')).registration as JsonObject;
      await visitor.open('passkey-setup');
      const passkey = new SoftPasskey(origin);
      for (const mischief of [
        { origin: 'https://localhost.evil.example' },
        { origin: 'http://localhost:9001' },
        { rpId: 'evil.example' },
        { challenge: 'bm90LW91cnM' },
        { challenge: String(stolen.challenge) },
      ]) {
        const own = visitor.challenge.registration as JsonObject;
        await visitor.answer({ response: passkey.register(own, mischief) });
        visitor.expectProblem('response', 'invalid');
      }
      // A challenge of using a passkey is none of registering one.
      const { device_challenges: challenges } = await rig.visitor().open('passkey-alone');
      const other = (challenges as readonly JsonObject[])[0]?.challenge as JsonObject;
      const own = visitor.challenge.registration as JsonObject;
      await visitor.answer({ response: passkey.register(own, { challenge: String(other.challenge) }) });
      visitor.expectProblem('response', 'invalid');
      for (const response of ['', 'no json', {}, { id: 'x', response: {} }, null, 7]) {
        await visitor.answer({ response });
        visitor.expectProblem('response', 'invalid');
      }
      expect(await kindsOf('key-foreign')).toEqual([]);
    });

    it('must know its user where that is required; failures end where they are counted (WA-5)', async () => {
      await rig.user('key-counted');
      const attrs = { user_verification: 'required', max_attempts: 2 };
      const flow = { designation: 'stage_configuration', authentication: 'require_authenticated' };
      await rig.flow('passkey-strict', [{ kind: 'authenticator_webauthn', attrs }], { attrs: flow });
      const visitor = await rig.signedIn('key-counted');
      const weak = (challenge: unknown) =>
        new SoftPasskey(origin).register(challenge as JsonObject, { userVerified: false });
      const first = await visitor.open('passkey-strict');
      const second = await visitor.answer({ response: weak(first.registration) });
      visitor.expectProblem('response', 'invalid');
      await visitor.answer({ response: weak(second.registration) });
      visitor.expectDenied('Too many attempts.');
    });

    it('of another model is refused where models are restricted (WA-4)', async () => {
      await rig.user('key-model');
      const attrs = { device_type_restrictions: ['2fc0579f-8113-47ea-b116-bb5a8db9202a'] };
      const flow = { designation: 'stage_configuration', authentication: 'require_authenticated' };
      await rig.flow('passkey-model', [{ kind: 'authenticator_webauthn', attrs }], { attrs: flow });
      const visitor = await rig.signedIn('key-model');
      const { registration } = await visitor.open('passkey-model');
      expect(registration).toMatchObject({ attestation: 'direct' });
      await visitor.answer({ response: new SoftPasskey(origin).register(registration as JsonObject) });
      visitor.expectProblem('response', 'invalid');
    });
  });

  describe('takes a fresh proof (CVE-2026-37982)', () => {
    it.each(['app-setup', 'codes-setup', 'passkey-setup'])('%s: of an older session', async (flow) => {
      const username = `stale-${flow}`;
      await rig.user(username);
      const visitor = await rig.signedIn(username);
      await visitor.open(flow);
      rig.clock.advance(16 * 60_000);
      // What was begun in time is not good for ever.
      await visitor.answer({ code: '000000' });
      visitor.expectEnd(prove(flow));
      await visitor.open(flow);
      visitor.expectEnd(prove(flow));
      expect(await kindsOf(username)).toEqual([]);
    });

    it('nobody adds an authenticator to the account whose name they typed', async () => {
      await rig.user('victim');
      const identify = { kind: 'identification', attrs: { user_fields: ['username'] } };
      for (const kind of ['authenticator_totp', 'authenticator_static', 'authenticator_webauthn']) {
        await rig.flow(`named-${kind}`, [identify, { kind }, login], { attrs: { designation: 'authentication' } });
        await rig.user(`thief-${kind}`);
        for (const visitor of [rig.visitor(), await rig.signedIn(`thief-${kind}`)]) {
          await visitor.open(`named-${kind}`);
          await visitor.answer({ uid_field: 'victim' });
          visitor.expectDenied();
        }
      }
      expect(await kindsOf('victim')).toEqual([]);
    });

    it('a password alone adds none to an account that has one already', async () => {
      await rig.user('has-one');
      await addApp(rig, await rig.signedIn('has-one'));
      rig.clock.advance(60_000);
      const identify = { kind: 'identification', attrs: { user_fields: ['username'] } };
      const designation = { attrs: { designation: 'authentication' } };
      await rig.flow('by-password', [identify, password, login], designation);
      await rig.flow('by-password-setup', [identify, password, { kind: 'authenticator_totp' }, login], designation);
      const thief = rig.visitor();
      await thief.open('by-password');
      await thief.answer({ uid_field: 'has-one' });
      await thief.answer({ password: 'has-one password' });
      thief.expectEnd();
      for (const flow of ['app-setup', 'codes-setup', 'passkey-setup']) {
        await thief.open(flow);
        thief.expectEnd(prove(flow));
      }
      const other = rig.visitor();
      await other.open('by-password-setup');
      await other.answer({ uid_field: 'has-one' });
      await other.answer({ password: 'has-one password' });
      other.expectDenied();
      expect(await kindsOf('has-one')).toHaveLength(1);
    });

    it('with the authenticator it goes on, and what was added a moment ago asks for nothing more', async () => {
      await rig.user('adds-more');
      const visitor = await rig.signedIn('adds-more');
      const address = await addApp(rig, visitor);
      await addCodes(visitor);
      await addPasskey(visitor);
      const later = await atSecondStep(rig, 'adds-more');
      await later.answer({ code: codeAt(address, rig.clock.now()) });
      later.expectEnd();
      await addCodes(later);
      expect(await kindsOf('adds-more')).toHaveLength(3);
    });

    it('who signs up may set one up in the same run', async () => {
      await rig.flow('join', [promptFor('username'), write(), { kind: 'authenticator_totp' }, login]);
      const visitor = rig.visitor();
      await visitor.open('join');
      const { config_url: address } = await visitor.answer({ username: 'joins-with-app' });
      await visitor.answer({ code: codeAt(String(address), rig.clock.now()) });
      visitor.expectEnd();
      expect(await kindsOf('joins-with-app')).toHaveLength(1);
      expect(await visitor.whoAmI()).toBe('joins-with-app');
    });
  });
});
