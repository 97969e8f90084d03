import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/kernel/json.ts';
import { given } from '../store/databases.ts';
import { identify, offered, password as passwordStage, validate } from '../support/authenticator-rig.ts';
import { promptFor } from '../support/engine-rig.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { withMailOnBothDatabases } from '../support/mail-rig.ts';

const example = (name: string) => ({
  name: `${name}.yaml`,
  text: readFileSync(new URL(`../../examples/flows/${name}.yaml`, import.meta.url), 'utf8'),
});
const setup = { designation: 'stage_configuration', authentication: 'require_authenticated' };
const login = { kind: 'user_login' };
const write = { kind: 'user_write', attrs: { user_creation_mode: 'create_when_required' } };
const flows = [
  ...['enrollment-email-verification', 'enrollment-verify-first', 'sign-in-link'].map(example),
  flowYaml({ slug: 'mail-setup', attrs: setup, stages: [{ kind: 'authenticator_email' }] }),
  flowYaml({
    slug: 'two-steps',
    attrs: { designation: 'authentication' },
    stages: [identify, passwordStage, validate(), login],
  }),
  flowYaml({ slug: 'unproven', attrs: setup, stages: [promptFor({ field_key: 'email', type: 'email' }), write] }),
  flowYaml({ slug: 'import', stages: [write] }),
  flowYaml({
    slug: 'asks-for-it',
    stages: [promptFor('username', { field_key: 'email', type: 'email' }, 'email_verified'), write, login],
  }),
];
const password = 'correct horse battery';

withMailOnBothDatabases('verified addresses', { blueprints: flows }, (rig) => {
  const signUp = async (flow: string, username: string, email = `${username}@example.com`) => {
    const visitor = rig.visitor();
    await visitor.open(flow);
    await visitor.answer({ username, name: username, email, password, password_repeat: password });
    return visitor;
  };
  const isVerified = async (username: string) => given(await rig.find(username)).emailVerifiedAt !== null;
  const named = async (uid_field: string) => {
    const visitor = rig.visitor();
    await visitor.open('default-authentication-flow');
    await visitor.answer({ uid_field });
    await visitor.answer({ password });
    return visitor.whoAmI();
  };

  it.each(['enrollment-verify-first', 'enrollment-email-verification'])('%s marks the address', async (flow) => {
    const username = `ada-${flow}`;
    const visitor = await signUp(flow, username);
    await visitor.answer({ code: (await rig.proof(`${username}@example.com`)).code });
    visitor.expectEnd();
    expect(await rig.find(username)).toMatchObject({ isActive: true, emailVerifiedAt: rig.clock.now() });
  });

  it('the shipped sign-up marks none, whatever is sent along; nor does a prompt that asks for it', async () => {
    const visitor = rig.visitor();
    await visitor.open('default-enrollment-flow');
    const more = { email_verified: true, 'attributes.email_verified': true };
    await visitor.answer({
      ...{ username: 'bea', name: 'Bea', email: 'bea@example.com', password, password_repeat: password, ...more },
    });
    visitor.expectEnd();
    const asked = rig.visitor();
    await asked.open('asks-for-it');
    await asked.answer({ username: 'bob', email: 'bob@example.com', email_verified: 'true' });
    asked.expectEnd();
    for (const username of ['bea', 'bob'])
      expect(await rig.find(username)).toMatchObject({ emailVerifiedAt: null, attributes: {} });
  });

  it('recovery and sign-in by link mark the address that they were sent to', async () => {
    for (const [flow, username] of [
      ['default-recovery-flow', 'cleo'],
      ['sign-in-link', 'carl'],
    ] as const) {
      await rig.user(username);
      const visitor = rig.visitor();
      await visitor.open(flow);
      await visitor.answer({ uid_field: `${username}@example.com` });
      await visitor.answer({ code: (await rig.proof(`${username}@example.com`)).code });
      expect([username, await isVerified(username)]).toEqual([username, true]);
    }
  });

  it('codes by mail mark the account’s own address, at setup and at sign-in', async () => {
    await rig.user('dora');
    const visitor = await rig.signIn('dora');
    await visitor.open('mail-setup');
    await visitor.answer({ code: (await rig.proof('dora@example.com')).code });
    visitor.expectEnd();
    expect(await isVerified('dora')).toBe(true);
    const { id } = given(await rig.find('dora'));
    await rig.auth.users.update(id, { emailVerified: false });
    const again = rig.visitor();
    await again.open('two-steps');
    await again.answer({ uid_field: 'dora' });
    await again.answer({ password: 'dora password' });
    const { device_class, device_uid } = offered(again.challenge).email ?? {};
    await again.answer({ selected_challenge: { device_class, device_uid } as JsonObject });
    await again.answer({ code: (await rig.proof('dora@example.com')).code });
    again.expectEnd();
    expect(await isVerified('dora')).toBe(true);
    await rig.auth.users.update(id, { email: 'dora@example.org' });
    expect(await isVerified('dora')).toBe(false);
    const elsewhere = rig.visitor();
    await elsewhere.open('two-steps');
    await elsewhere.answer({ uid_field: 'dora' });
    await elsewhere.answer({ password: 'dora password' });
    await elsewhere.answer({ selected_challenge: { device_class, device_uid } as JsonObject });
    await elsewhere.answer({ code: (await rig.proof('dora@example.com')).code });
    elsewhere.expectEnd();
    expect(await isVerified('dora')).toBe(false);
  });

  it('default-email-verification: one’s own address, proven later', async () => {
    const visitor = await signUp('default-enrollment-flow', 'eva');
    expect(await isVerified('eva')).toBe(false);
    await visitor.open('default-email-verification');
    expect(visitor.expectAsk('ak-stage-email').address).toBe('e…@example.com');
    const letter = await rig.proof('eva@example.com');
    expect(letter.headers.get('subject')).toBe('Confirm your email address for Doorward');
    await rig.follow(letter);
    expect(await isVerified('eva')).toBe(true);
    await visitor.open('default-email-verification');
    visitor.expectEnd();
    expect(await rig.find('eva')).toMatchObject({ version: 1 });
    const stranger = rig.visitor();
    await stranger.open('default-email-verification');
    expect(stranger.challenge.component).not.toBe('ak-stage-email');
  });

  it('default-user-settings-flow: a new address is written when it is proven, marked, and the old one is told', async () => {
    await rig.user('fay', { emailVerified: true });
    const visitor = await rig.signIn('fay');
    const settings = { username: 'fay', name: 'Fay', 'attributes.settings.locale': '' };
    await visitor.open('default-user-settings-flow');
    await visitor.answer({ ...settings, email: 'fay@example.org' });
    visitor.expectAsk('ak-stage-email');
    expect(await rig.find('fay')).toMatchObject({ email: 'fay@example.com', name: '' });
    await visitor.answer({ code: (await rig.proof('fay@example.org')).code });
    visitor.expectEnd();
    expect(await rig.find('fay')).toMatchObject({ email: 'fay@example.org', emailVerifiedAt: rig.clock.now() });
    expect((await rig.letter('fay@example.com')).text).toContain('fay');
    await visitor.open('default-user-settings-flow');
    await visitor.answer({ ...settings, name: 'Fay F.', email: 'fay@example.org' });
    visitor.expectEnd();
    expect(await isVerified('fay')).toBe(true);
  });

  it('a flow that asks for no proof takes the mark away with the address', async () => {
    await rig.user('gil', { emailVerified: true });
    const visitor = await rig.signIn('gil');
    await visitor.open('unproven');
    await visitor.answer({ email: 'GIL@example.com' });
    expect(await isVerified('gil')).toBe(true);
    await visitor.open('unproven');
    await visitor.answer({ email: 'gil@example.org' });
    expect(await rig.find('gil')).toMatchObject({ email: 'gil@example.org', emailVerifiedAt: null });
  });

  it('who only claims an address keeps nobody from proving it, nor from being found by it', async () => {
    for (const claim of [1, 2]) await signUp('default-enrollment-flow', `claims-${claim}`, 'hal@example.com');
    const visitor = await signUp('enrollment-verify-first', 'hal');
    await visitor.answer({ code: (await rig.proof('hal@example.com')).code });
    visitor.expectEnd();
    expect(await named('hal@example.com')).toBe('hal');
    const late = await signUp('default-enrollment-flow', 'claims-3', 'HAL@example.com');
    await late.open('default-email-verification');
    expect((await rig.letter('HAL@example.com')).headers.get('subject')).toBe(
      'You already have an account with Doorward',
    );
    expect([await isVerified('claims-3'), await named('hal@example.com')]).toEqual([false, 'hal']);
  });

  it('recovery of an account that claims somebody’s verified address takes that address from nobody', async () => {
    await rig.user('ida', { password, emailVerified: true });
    await rig.user('claims-ida', { email: 'ida@example.com' });
    const visitor = rig.visitor();
    await visitor.open('default-recovery-flow');
    await visitor.answer({ uid_field: 'claims-ida' });
    await visitor.answer({ code: (await rig.proof('ida@example.com')).code });
    await visitor.answer({ password: 'a brand new password', password_repeat: 'a brand new password' });
    visitor.expectEnd();
    expect([await isVerified('claims-ida'), await named('ida@example.com')]).toEqual([false, 'ida']);
  });

  it('W11c: programs say what they know: auth.users and trusted imports', async () => {
    const { users, flows: runs } = rig.auth;
    const jo = await rig.user('jo', { emailVerified: true });
    expect(jo.emailVerifiedAt).toBe(rig.clock.now());
    expect((await users.update(jo.id, { name: 'Jo' })).emailVerifiedAt).toBe(rig.clock.now());
    expect((await users.update(jo.id, { email: 'jo@example.org' })).emailVerifiedAt).toBeNull();
    const moved = await users.update(jo.id, { email: 'jo@example.net', emailVerified: true });
    expect(moved.emailVerifiedAt).toBe(rig.clock.now());
    for (const wrong of [{ email: '' }, { email: 'jo' }]) {
      const refused = users.update(jo.id, { ...wrong, emailVerified: true });
      await expect(refused).rejects.toMatchObject({ code: 'invalid_request' });
    }
    await expect(users.create({ username: 'kai', emailVerified: true })).rejects.toThrow(/no address/);
    await expect(users.create({ username: 'JO@example.net' })).rejects.toThrow(/username is already taken/);
    const prompt_data = { username: 'kim', email: 'kim@example.com', email_verified: true };
    expect(await runs.execute('import', { context: { prompt_data } })).toMatchObject({
      report: { discarded: [{ key: 'email_verified', reason: 'unknown' }] },
    });
    expect(await isVerified('kim')).toBe(false);
    const trusted = { context: { prompt_data: { ...prompt_data, username: 'kit' } }, trustedAddresses: true };
    expect(await runs.execute('import', trusted)).toMatchObject({ status: 'done', report: { discarded: [] } });
    expect(await isVerified('kit')).toBe(true);
    const sly = { context: { prompt_data, 'doorward/trusted_addresses': true } };
    await expect(runs.execute('import', sly)).rejects.toMatchObject({ code: 'invalid_request' });
  });
});
