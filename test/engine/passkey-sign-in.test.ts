import { beforeAll, expect, it } from 'vitest';
import type { JsonObject } from '../../src/kernel/json.ts';
import type { Visitor } from '../../src/testing/rig.ts';
import { addPasskey, makeFlows, password, validate } from '../support/authenticator-rig.ts';
import { login, onBothDatabases } from '../support/engine-rig.ts';
import { SoftPasskey } from '../support/soft-passkey.ts';

const webauthn_stage =
  '!Find [authentik_stages_authenticator_validate.authenticatorvalidatestage, [name, sign-in-2-authenticator_validate]]';

onBothDatabases('a passkey on the page that asks who somebody is', (rig) => {
  beforeAll(async () => {
    await makeFlows(rig);
    const stages = (more: object) => [
      { kind: 'identification', attrs: { user_fields: ['username'], ...more } },
      password,
      validate(),
      login,
    ];
    const attrs = { designation: 'authentication' };
    // Made first, so that the first stage can refer to the third.
    await rig.flow('sign-in', stages({}), { attrs });
    await rig.flow('sign-in', stages({ webauthn_stage }), { attrs });
  });
  const options = ({ challenge }: Visitor) => challenge.passkey_challenge as JsonObject;

  it('signs in alone: neither password nor second factor is asked', async () => {
    await rig.user('alone');
    const passkey = await addPasskey(await rig.signedIn('alone'));
    const visitor = rig.visitor();
    await visitor.open('sign-in');
    expect(options(visitor)).toMatchObject({ rpId: 'localhost', allowCredentials: [], userVerification: 'required' });
    await visitor.answer({ passkey: passkey.use(options(visitor)) });
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe('alone');
    const id = (await rig.find('alone'))?.id ?? 0;
    const sessions = await rig.store.accounts.listSessions(id, null);
    expect(sessions.map(({ authMethod, factors }) => [authMethod, factors])).toContainEqual([
      'auth_webauthn_pwl',
      ['webauthn'],
    ]);
  });

  it('costs no row until it is used, and each answer counts once', async () => {
    await rig.user('frugal');
    const passkey = await addPasskey(await rig.signedIn('frugal'), false);
    const visitor = rig.visitor();
    await visitor.open('sign-in');
    const twins = Array.from({ length: 20 }, () => visitor.clone());
    const sent = passkey.use(options(visitor));
    await Promise.all(twins.map((twin) => twin.answer({ passkey: sent }).catch(() => undefined)));
    expect(await rig.events('login', 'frugal')).toHaveLength(2);
    rig.clock.advance(11 * 60_000);
    const late = visitor.clone();
    await late.open('sign-in');
    await late.answer({ passkey: sent });
    expect(await late.whoAmI()).toBeNull();
  });

  it('that is unknown, unverified, of a stranger’s page or another site is refused; failures are counted', async () => {
    await rig.user('refused');
    const passkey = await addPasskey(await rig.signedIn('refused'));
    const stranger = rig.visitor();
    await stranger.open('sign-in');
    const visitor = rig.visitor({ address: '203.0.113.77' });
    await visitor.open('sign-in');
    const tries = [
      () => new SoftPasskey('http://localhost:9000').use(options(visitor)),
      () => passkey.use(options(visitor), { userVerified: false }),
      () => passkey.use(options(visitor), { origin: 'https://evil.example' }),
      () => passkey.use(options(stranger)),
    ];
    for (const sent of tries) {
      await visitor.answer({ passkey: sent() });
      visitor.expectProblem('passkey', 'invalid');
    }
    await visitor.answer({ passkey: passkey.use(options(visitor), { rpId: 'evil.example' }) });
    visitor.expectDenied();
    expect(await visitor.whoAmI()).toBeNull();
    // Who is refused by passkey may still type a name.
    await stranger.answer({ uid_field: 'refused' });
    stranger.expectAsk('ak-stage-password');
  });

  it('is not taken where the page does not offer it', async () => {
    await rig.user('closed');
    const passkey = await addPasskey(await rig.signedIn('closed'));
    const visitor = rig.visitor();
    await visitor.open('two-steps');
    expect(visitor.challenge).not.toHaveProperty('passkey_challenge');
    const other = rig.visitor();
    await other.open('sign-in');
    await visitor.answer({ passkey: passkey.use(options(other)) });
    visitor.expectProblem('passkey', 'invalid');
    expect(await visitor.whoAmI()).toBeNull();
  });
});
