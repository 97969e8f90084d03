import { describe, expect, test } from 'vitest';
import { testGroup } from '../../../test/support/user-write-rig.ts';
import { type DeskOptions, deskFor, testUser } from '../../testing/desk.ts';
import { initialSetup } from './stage.ts';

const ada = testUser({ id: 1, username: 'ada' });
const gate: DeskOptions = {
  config: { group: 'pk-admins' },
  groups: [testGroup('admins', { isSuperuser: true }), testGroup('staff')],
  setupSecret: 'digest$s3cret',
  query: { setup: 's3cret' },
  users: [ada],
};
const promotion: DeskOptions = {
  ...gate,
  query: {},
  context: { pending_user: { ref: 1 }, 'doorward/setup': 'digest$s3cret' },
};
const enter = (options: DeskOptions) => initialSetup.enter(deskFor(initialSetup, options));
const wrongSecret = { kind: 'deny', message: { $text: 'initial_setup.wrong_secret' }, undo: true };
const administratorExists = { kind: 'deny', message: { $text: 'initial_setup.administrator_exists' }, undo: true };

describe('the gate', () => {
  test('opens to the secret of the setup link, and remembers its hash alone', async () => {
    expect(await enter(gate)).toEqual({ kind: 'pass', context: { 'doorward/setup': 'digest$s3cret' } });
  });

  test.each([[{}], [{ setup: '' }], [{ setup: 'guess' }], [{ setup: 'digest$s3cret' }]])(
    'stays shut to %j',
    async (query) => {
      expect(await enter({ ...gate, query })).toEqual(wrongSecret);
    },
  );

  test('is gone once there is an administrator', async () => {
    expect(await enter({ ...gate, setupSecret: null })).toEqual(administratorExists);
  });
});

describe('the promotion', () => {
  test('uses the secret up and gives the group of administrators, in one commit', async () => {
    expect(await enter(promotion)).toMatchObject({
      kind: 'pass',
      context: { 'doorward/setup': undefined },
      effects: [
        { kind: 'setup.claim', secretHash: 'digest$s3cret' },
        { kind: 'group.join', group: 'pk-admins', userId: 1 },
        { kind: 'event', event: { action: 'initial_setup', user: { pk: 1, username: 'ada' } } },
      ],
    });
  });

  test.each([
    ['who never passed the gate', { pending_user: { ref: 1 } }],
    ['a stand-in', { ...promotion.context, pending_user: { decoy: true, typed: 'eve' } } as const],
    ['a user who is gone', { ...promotion.context, pending_user: { ref: 9 } }],
  ])('is not for %s', async (_name, context) => {
    expect(await enter({ ...promotion, context })).toEqual(wrongSecret);
  });

  test.each(['pk-staff', 'pk-missing'])('needs a group of administrators, not %s', async (group) => {
    const outcome = await enter({ ...promotion, config: { group } });
    expect(outcome).toEqual({
      kind: 'deny',
      message: { $text: 'initial_setup.not_an_administrators_group' },
      undo: true,
    });
  });

  test('of two who hold the secret, the later one is told that there is an administrator', async () => {
    const desk = deskFor(initialSetup, promotion);
    expect(await initialSetup.refused?.(desk, { reason: 'used', effect: 'setup.claim' })).toEqual(administratorExists);
  });
});
