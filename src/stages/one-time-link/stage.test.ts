import { describe, expect, test } from 'vitest';
import type { PlanContext } from '../../engine/plan-context.ts';
import type { Token } from '../../engine/user.ts';
import { hashToken } from '../../kernel/ids.ts';
import { type DeskOptions, deskFor, deskTime, testUser } from '../../testing/desk.ts';
import { oneTimeLink } from './stage.ts';

const ada = testUser({ id: 1, username: 'ada' });
const bob = testUser({ id: 2, username: 'bob' });
const carol = testUser({ id: 4, username: 'carol', passwordChangedAt: deskTime + 1 });
const gone = testUser({ id: 3, username: 'gone', isActive: false });

function link(secret: string, more: Partial<Token> = {}): Token {
  return {
    ...{ hash: hashToken(secret), uuid: secret, purpose: 'recovery', flow: 'test-flow', userId: 1, description: '' },
    ...{ createdAt: deskTime, expiresAt: deskTime + 1, ...more },
  };
}

const world: DeskOptions = {
  users: [ada, bob, gone, carol],
  tokens: [
    link('good'),
    link('late', { expiresAt: deskTime }),
    link('foreign', { flow: 'another-flow' }),
    link('other', { purpose: 'verification' }),
    link('program', { purpose: 'api', flow: null }),
    link('inactive', { userId: 3 }),
    link('outdated', { userId: 4 }),
    link('orphan', { userId: 9 }),
  ],
};
const enter = (options: DeskOptions) => oneTimeLink.enter(deskFor(oneTimeLink, { ...world, ...options }));
const invalid = { kind: 'deny', message: { $text: 'one_time_link.invalid' }, undo: true };
const opened: PlanContext = { pending_user: { ref: 1 }, 'doorward/one_time_link': hashToken('good') };

describe('the gate', () => {
  test('opens to the link, makes its user the pending one, keeps its hash alone and changes nothing', async () => {
    expect(await enter({ query: { flow_token: 'good' } })).toEqual({ kind: 'pass', context: opened });
  });

  test('whoever is signed in, the link is about its own user', async () => {
    const outcome = await enter({ query: { flow_token: 'good' }, visitor: { user: bob } });
    expect(outcome).toMatchObject({ context: { pending_user: { ref: 1 } } });
  });

  test.each([
    'late',
    'foreign',
    'other',
    'program',
    'inactive',
    'outdated',
    'orphan',
    'made-up',
    '',
    hashToken('good'),
  ])('stays shut to a link that is %s, with one answer for all', async (secret) => {
    expect(await enter({ query: { flow_token: secret } })).toEqual(invalid);
    expect(await enter({})).toEqual(invalid);
  });
});

describe('the use', () => {
  test('takes the link in the commit of the write', async () => {
    expect(await enter({ context: opened })).toEqual({
      kind: 'pass',
      context: { 'doorward/one_time_link': undefined, auth_method: 'one_time_link' },
      effects: [{ kind: 'token.claim', hash: hashToken('good'), at: deskTime }],
    });
  });

  test.each<[string, PlanContext]>([
    ['another pending user', { ...opened, pending_user: { ref: 2 } }],
    ['a stand-in', { ...opened, pending_user: { decoy: true, typed: 'ada' } }],
    ['nobody', { 'doorward/one_time_link': hashToken('good') }],
    ['a link that was used meanwhile', { ...opened, 'doorward/one_time_link': hashToken('used') }],
    ['a link of another flow', { ...opened, 'doorward/one_time_link': hashToken('foreign') }],
  ])('refuses %s, and takes back what was written', async (_name, context) => {
    expect(await enter({ context })).toEqual(invalid);
  });

  test('who comes second is told so, and takes nothing with them', async () => {
    const desk = deskFor(oneTimeLink, { ...world, context: opened });
    expect(await oneTimeLink.refused?.(desk, { reason: 'used', effect: 'token.claim' })).toEqual(invalid);
  });
});
