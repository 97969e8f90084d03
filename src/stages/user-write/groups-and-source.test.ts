import { describe, expect, test } from 'vitest';
import { runUserWrite, testGroup } from '../../../test/support/user-write-rig.ts';
import { type DeskOptions, testUser } from '../../testing/desk.ts';

const ada = testUser({ id: 1, username: 'ada' });
const newUser = { username: 'new', name: 'New' };
const signedIn: DeskOptions = { users: [ada], visitor: { user: ada } };

describe('the source', () => {
  const link = { source: 'corp', identifier: '42', isNew: true };
  const context = { prompt_data: newUser, 'goauthentik.io/sources/connection': link };
  const sourcesOf = async (attributes: object) => {
    const users = [{ ...ada, attributes: attributes as never }];
    const { accounts } = await runUserWrite({
      users,
      visitor: { user: ada },
      context: { ...context, prompt_data: [] },
    });
    return accounts.user('ada')?.attributes['goauthentik.io/user/sources'];
  };

  test('W26: its name joins the list once', async () => {
    expect(await sourcesOf({})).toEqual(['corp']);
    expect(await sourcesOf({ 'goauthentik.io/user/sources': 'no list' })).toEqual(['corp']);
    expect(await sourcesOf({ 'goauthentik.io/user/sources': ['other'] })).toEqual(['other', 'corp']);
    expect(await sourcesOf({ 'goauthentik.io/user/sources': ['corp', 'other'] })).toEqual(['corp', 'other']);
  });

  test('W27: a new connection is saved with the user, a known one is not saved again', async () => {
    const { accounts } = await runUserWrite({ context });
    expect(accounts.connections).toEqual([`corp 42 ${accounts.user('new')?.id}`]);
    const known = { ...context, 'goauthentik.io/sources/connection': { ...link, isNew: false } };
    expect((await runUserWrite({ context: known })).accounts.connections).toEqual([]);
  });

  test('D-18: the name of the source counts for the limits too', async () => {
    const full = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`m${index}`, 0]));
    expect(await sourcesOf(full)).toBeUndefined();
  });
});

describe('groups', () => {
  const groups = [testGroup('members'), testGroup('staff'), testGroup('parent')];

  test('W30: of the stage and of the context, each once, by name or pk', async () => {
    const config = { create_users_group: 'pk-members' };
    const context = { prompt_data: [], groups: ['staff', 'pk-staff', 'members'] };
    const { accounts, report } = await runUserWrite({ ...signedIn, groups, config, context });
    expect(accounts.groupsOf('ada')).toEqual(['members', 'staff']);
    expect(report?.groups_added).toEqual(['members', 'staff']);
  });

  test('W30: a member stays one, and that is no change', async () => {
    const options = {
      ...signedIn,
      groups,
      members: { staff: ['ada'] },
      context: { prompt_data: [], groups: ['staff'] },
    };
    const { accounts, report } = await runUserWrite(options);
    expect(accounts.groupsOf('ada')).toEqual(['staff']);
    expect(report?.groups_added).toEqual([]);
  });

  test('W30: who belongs to a group by its child alone joins it', async () => {
    const family = [testGroup('parent'), testGroup('child', { parent: 'pk-parent' })];
    const options = { groups: family, members: { child: ['ada'] }, context: { prompt_data: [], groups: ['parent'] } };
    expect((await runUserWrite({ ...signedIn, ...options })).accounts.groupsOf('ada')).toEqual(['parent', 'child']);
  });

  test('W30: who is a member of a group and of its child too is in both already', async () => {
    const family = [testGroup('parent'), testGroup('child', { parent: 'pk-parent' })];
    const members = { parent: ['ada'], child: ['ada'] };
    const context = { prompt_data: [], groups: ['parent', 'child'] };
    const { outcome, report } = await runUserWrite({ ...signedIn, groups: family, members, context });
    expect(report?.groups_added).toEqual([]);
    expect(outcome.effects?.map(({ kind }) => kind)).not.toContain('group.join');
  });

  test.each([[['staff', 'nobody']], ['staff'], [[null]], [[['staff']]], [{}]])(
    'W30, D-19: %j is refused, and nothing is written',
    async (wanted) => {
      const context = { prompt_data: { name: 'N' }, groups: wanted };
      const { message, accounts } = await runUserWrite({ ...signedIn, groups, context });
      expect(message).toBe('Failed to update user. Please try again later.');
      expect(accounts.users).toEqual([ada]);
    },
  );
});
