import { expect, it } from 'vitest';
import type { Visitor } from '../../src/testing/rig.ts';
import { dummy, field, login, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';

const always = write({ user_creation_mode: 'always_create' });
const username = field('username', { type: 'username', required: true });
const password = field('password', { type: 'password', required: true });
const repeated = field('password_repeat', { type: 'password', required: true });

/* W28, W31 to W33: back to the prompt that asked, with the problem on the field, the other answers kept. */
onBothDatabases('back to the prompt', (rig) => {
  it('W32 a username taken meanwhile: asked again alone, the rest stays, and the visitor can finish', async () => {
    await rig.flow('w32', [promptFor(username, 'name', password, repeated), dummy, always, login]);
    const visitor = rig.visitor();
    await visitor.open('w32');
    await visitor.answer({
      username: 'w32',
      name: 'Ada',
      password: 'a good password',
      password_repeat: 'a good password',
    });
    visitor.expectAsk('ak-stage-dummy');
    await rig.user('W32');
    await visitor.answer();
    visitor.expectProblem('username', 'unique');
    expect(shown(visitor)).toEqual({ username: ['username', 'w32'], name: ['text_read_only', 'Ada'] });
    expect(JSON.stringify(visitor.challenge)).not.toContain('a good password');
    await visitor.open('w32');
    visitor.expectProblem('username', 'unique');
    await visitor.answer({ username: 'w32 free', name: 'Mallory', password: 'another password' });
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe('w32 free');
    expect(await rig.find('w32 free')).toMatchObject({ name: 'Ada' });
    await signsIn('w32 free', 'a good password');
  });

  it('W32 a race lost in the commit: one user, the others are asked for another name, and all can finish', async () => {
    await rig.flow('w32-race', [promptFor(username, password), always, login]);
    const visitors = Array.from({ length: 8 }, () => rig.visitor());
    await Promise.all(visitors.map((visitor) => visitor.open('w32-race')));
    const answers = await Promise.all(
      visitors.map((visitor) => visitor.answer({ username: 'racer', password: 'a good password' })),
    );
    expect(answers.filter(({ component }) => component === 'xak-flow-redirect')).toHaveLength(1);
    expect(await rig.usernames('racer')).toEqual(['racer']);
    expect(await rig.events('user_write', 'racer')).toHaveLength(1);
    const losers = visitors.filter(({ challenge }) => challenge.component === 'ak-stage-prompt');
    expect(losers).toHaveLength(7);
    for (const [index, visitor] of losers.entries()) {
      visitor.expectProblem('username', 'unique');
      const isAskedAgain = Object.hasOwn(shown(visitor), 'password');
      await visitor.answer({ username: `racer ${index}`, ...(isAskedAgain ? { password: 'a good password' } : {}) });
      visitor.expectEnd();
      expect(await visitor.whoAmI()).toBe(`racer ${index}`);
    }
    expect(await rig.usernames('racer')).toHaveLength(8);
  });

  it('W32 over two prompts: only the one that asked for the username comes again, and no stage runs twice', async () => {
    await rig.flow('w32-two', [
      promptFor(username, 'name'),
      rig.probe('w32-between'),
      promptFor(password, repeated),
      always,
      login,
    ]);
    const visitor = rig.visitor();
    await visitor.open('w32-two');
    await visitor.answer({ username: 'w32 two', name: 'Grace' });
    await visitor.answer();
    await rig.user('w32 two');
    await visitor.answer({ password: 'a good password', password_repeat: 'a good password' });
    visitor.expectProblem('username', 'unique');
    expect(Object.keys(shown(visitor))).toEqual(['username', 'name']);
    await visitor.answer({ username: 'w32 two' });
    visitor.expectProblem('username', 'unique');
    await visitor.answer({ username: 'w32 two free' });
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe('w32 two free');
    expect(await rig.find('w32 two free')).toMatchObject({ name: 'Grace' });
    await signsIn('w32 two free', 'a good password');
    expect(rig.visits.filter((visit) => visit === 'w32-between entered')).toHaveLength(1);
  });

  it('W32 doubled answers to the revised prompt are one answer', async () => {
    await rig.flow('w32-doubled', [promptFor(username), dummy, always]);
    const visitor = rig.visitor();
    await visitor.open('w32-doubled');
    await visitor.answer({ username: 'w32 doubled' });
    await rig.user('w32 doubled');
    const { step } = visitor;
    const clicks = await Promise.all([1, 2, 3].map(() => visitor.clone().post({ component: 'ak-stage-dummy' }, step)));
    for (const click of clicks)
      expect(await click.json()).toMatchObject({ response_errors: { username: [{ code: 'unique' }] } });
    await visitor.open('w32-doubled');
    const body = { component: 'ak-stage-prompt', username: 'w32 doubled free' };
    const token = visitor.step;
    const ends = await Promise.all([1, 2, 3].map(async () => (await visitor.clone().post(body, token)).json()));
    expect(ends).toEqual(Array(3).fill({ component: 'xak-flow-redirect', to: '/' }));
    expect(await rig.usernames('w32 doubled')).toEqual(['w32 doubled', 'w32 doubled free']);
  });

  it('W32 nobody asked for the username: denied, and nothing is written', async () => {
    await rig.user('w32 fixed');
    await rig.flow('w32-fixed', [
      promptFor('name'),
      rig.probe('w32-fixed', { enter: () => prompted('username', 'w32 fixed') }),
      always,
    ]);
    const visitor = rig.visitor();
    await visitor.open('w32-fixed');
    await visitor.answer({ name: 'Nobody' });
    visitor.expectDenied('Failed to update user. Please try again later.');
    expect(await rig.usernames('w32 fixed')).toEqual(['w32 fixed']);
  });

  it('W33 a value that is too long comes again with max_length, and can be mended', async () => {
    await rig.flow('w33', [promptFor('username', 'email', 'name'), always]);
    const visitor = rig.visitor();
    await visitor.open('w33');
    await visitor.answer({ username: 'w33', email: `${'m'.repeat(250)}@example.com`, name: 'Long' });
    visitor.expectProblem('email', 'max_length');
    await visitor.answer({ email: 'short@example.com' });
    visitor.expectEnd();
    expect(await rig.find('w33')).toMatchObject({ email: 'short@example.com', name: 'Long' });
    await visitor.open('w33');
    await visitor.answer({ username: 'ü'.repeat(151), email: `${'m'.repeat(250)}@example.com` });
    visitor.expectProblem('username', 'max_length');
    visitor.expectProblem('email', 'max_length');
    await visitor.answer({ username: '🦊'.repeat(150), email: '' });
    visitor.expectEnd();
    expect(await rig.find('🦊'.repeat(150))).toMatchObject({ email: '' });
  });

  it('W28 a blank username comes again with blank; where nobody asked it is denied', async () => {
    const optional = field('username', { required: false });
    await rig.flow('w28', [promptFor(optional, 'name'), always]);
    const visitor = rig.visitor();
    await visitor.open('w28');
    await visitor.answer({ username: '', name: 'Blank' });
    visitor.expectProblem('username', 'blank');
    await visitor.answer({ username: 'w28' });
    visitor.expectEnd();
    expect(await rig.find('w28')).toMatchObject({ name: 'Blank' });
    await rig.flow('w28-unasked', [promptFor('name'), always]);
    await visitor.open('w28-unasked');
    await visitor.answer({ name: 'Blank' });
    visitor.expectDenied('A username is required.');
  });

  it('W31 a value that somebody else changed meanwhile comes again with conflict; another field of theirs survives', async () => {
    const user = await rig.user('w31', { name: 'Old', email: 'old@example.com' });
    await rig.flow('w31', [promptFor('name'), dummy, write({ user_creation_mode: 'never_create' })]);
    const visitor = await rig.signedIn('w31');
    await visitor.open('w31');
    await visitor.answer({ name: 'Mine' });
    await rig.auth.users.update(user.id, { name: 'Theirs', email: 'theirs@example.com' });
    await visitor.answer();
    visitor.expectProblem('name', 'conflict');
    await visitor.answer({ name: 'Agreed' });
    visitor.expectEnd();
    expect(await rig.find('w31')).toMatchObject({ name: 'Agreed', email: 'theirs@example.com' });
  });

  it('W31 twenty edits at once of different fields: none is lost', async () => {
    await rig.user('w31 many');
    const keys = Array.from({ length: 20 }, (_, index) => `attributes.f${index}`);
    for (const key of keys)
      await rig.flow(key.replace('.', '-'), [promptFor(key), write({ user_creation_mode: 'never_create' })]);
    const visitors = await Promise.all(keys.map(() => rig.signedIn('w31 many')));
    await Promise.all(visitors.map((visitor, index) => visitor.open((keys[index] ?? '').replace('.', '-'))));
    await Promise.all(visitors.map((visitor, index) => visitor.answer({ [keys[index] ?? '']: `v${index}` })));
    for (const visitor of visitors) visitor.expectEnd();
    const attributes = (await rig.find('w31 many'))?.attributes ?? {};
    expect(Object.keys(attributes).sort()).toEqual(keys.map((key) => key.slice(11)).sort());
  });

  async function signsIn(uid_field: string, typed: string): Promise<void> {
    const visitor = rig.visitor();
    await visitor.open('default-authentication-flow');
    await visitor.answer({ uid_field });
    await visitor.answer({ password: typed });
    visitor.expectEnd();
  }
});

function prompted(key: string, value: string) {
  return { kind: 'pass', context: { prompt_data: [[key, value]] } } as const;
}

/** Type and value of each field shown. */
function shown(visitor: Visitor): Record<string, readonly [unknown, unknown]> {
  const fields = visitor.expectAsk('ak-stage-prompt').fields as readonly Record<string, unknown>[];
  return Object.fromEntries(
    fields.map(({ field_key, type, initial_value }) => [String(field_key), [type, initial_value]]),
  );
}
