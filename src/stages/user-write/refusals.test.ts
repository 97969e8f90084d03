import { describe, expect, test } from 'vitest';
import { runUserWrite, testGroup } from '../../../test/support/user-write-rig.ts';
import type { Refusal } from '../../engine/effects.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { type DeskOptions, deskFor, testUser } from '../../testing/desk.ts';
import { userWrite } from './stage.ts';

const ada = testUser({ id: 7, username: 'ada' });
const generic = 'Failed to update user. Please try again later.';

describe('W28: a username that is missing', () => {
  test('comes again where a prompt collected it', async () => {
    const { outcome, desk } = await runUserWrite({ context: { prompt_data: [['username', '']] } });
    expect(outcome).toMatchObject({ kind: 'revise', problems: { username: [{ code: 'blank' }] } });
    expect(desk.logged).toContainEqual(expect.objectContaining({ message: 'Aborting write to empty username' }));
  });

  test.each([
    ['none was asked', { context: { prompt_data: { name: 'x' } } }],
    ['nobody is there to ask', { context: { prompt_data: { username: '' } }, unattended: true }],
  ])('is denied when %s', async (_name, options: DeskOptions) => {
    const { outcome, message } = await runUserWrite(options);
    expect(outcome.kind).toBe('deny');
    expect(message).toBe('A username is required.');
  });
});

describe('W32, D-13: a username that is taken', () => {
  const taken = { users: [ada], context: { prompt_data: { username: 'ＡＤＡ' } } };

  test('comes again where a prompt collected it', async () => {
    const { outcome, message } = await runUserWrite(taken);
    expect(outcome).toMatchObject({ kind: 'revise', problems: { username: [{ code: 'unique' }] } });
    expect(message).toBe(generic);
  });

  test('is denied where none did', async () => {
    const { outcome, message } = await runUserWrite({ ...taken, unattended: true });
    expect(outcome.kind).toBe('deny');
    expect(message).toBe(generic);
  });

  test('is decided by the index, whatever a look-up said before', async () => {
    const { outcome, accounts } = await runUserWrite({ context: { prompt_data: { username: 'ada' } } }, (meanwhile) => {
      meanwhile.users = [ada];
    });
    expect(outcome).toMatchObject({ kind: 'revise', problems: { username: [{ code: 'unique' }] } });
    expect(accounts.users).toEqual([ada]);
    expect(accounts.events).toEqual([]);
  });

  test('is free for its own user in other case', async () => {
    const context = { prompt_data: { username: 'ADA' } };
    const { accounts } = await runUserWrite({ users: [ada], visitor: { user: ada }, context });
    expect(accounts.users.map(({ username }) => username)).toEqual(['ADA']);
  });

  test('is not told of an address', async () => {
    const users = [testUser({ username: 'ada@example.com' })];
    const { outcome, message } = await runUserWrite({
      users,
      context: { prompt_data: { username: 'ada@example.com' } },
    });
    expect(outcome.kind).toBe('deny');
    expect(message).toBe(generic);
  });

  test('costs no hash', async () => {
    const desk = deskFor(userWrite, { ...taken, context: { prompt_data: { username: 'ada', password: 'n3w' } } });
    const hashed: string[] = [];
    const hashPassword = async (password: string) => {
      hashed.push(password);
      return password;
    };
    await userWrite.enter({ ...desk, tools: { ...desk.tools, hashPassword } });
    expect(hashed).toEqual([]);
  });
});

describe('W33, D-20: lengths in code points', () => {
  test.each([
    ['username', '🐎'.repeat(150), '🐎'.repeat(151), {}],
    ['email', 'e'.repeat(254), 'e'.repeat(255), { username: 'new' }],
  ])('%s', async (field, most, more, rest) => {
    const fits = await runUserWrite({ context: { prompt_data: { ...rest, [field]: most } } });
    expect(fits.outcome.kind).toBe('pass');
    const exceeds = { context: { prompt_data: { ...rest, [field]: more } } };
    const asked = await runUserWrite(exceeds);
    expect(asked.outcome).toMatchObject({ kind: 'revise', problems: { [field]: [{ code: 'max_length' }] } });
    const unattended = await runUserWrite({ ...exceeds, unattended: true });
    expect(unattended.outcome.kind).toBe('deny');
    expect(unattended.message).toBe(generic);
  });
});

describe('W33, W40: what the store refuses', () => {
  const refusals: readonly Refusal[] = [
    { reason: 'constraint', effect: 'user.create' },
    { reason: 'vetoed', effect: 'user.create' },
    { reason: 'missing', effect: 'group.join' },
    { reason: 'missing', effect: 'user.update' },
    { reason: 'used', effect: 'session.renew' },
    { reason: 'taken', effect: 'connection.save', field: 'identifier' },
    { reason: 'taken', effect: 'user.create', field: 'uuid' },
  ];
  test.each(refusals)('$reason of $effect is denied', async (refusal) => {
    const desk = deskFor(userWrite, { context: { prompt_data: { username: 'new' } } });
    expect(await userWrite.refused?.(desk, refusal)).toMatchObject({
      kind: 'deny',
      message: { $text: 'user_write.failed' },
    });
  });
});

describe('W41: a denial', () => {
  const denials: readonly [string, DeskOptions][] = [
    ['of a value', { context: { prompt_data: { username: 'new', attributes: null } } }],
    ['of a password', { context: { prompt_data: { username: 'new', password: '' } } }],
    ['of attributes that are too large', { context: { prompt_data: { username: 'new', 'attributes.a': deep(40) } } }],
    ['of a group', { context: { prompt_data: { username: 'new' }, groups: ['?'] }, groups: [testGroup('staff')] }],
  ];
  test.each(denials)('%s leaves the plan context and the accounts as they were', async (_name, options) => {
    const { outcome, accounts, message, report, desk } = await runUserWrite(options);
    expect(Object.keys(outcome).toSorted()).toEqual(['kind', 'message']);
    expect(message).toBe(generic);
    expect(accounts.users).toEqual([]);
    expect(report).toBeNull();
    expect(desk.logged.at(-1)).toMatchObject({ level: 'warn', message: 'user write refused' });
  });
});

function deep(levels: number): JsonObject {
  return levels === 1 ? {} : { a: deep(levels - 1) };
}
