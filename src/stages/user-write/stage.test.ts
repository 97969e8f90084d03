import { describe, expect, test } from 'vitest';
import { runUserWrite, testGroup } from '../../../test/support/user-write-rig.ts';
import { inbuiltBackend } from '../../engine/plan-context.ts';
import { type DeskOptions, deskFor, deskTime, testUser } from '../../testing/desk.ts';
import { userWrite } from './stage.ts';

const ada = testUser({ id: 1, username: 'ada', name: 'Ada', email: 'ada@example.com', attributes: { a: 1 } });
const bob = testUser({ id: 2, username: 'bob', name: 'Bob' });
const generic = 'Failed to update user. Please try again later.';
const newUser = { username: 'new', name: 'New' };

/** Ada is signed in, and Bob exists too. */
const signedIn: DeskOptions = { users: [ada, bob], visitor: { user: ada } };

describe('W1: without collected data', () => {
  test.each([
    ['absent', {}],
    ['null', { prompt_data: null }],
    ['text', { prompt_data: 'x' }],
    ['a list', { prompt_data: ['x'] }],
    ['absent, for a stand-in', { pending_user: { decoy: true, typed: 'x' } } as const],
  ])('%s: denied', async (_name, context) => {
    expect((await runUserWrite({ ...signedIn, context })).message).toBe('No Pending data.');
  });

  test('empty data of an existing user is a write that changes nothing', async () => {
    const { outcome, accounts } = await runUserWrite({ ...signedIn, context: { prompt_data: [] } });
    expect(outcome.kind).toBe('pass');
    expect(accounts.users).toEqual([ada, bob]);
  });
});

describe('whom a write is about', () => {
  test.each([
    [{}, 'users'],
    [{ user_path: '' }, 'users'],
    [{ user_path: '/a//b/' }, '/a//b/'],
  ])('W2: with %j a new user has the path %s', async (context, path) => {
    const { accounts } = await runUserWrite({ context: { ...context, prompt_data: newUser } });
    expect(accounts.user('new')?.path).toBe(path);
  });

  test('W2: the stage names the path where the context does not', async () => {
    const config = { user_path_template: 'staff' };
    const { accounts } = await runUserWrite({ config, context: { prompt_data: newUser } });
    expect(accounts.user('new')?.path).toBe('staff');
  });

  test.each([null, 1, ['x'], 'a\0'])('W2: a path of %j is refused', async (path) => {
    const { message, accounts } = await runUserWrite({ context: { user_path: path, prompt_data: newUser } });
    expect(message).toBe(generic);
    expect(accounts.users).toEqual([]);
  });

  test.each([
    ['external', {}, 'external'],
    ['internal', { user_type: 'external' }, 'external'],
    ['internal', { user_type: 'bogus' }, 'internal'],
    ['internal', { user_type: null }, 'internal'],
    ['internal_service_account', {}, 'service_account'],
    ['internal', { user_type: 'internal_service_account' }, 'service_account'],
  ])('W3: a stage of type %s and %j make a user of type %s', async (type, context, made) => {
    const { accounts } = await runUserWrite({
      config: { user_type: type },
      context: { ...context, prompt_data: newUser },
    });
    expect(accounts.user('new')?.type).toBe(made);
  });

  test('W4: the signed-in visitor, or whom they are acted as by, is the pending user', async () => {
    const context = { prompt_data: { name: 'Countess' } };
    const { accounts, outcome } = await runUserWrite({ ...signedIn, context });
    expect(accounts.user('ada')?.name).toBe('Countess');
    expect(outcome).toMatchObject({ context: { pending_user: { ref: 1 } } });
    const impersonating = { users: [ada, bob], visitor: { user: ada, impersonator: bob } };
    expect((await runUserWrite({ ...impersonating, context })).accounts.user('ada')?.name).toBe('Countess');
  });

  test('W4: a pending user comes before the visitor', async () => {
    const context = { pending_user: { ref: 2 }, prompt_data: { name: 'Robert' } };
    const { accounts } = await runUserWrite({ ...signedIn, context });
    expect(accounts.users.map(({ name }) => name)).toEqual(['Ada', 'Robert']);
  });

  test('W5: nobody pending makes a user, and always_create does so for the signed-in too', async () => {
    const context = { prompt_data: newUser };
    const anonymous = await runUserWrite({ context });
    expect(anonymous.report).toMatchObject({ created: true, user: { username: 'new' } });
    expect(anonymous.outcome).toMatchObject({ context: { user_backend: inbuiltBackend } });
    const config = { user_creation_mode: 'always_create' };
    const always = await runUserWrite({ ...signedIn, config, context: { ...context, pending_user: { ref: 2 } } });
    expect(always.report?.created).toBe(true);
    expect(always.accounts.users.slice(0, 2)).toEqual([ada, bob]);
  });

  test('W34: at the place where this run made a user before, that one is written; at another place, a new one', async () => {
    const made = { 'binding-pk': 2 };
    const context = { prompt_data: { username: 'bob', name: 'Robert' }, 'doorward/made': made };
    const config = { user_creation_mode: 'always_create' };
    const again = await runUserWrite({ ...signedIn, config, context });
    expect(again.report).toMatchObject({ created: false, user: { pk: 2 } });
    expect(again.outcome).toMatchObject({ context: { pending_user: { ref: 2 }, user_backend: inbuiltBackend } });
    expect(again.accounts.user('bob')?.name).toBe('Robert');
    const elsewhere = { prompt_data: newUser, 'doorward/made': { another: 2 } };
    const other = await runUserWrite({ ...signedIn, config, context: elsewhere });
    expect(other.report?.created).toBe(true);
    const both = { another: 2, 'binding-pk': other.accounts.user('new')?.id };
    expect(other.outcome).toMatchObject({ context: { 'doorward/made': both } });
    const gone = { ...context, 'doorward/made': { 'binding-pk': 404 } };
    expect((await runUserWrite({ ...signedIn, config, context: gone })).message).toBe(generic);
  });

  test('W6: never_create updates who is signed in, and denies when nobody is there', async () => {
    const config = { user_creation_mode: 'never_create' };
    const context = { prompt_data: { ...newUser, username: 'ada2' } };
    expect((await runUserWrite({ ...signedIn, config, context })).accounts.user('ada2')?.id).toBe(1);
    const { message, accounts } = await runUserWrite({ config, context });
    expect(message).toBe("No user found and can't create new user.");
    expect(accounts.users).toEqual([]);
  });

  test('W7: inactive, path and type are for new users alone', async () => {
    const config = { create_users_as_inactive: true, user_type: 'service_account', user_path_template: 'p' };
    const made = await runUserWrite({ config, context: { prompt_data: newUser } });
    expect(made.accounts.user('new')).toMatchObject({ isActive: false, type: 'service_account', path: 'p' });
    const updated = await runUserWrite({
      ...signedIn,
      config,
      context: { user_path: 'q', prompt_data: { name: 'N' } },
    });
    expect(updated.accounts.user('ada')).toMatchObject({ isActive: true, type: 'internal', path: 'users', name: 'N' });
  });

  describe('W8, D-2: a stand-in is not a user', () => {
    const context = { pending_user: { decoy: true, typed: 'eve' }, prompt_data: { username: 'eve' } } as const;

    test.each(['never_create', 'create_when_required'])('%s passes and writes nothing', async (mode) => {
      const { outcome, accounts, report } = await runUserWrite({ config: { user_creation_mode: mode }, context });
      expect(outcome.kind).toBe('pass');
      expect(outcome.effects ?? []).toEqual([]);
      expect(accounts.events).toEqual([]);
      expect(report).toMatchObject({ user: null, created: false });
    });

    test('always_create makes a user', async () => {
      const { accounts } = await runUserWrite({ config: { user_creation_mode: 'always_create' }, context });
      expect(accounts.user('eve')).toBeDefined();
    });
  });

  test('W9, D-3: the plan holds a reference, and the row is read when it is written', async () => {
    const context = { pending_user: { ref: 2 }, prompt_data: { 'attributes.x': 1 } };
    const { accounts, outcome } = await runUserWrite({ users: [{ ...bob, attributes: { since: 'then' } }], context });
    expect(accounts.user('bob')?.attributes).toEqual({ since: 'then', x: 1 });
    expect(outcome).toMatchObject({ context: { pending_user: { ref: 2 } } });
    expect((await runUserWrite({ users: [ada], context })).message).toBe(generic);
  });
});

describe('the password', () => {
  test('W11: a new user has it at once', async () => {
    const { accounts } = await runUserWrite({ context: { prompt_data: { ...newUser, password: 'n3w' } } });
    expect(accounts.passwordIs('new', 'n3w')).toBe(true);
    expect(accounts.user('new')?.passwordChangedAt).toBe(deskTime);
  });

  test('W11b: a hash counts in an unattended run with trusted hashes, and nowhere else', async () => {
    const context = { 'doorward/trusted_hashes': true, prompt_data: { ...newUser, password_hash: 'test$old' } };
    expect((await runUserWrite({ context, unattended: true })).accounts.passwordIs('new', 'old')).toBe(true);
    const attended = await runUserWrite({ context });
    expect(attended.report?.discarded).toEqual([{ key: 'password_hash', reason: 'unknown' }]);
    expect(attended.accounts.passwordIs('new', 'old')).toBe(false);
  });
});

test('W22: discarded keys are in the report, the event and the log; the log has no value', async () => {
  const context = { prompt_data: { ...newUser, role: 'admin', id: 'admin' } };
  const { report, accounts, desk } = await runUserWrite({ context });
  const discarded = [
    { key: 'role', reason: 'unknown' },
    { key: 'id', reason: 'disallowed' },
  ];
  expect(report?.discarded).toEqual(discarded);
  expect(accounts.events[0]?.context.discarded).toEqual(discarded);
  expect(desk.logged).toContainEqual({ level: 'info', message: 'discarding key', fields: discarded[0] });
  expect(JSON.stringify(desk.logged)).not.toContain('admin');
});

describe('saving', () => {
  test('W29, D-11: user, group, connection, sessions and event are effects of one commit', async () => {
    const config = { create_users_group: 'staff' };
    const connection = { source: 'corp', identifier: '42', isNew: true };
    const context = { prompt_data: { password: 'n3w', name: 'N' }, 'goauthentik.io/sources/connection': connection };
    const outcome = await userWrite.enter(
      deskFor(userWrite, { ...signedIn, groups: [testGroup('staff')], config, context }),
    );
    expect(outcome.effects?.map(({ kind }) => kind)).toEqual([
      ...['user.update', 'password.set', 'group.join', 'connection.save', 'session.end_all', 'outbox'],
      ...['event', 'hook.user_write'],
    ]);
  });

  test('W31, D-12: only what changed is written, on the version that was read', async () => {
    const context = { prompt_data: { name: 'Countess', email: 'ada@example.com' } };
    const { outcome, report } = await runUserWrite({ ...signedIn, context });
    expect(outcome.effects?.[0]).toMatchObject({ kind: 'user.update', id: 1, version: 1, set: { name: 'Countess' } });
    expect(report?.written).toEqual([
      { key: 'name', field: 'name' },
      { key: 'email', field: 'email' },
    ]);
  });

  test('W31: nothing changed is an event and a report all the same', async () => {
    const { outcome, report } = await runUserWrite({ ...signedIn, context: { prompt_data: { name: 'Ada' } } });
    expect(outcome.effects?.map(({ kind }) => kind)).toEqual(['event', 'hook.user_write']);
    expect(report?.written).toEqual([{ key: 'name', field: 'name' }]);
  });

  test('W31: an unrelated change made meanwhile survives', async () => {
    const context = { prompt_data: { 'attributes.b': 2 } };
    const { accounts } = await runUserWrite({ ...signedIn, context }, (meanwhile) => {
      meanwhile.users = [{ ...ada, email: 'a@example.org', attributes: { a: 5 }, version: 2 }, bob];
    });
    expect(accounts.user('ada')).toMatchObject({ email: 'a@example.org', attributes: { a: 5, b: 2 }, version: 3 });
  });

  test('W31: a field that somebody else changed since it was shown comes again, a field of no prompt is written', async () => {
    const context = {
      prompt_data: [
        ['name', 'Countess'],
        ['attributes.a', 2],
      ],
      'doorward/baseline': { user: ada.id, values: { name: 'Ada', 'attributes.a': 0 } },
    } as const;
    const { outcome, accounts } = await runUserWrite({ ...signedIn, context });
    expect(outcome).toMatchObject({ kind: 'revise', problems: { 'attributes.a': [{ code: 'conflict' }] } });
    expect(Object.keys('problems' in outcome ? outcome.problems : {})).toEqual(['attributes.a']);
    expect(accounts.users).toEqual([ada, bob]);
    const unasked = { ...context, 'doorward/baseline': { user: ada.id, values: {} } };
    expect((await runUserWrite({ ...signedIn, context: unasked })).outcome.kind).toBe('pass');
    const agreed = { ...context, prompt_data: [['attributes.a', 1]] } as const;
    expect((await runUserWrite({ ...signedIn, context: agreed })).outcome.kind).toBe('pass');
  });

  test('W31: a new user has no baseline', async () => {
    const context = { prompt_data: newUser, 'doorward/baseline': { user: ada.id, values: { username: 'x' } } };
    const config = { user_creation_mode: 'always_create' };
    expect((await runUserWrite({ ...signedIn, config, context })).outcome.kind).toBe('pass');
  });
});
