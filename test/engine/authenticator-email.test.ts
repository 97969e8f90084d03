import { beforeAll, expect, it } from 'vitest';
import type { JsonObject } from '../../src/kernel/json.ts';
import type { Visitor } from '../../src/testing/rig.ts';
import { identify, offered, password, validate } from '../support/authenticator-rig.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { type MailRig, withMailOnBothDatabases } from '../support/mail-rig.ts';

const setup = { designation: 'stage_configuration', authentication: 'require_authenticated' };
const login = { kind: 'user_login' };
const flows = [
  flowYaml({ slug: 'mail-setup', attrs: setup, stages: [{ kind: 'authenticator_email' }] }),
  flowYaml({
    slug: 'two-steps',
    attrs: { designation: 'authentication' },
    stages: [identify, password, validate(), login],
  }),
];

/** Codes by mail for the user's own address. */
async function setUp(rig: MailRig, username: string): Promise<void> {
  await rig.user(username);
  const visitor = await rig.signIn(username);
  await visitor.open('mail-setup');
  const { code } = await rig.proof(`${username}@example.com`);
  await visitor.answer({ code });
  visitor.expectEnd();
}

async function atSecondStep(rig: MailRig, username: string, address = '192.0.2.1'): Promise<Visitor> {
  const visitor = rig.visitor({ address });
  await visitor.open('two-steps');
  await visitor.answer({ uid_field: username });
  await visitor.answer({ password: `${username} password` });
  visitor.expectAsk('ak-stage-authenticator-validate');
  return visitor;
}

/** Asks for a code, and reads it. */
async function sent(rig: MailRig, visitor: Visitor, username: string): Promise<string> {
  const { device_class, device_uid } = offered(visitor.challenge).email ?? {};
  await visitor.answer({ selected_challenge: { device_class, device_uid } as JsonObject });
  return (await rig.proof(`${username}@example.com`)).code;
}

withMailOnBothDatabases('codes by mail', {}, (rig) => {
  beforeAll(() => rig.auth.flows.apply(flows));

  it('are set up by one that was sent to the user’s address (AE-3, AE-7), once (AE-1); a wrong code is a problem (AE-5)', async () => {
    await rig.user('sets-up');
    const visitor = await rig.signIn('sets-up');
    await visitor.open('mail-setup');
    expect(visitor.expectAsk('ak-stage-authenticator-email')).toMatchObject({
      email: 's…@example.com',
      email_required: false,
      pending_user: 'sets-up',
    });
    const letter = await rig.proof('sets-up@example.com');
    expect([letter.headers.get('subject'), letter.link]).toEqual(['Your code for Doorward', '']);
    await visitor.answer({ code: letter.code === '000000' ? '000001' : '000000' });
    visitor.expectProblem('non_field_errors', 'invalid');
    // Clients that make a number of it lose the zeros in front (AE-2).
    await visitor.answer({ code: Number(letter.code) });
    visitor.expectEnd();
    await visitor.open('mail-setup');
    visitor.expectDenied('Codes by email are set up already.');
  });

  it('ask for an address where none is known (AE-6), and do not tell whether somebody uses it (AE-4); another code makes the older one void', async () => {
    await rig.user('no-address', { email: '' });
    const visitor = await rig.signIn('no-address');
    expect(await visitor.open('mail-setup')).toMatchObject({ email: null, email_required: true });
    await visitor.answer({});
    visitor.expectProblem('non_field_errors', 'required');
    await visitor.answer({ email: 'no address' });
    visitor.expectProblem('email', 'invalid');
    await visitor.answer({ email: 'elsewhere@example.com' });
    const older = await rig.proof('elsewhere@example.com');
    await visitor.answer({ resend: true });
    const newer = await rig.proof('elsewhere@example.com');
    if (older.code !== newer.code) {
      await visitor.answer({ code: older.code });
      visitor.expectProblem('non_field_errors', 'invalid');
    }
    await visitor.answer({ code: newer.code });
    visitor.expectEnd();
    await rig.user('same-address', { email: '' });
    const other = await rig.signIn('same-address');
    await other.open('mail-setup');
    await other.answer({ email: 'elsewhere@example.com' });
    await other.answer({ code: (await rig.proof('elsewhere@example.com')).code });
    other.expectEnd();
  });

  it('are asked for at the second step: sent when chosen, good once, in their own run (AV-4)', async () => {
    await setUp(rig, 'chooses');
    const before = await rig.messages();
    const visitor = await atSecondStep(rig, 'chooses');
    expect(await rig.messages()).toBe(before);
    expect(offered(visitor.challenge).email).toMatchObject({ challenge: { email: 'c…@example.com' } });
    const code = await sent(rig, visitor, 'chooses');
    const thief = await atSecondStep(rig, 'chooses');
    await thief.answer({ code });
    thief.expectProblem('code', 'invalid');
    await visitor.answer({ code });
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe('chooses');
    await thief.answer({ code });
    thief.expectProblem('code', 'invalid');
  });

  it('expire, and guessing is counted', async () => {
    await setUp(rig, 'expires');
    const visitor = await atSecondStep(rig, 'expires');
    const code = await sent(rig, visitor, 'expires');
    rig.clock.advance(31 * 60_000);
    await visitor.answer({ code });
    visitor.expectProblem('code', 'invalid');
    const wrong = (await sent(rig, visitor, 'expires')) === '000000' ? '111111' : '000000';
    for (let time = 0; time < 4; time += 1) await visitor.answer({ code: wrong });
    visitor.expectDenied();
    expect(await visitor.whoAmI()).toBeNull();
  });

  it('do not flood: so many in five minutes', async () => {
    await setUp(rig, 'flooded');
    const visitor = await atSecondStep(rig, 'flooded');
    for (let time = 0; time < 4; time += 1) await sent(rig, visitor, 'flooded');
    const { device_class, device_uid } = offered(visitor.challenge).email ?? {};
    await visitor.answer({ selected_challenge: { device_class, device_uid } as JsonObject });
    visitor.expectDenied();
    rig.clock.advance(6 * 60_000);
  });

  it('work without JavaScript, by a button that sends the code', async () => {
    await setUp(rig, 'no-script');
    const visitor = await atSecondStep(rig, 'no-script');
    const page = await (await visitor.request('/if/flow/two-steps/')).text();
    const value = /name="selected_challenge" value="([^"]+)"/.exec(page)?.[1]?.replaceAll('&quot;', '"') ?? '';
    await visitor.answer({ selected_challenge: value });
    const { code } = await rig.proof('no-script@example.com');
    await visitor.answer({ code });
    expect(await visitor.whoAmI()).toBe('no-script');
  });
});
