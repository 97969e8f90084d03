import { expect, it } from 'vitest';
import type { Outcome } from '../../src/engine/stage.ts';
import type { JsonObject } from '../../src/kernel/json.ts';
import { field, groupPolicy, login, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';

const failed = 'Failed to update user. Please try again later.';
const connectionKey = 'goauthentik.io/sources/connection';

/* The reference's tests of the stage, by their names (flow-engine.md 8), over the whole way. */
onBothDatabases('the user write stage', (rig) => {
  it('user_create: columns, password, groups of stage and context, connection; one event', async () => {
    await rig.auth.groups.create({ name: 'test-group' });
    await rig.auth.groups.create({ name: 'other-group' });
    const context = {
      groups: ['other-group'],
      [connectionKey]: { source: 'test-source', identifier: 'id-1', isNew: true },
    };
    const source = rig.probe('source', { enter: () => ({ kind: 'pass', context }) });
    const fields = ['username', 'name', 'email', field('password', { type: 'password' })];
    const attrs = { create_users_group: groupPolicy('test-group').group };
    await rig.flow('create', [promptFor(...fields), source, write(attrs), login]);
    const visitor = rig.visitor();
    await visitor.open('create');
    await visitor.answer({ username: 'test-user', name: 'name', email: 'test@example.com', password: 'test-password' });
    visitor.expectEnd();
    const user = await rig.find('test-user');
    expect(user).toMatchObject({ name: 'name', email: 'test@example.com', isActive: true, type: 'external' });
    expect(user?.attributes).toEqual({ 'goauthentik.io/user/sources': ['test-source'] });
    const groups = await rig.store.read.groupsOf(user?.id ?? 0);
    expect(groups.map(({ name }) => name)).toEqual(['other-group', 'test-group']);
    const [event, ...others] = await rig.events('user_write', 'test-user');
    expect(others).toEqual([]);
    expect(JSON.stringify(event)).not.toContain('test-password');
    const back = rig.visitor();
    await back.open('default-authentication-flow');
    await back.answer({ uid_field: 'test@example.com' });
    await back.answer({ password: 'test-password' });
    expect(await back.whoAmI()).toBe('test-user');
  });

  it('create_users_as_inactive: the user is made, and cannot sign in', async () => {
    await rig.flow('create-inactive', [promptFor('username'), write({ create_users_as_inactive: true }), login]);
    const visitor = rig.visitor();
    await visitor.open('create-inactive');
    await visitor.answer({ username: 'made inactive' });
    visitor.expectDenied('Unknown error');
    expect(await visitor.whoAmI()).toBeNull();
    expect(await rig.find('made inactive')).toMatchObject({ isActive: false });
  });

  it('user_update: attributes by path, password, unknown keys ignored', async () => {
    await rig.user('to update', { attributes: { some: { other: 1 } } });
    const fields = ['attributes.some.custom-attribute', 'attributes_foo', 'some_ignored_attribute'];
    await rig.flow('update', [
      promptFor(...fields, field('password', { type: 'password' })),
      write({ user_creation_mode: 'never_create' }),
    ]);
    const visitor = await rig.signedIn('to update');
    await visitor.open('update');
    await visitor.answer({
      'attributes.some.custom-attribute': 'test',
      attributes_foo: 'bar',
      some_ignored_attribute: 'bar',
      password: 'another password',
    });
    visitor.expectEnd();
    expect((await rig.find('to update'))?.attributes).toEqual({
      some: { other: 1, 'custom-attribute': 'test' },
      foo: 'bar',
    });
    const back = rig.visitor();
    await back.open('default-authentication-flow');
    await back.answer({ uid_field: 'to update' });
    await back.answer({ password: 'another password' });
    back.expectEnd();
  });

  it('user_update_source: a source that is listed already is not listed twice', async () => {
    await rig.user('of a source', { attributes: { 'goauthentik.io/user/sources': ['test-source'] } });
    const context = { [connectionKey]: { source: 'test-source', identifier: 'id-2', isNew: false } };
    const source = rig.probe('known source', { enter: () => ({ kind: 'pass', context }) });
    await rig.flow('update-source', [promptFor('name'), source, write()]);
    const visitor = await rig.signedIn('of a source');
    await visitor.open('update-source');
    await visitor.answer({ name: 'Sourced' });
    visitor.expectEnd();
    expect(await rig.find('of a source')).toMatchObject({
      name: 'Sourced',
      attributes: { 'goauthentik.io/user/sources': ['test-source'] },
    });
  });

  it('without_data: denied', async () => {
    await rig.flow('no-data', [write()]);
    const visitor = rig.visitor();
    await visitor.open('no-data');
    visitor.expectDenied('No Pending data.');
  });

  it('authenticated_no_user: who is signed in is the pending user', async () => {
    await rig.user('before renaming');
    await rig.flow('rename', [promptFor('username'), write()]);
    const visitor = await rig.signedIn('before renaming');
    await visitor.open('rename');
    await visitor.answer({ username: 'after renaming' });
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe('after renaming');
    expect(await rig.find('before renaming')).toBeNull();
  });

  it('no_create: never_create with nobody there is denied', async () => {
    await rig.flow('no-create', [promptFor('username'), write({ user_creation_mode: 'never_create' })]);
    const visitor = rig.visitor();
    await visitor.open('no-create');
    await visitor.answer({ username: 'never made' });
    visitor.expectDenied("No user found and can't create new user.");
    expect(await rig.find('never made')).toBeNull();
  });

  it('write_attribute: overwrites, adds, and leaves the rest', async () => {
    await rig.user('attributed', { attributes: { foo: 'bar', baz: { qwer: 'quux' } } });
    await rig.flow('attributes', [promptFor('attributes.foo', 'attributes.foob.bar'), write()]);
    const visitor = await rig.signedIn('attributed');
    await visitor.open('attributes');
    await visitor.answer({ 'attributes.foo': 'baz', 'attributes.foob.bar': 'qux' });
    visitor.expectEnd();
    expect((await rig.find('attributed'))?.attributes).toEqual({
      foo: 'baz',
      baz: { qwer: 'quux' },
      foob: { bar: 'qux' },
    });
  });

  it('no change: the row stays as it was, and the event is there all the same', async () => {
    const before = await rig.user('unchanged', { name: 'Same', attributes: { a: { b: '1' } } });
    await rig.flow('no-change', [promptFor('name', 'attributes.a.b'), write()]);
    const visitor = await rig.signedIn('unchanged');
    const { version, lastUpdated } = (await rig.find('unchanged')) ?? before;
    await visitor.open('no-change');
    await visitor.answer({ name: 'Same', 'attributes.a.b': '1' });
    visitor.expectEnd();
    expect(await rig.find('unchanged')).toMatchObject({
      version,
      lastUpdated,
      name: 'Same',
      attributes: { a: { b: '1' } },
    });
    const [event] = await rig.events('user_write', 'unchanged');
    expect(event?.context).toMatchObject({ created: false, written: [{ key: 'name' }, { key: 'attributes.a.b' }] });
  });

  it.each([
    ['blank_username', '', 'A username is required.'],
    ['duplicate_data', 'Test-User', failed],
  ])('%s: denied where no prompt asked, and nothing is written', async (name, username, said) => {
    const prompt_data = { username, name: 'name', 'attributes.some.custom-attribute': 'test' };
    const given = rig.probe(name, {
      enter: () => ({ kind: 'pass', context: { prompt_data: Object.entries(prompt_data) } }),
    });
    await rig.flow(name.replace('_', '-'), [given, write({ user_creation_mode: 'always_create' }), login]);
    const visitor = rig.visitor();
    const [users, events] = [await rig.usernames(''), await rig.events('user_write')];
    await visitor.open(name.replace('_', '-'));
    visitor.expectDenied(said);
    expect(await visitor.whoAmI()).toBeNull();
    expect([await rig.usernames(''), await rig.events('user_write')]).toEqual([users, events]);
  });

  it('W16, W41 a refusal writes nothing and obeys the binding: restart begins again', async () => {
    await rig.user('refused', { attributes: { a: 'text' } });
    for (const action of ['retry', 'restart', 'restart_with_context'])
      await rig.flow(`refused-${action}`, [
        promptFor('name', 'attributes.a.b'),
        write({}, { invalid_response_action: action }),
      ]);
    const visitor = await rig.signedIn('refused');
    const answer = { name: 'Not written', 'attributes.a.b': 'x' };
    await visitor.open('refused-retry');
    await visitor.answer(answer);
    visitor.expectDenied(failed);
    for (const action of ['restart', 'restart_with_context']) {
      await visitor.open(`refused-${action}`);
      await visitor.answer(answer);
      visitor.expectAsk('ak-stage-prompt');
    }
    expect(await rig.find('refused')).toMatchObject({ name: '', attributes: { a: 'text' } });
  });

  it.each(['restart', 'restart_with_context'])(
    'W34 a flow that begins again after its write (%s) writes to the user it made, and makes no second one',
    async (action) => {
      const answer = async (_: unknown, { good }: JsonObject): Promise<Outcome> =>
        good === true ? { kind: 'pass' } : { kind: 'deny', message: 'No.' };
      const judged = rig.probe(action, { answer }, { binding: { invalid_response_action: action } });
      const typed = field('password', { type: 'password' });
      await rig.flow(`w34-${action}`, [
        promptFor(field('username', { type: 'username' }), 'name', typed),
        write({ user_creation_mode: 'always_create' }),
        judged,
        login,
      ]);
      const visitor = rig.visitor();
      await visitor.open(`w34-${action}`);
      const username = `w34 ${action}`;
      for (const name of ['First', 'Second']) {
        await visitor.answer({ username, name, password: `the ${name} password` });
        visitor.expectAsk('ak-stage-own-probe');
        await visitor.answer({ good: false });
        visitor.expectAsk('ak-stage-prompt');
      }
      await visitor.answer({ username: `${username} renamed`, name: 'Third', password: 'the third password' });
      await visitor.answer({ good: true });
      visitor.expectEnd();
      expect(await visitor.whoAmI()).toBe(`${username} renamed`);
      expect(await rig.usernames(username)).toEqual([`${username} renamed`]);
      const user = await rig.find(`${username} renamed`);
      expect(user).toMatchObject({ name: 'Third' });
      expect(await rig.store.read.passwordHash(user?.id ?? 0)).toBe('plain:the third password');
      const written = (await rig.events('user_write')).filter(({ user: about }) => about?.pk === user?.id);
      expect(written.map(({ context }) => context.created)).toEqual([false, false, true]);
    },
  );

  it('W29 a connection that is somebody else’s by now: denied, and neither user nor event is left', async () => {
    const link = { source: 'shared', identifier: 'same', isNew: true };
    const source = rig.probe('shared source', { enter: () => ({ kind: 'pass', context: { [connectionKey]: link } }) });
    await rig.flow('linked', [promptFor('username'), source, write({ user_creation_mode: 'always_create' })]);
    for (const [username, end] of [
      ['linked one', true],
      ['linked two', false],
    ] as const) {
      const visitor = rig.visitor();
      await visitor.open('linked');
      await visitor.answer({ username });
      if (end) visitor.expectEnd();
      else visitor.expectDenied(failed);
    }
    expect(await rig.usernames('linked')).toEqual(['linked one']);
    expect(await rig.events('user_write', 'linked two')).toEqual([]);
  });

  it('W8 a stand-in for nobody: passes, writes nothing, and does not sign in', async () => {
    const identification = { kind: 'identification', attrs: { user_fields: ['username'] } };
    await rig.flow('decoy-write', [
      identification,
      promptFor('name'),
      write({ user_creation_mode: 'never_create' }),
      login,
    ]);
    const visitor = rig.visitor();
    await visitor.open('decoy-write');
    await visitor.answer({ uid_field: 'nobody of this name' });
    await visitor.answer({ name: 'Nobody' });
    visitor.expectDenied('Unknown error');
    expect(await rig.find('nobody of this name')).toBeNull();
  });
});
