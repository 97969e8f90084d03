import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { addCodes } from '../support/authenticator-rig.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { type MailRig, withMailOnBothDatabases } from '../support/mail-rig.ts';

const example = (name: string) => ({
  name: `${name}.yaml`,
  text: readFileSync(new URL(`../../examples/flows/${name}.yaml`, import.meta.url), 'utf8'),
});
const examples = ['enrollment-email-verification', 'enrollment-verify-first', 'sign-in-link'].map(example);
const password = 'correct horse battery';

async function signUp(rig: MailRig, flow: string, username: string) {
  const visitor = rig.visitor();
  await visitor.open(flow);
  await visitor.answer({
    ...{ username, name: 'Ada', email: `${username}@example.com`, password, password_repeat: password },
  });
  visitor.expectAsk('ak-stage-email');
  return visitor;
}

withMailOnBothDatabases('an account’s life', { blueprints: examples }, (rig) => {
  it('recovery: from the sign-in page, by mail, to a new password; the owner is told and other sessions end', async () => {
    await rig.user('ada');
    const elsewhere = await rig.signIn('ada');
    const visitor = rig.visitor();
    await visitor.open('default-authentication-flow');
    expect(visitor.challenge.recovery_url).toBe('/if/flow/default-recovery-flow/');
    await visitor.open('default-recovery-flow');
    await visitor.answer({ uid_field: 'ada@example.com' });
    const letter = await rig.letter('ada@example.com');
    expect(letter.headers.get('subject')).toBe('Set a new password for Doorward');
    await visitor.answer({ code: letter.code });
    visitor.expectAsk('ak-stage-prompt');
    await visitor.answer({ password: 'a brand new password', password_repeat: 'a brand new password' });
    visitor.expectEnd();
    expect([await visitor.whoAmI(), await elsewhere.whoAmI()]).toEqual(['ada', null]);
    expect((await rig.letter('ada@example.com')).text).toContain('the password of your account ada was changed');
  });

  it('authentik#18639: recovery asks for the second factor of who has one, and a mailbox alone is not enough', async () => {
    const setup = { designation: 'stage_configuration', authentication: 'require_authenticated' };
    await rig.auth.flows.apply([
      flowYaml({
        slug: 'codes-setup',
        attrs: setup,
        stages: [{ kind: 'authenticator_static', attrs: { token_count: 3 } }],
      }),
    ]);
    await rig.user('ida');
    const [code = ''] = await addCodes(await rig.signIn('ida'));
    await rig.visitor().open('default-recovery-flow');
    const visitor = rig.visitor();
    await visitor.open('default-recovery-flow');
    await visitor.answer({ uid_field: 'ida' });
    await visitor.answer({ code: (await rig.proof('ida@example.com')).code });
    visitor.expectAsk('ak-stage-authenticator-validate');
    await visitor.post({ component: 'ak-stage-prompt', password: 'a new password', password_repeat: 'a new password' });
    await visitor.open('default-recovery-flow');
    visitor.expectAsk('ak-stage-authenticator-validate');
    await visitor.answer({ code });
    visitor.expectAsk('ak-stage-prompt');
  });

  it('sign-up that verifies first writes nothing until the address is proven', async () => {
    const visitor = await signUp(rig, 'enrollment-verify-first', 'bea');
    expect(await rig.find('bea')).toBeNull();
    await rig.follow(await rig.letter('bea@example.com'));
    expect(await rig.find('bea')).toMatchObject({ email: 'bea@example.com', isActive: true });
    await visitor.open('enrollment-verify-first');
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe('bea');
  });

  it('sign-up with a sleeping account: nobody signs in with it before its address is proven', async () => {
    const visitor = await signUp(rig, 'enrollment-email-verification', 'cleo');
    const other = rig.visitor();
    await other.open('default-authentication-flow');
    await other.answer({ uid_field: 'cleo' });
    await other.answer({ password });
    other.expectProblem('password', 'invalid');
    await visitor.answer({ code: (await rig.letter('cleo@example.com')).code });
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe('cleo');
  });

  it('a sign-up whose browser is gone is still confirmed from the message', async () => {
    await signUp(rig, 'enrollment-verify-first', 'dora');
    const phone = await rig.follow(await rig.letter('dora@example.com'));
    phone.expectAsk('xak-flow-shell');
    const later = rig.visitor();
    await later.open('default-authentication-flow');
    await later.answer({ uid_field: 'dora' });
    await later.answer({ password });
    later.expectEnd();
  });

  it('signs in by a link, on the device that opens it', async () => {
    await rig.user('eva');
    const visitor = rig.visitor();
    await visitor.open('sign-in-link');
    await visitor.answer({ uid_field: 'eva@example.com' });
    const letter = await rig.letter('eva@example.com');
    expect(letter.headers.get('subject')).toBe('Sign in to Doorward');
    const phone = await rig.follow(letter);
    phone.expectEnd();
    expect([await phone.whoAmI(), await visitor.whoAmI()]).toEqual(['eva', null]);
  });

  it('UD-2: leaving takes the password and a click; session and account end, and the owner is told', async () => {
    const user = await rig.user('fay');
    const visitor = await rig.signIn('fay');
    await visitor.open('default-unenrollment-flow');
    await visitor.answer({ password: 'not hers' });
    visitor.expectProblem('password', 'invalid');
    await visitor.answer({ password: 'fay password' });
    const { header_text, action } = visitor.expectAsk('ak-stage-consent');
    expect(header_text).toContain('Delete the account fay');
    expect(action).toBe('Delete the account');
    expect(await rig.auth.users.get({ pk: user.id })).not.toBeNull();
    await visitor.answer();
    visitor.expectEnd();
    expect([await visitor.whoAmI(), await rig.auth.users.get({ pk: user.id })]).toEqual([null, null]);
    expect((await rig.letter('fay@example.com')).headers.get('subject')).toBe('Your account with Doorward was deleted');
  });

  it('UD-1: who was only named is not deleted', async () => {
    const identification = { kind: 'identification', attrs: { user_fields: ['username'] } };
    await rig.auth.flows.apply([
      flowYaml({
        slug: 'delete-anybody',
        attrs: { designation: 'unenrollment' },
        stages: [identification, { kind: 'user_delete', attrs: { confirmation: false } }],
      }),
    ]);
    const user = await rig.user('gwen');
    for (const uid_field of ['gwen', 'nobody']) {
      const visitor = rig.visitor();
      await visitor.open('delete-anybody');
      await visitor.answer({ uid_field });
      visitor.expectDenied('There is no account here that you can delete.');
    }
    expect(await rig.auth.users.get({ pk: user.id })).not.toBeNull();
  });

  it('the profile’s address changes when the new one is proven; the rest of a form waits with it', async () => {
    const user = await rig.user('hal', { name: 'Hal' });
    const visitor = await rig.signIn('hal');
    await visitor.open('default-user-settings-flow');
    await visitor.answer({
      username: 'hal',
      name: 'Hal H',
      email: 'hal@example.com',
      'attributes.settings.locale': '',
    });
    visitor.expectEnd();
    await visitor.open('default-user-settings-flow');
    await visitor.answer({ username: 'hal', name: 'Hal', email: 'hal@new.example', 'attributes.settings.locale': '' });
    visitor.expectAsk('ak-stage-email');
    expect(await rig.auth.users.get({ pk: user.id })).toMatchObject({ name: 'Hal H', email: 'hal@example.com' });
    await visitor.answer({ code: (await rig.letter('hal@new.example')).code });
    visitor.expectEnd();
    expect(await rig.auth.users.get({ pk: user.id })).toMatchObject({ name: 'Hal', email: 'hal@new.example' });
    expect((await rig.letter('hal@example.com')).text).toContain('messages go to the new address');
  });
});
