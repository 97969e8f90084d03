import { describe, expect, test } from 'vitest';
import type { Claim } from '../../engine/claim.ts';
import { type DeskOptions, deskFor, deskTime, testUser } from '../../testing/desk.ts';
import { userWrite } from './stage.ts';

const open: Claim = {
  effect: { kind: 'token.revoke', uuid: 'a' },
  event: { action: 'token_used', context: { token: 'a' } },
  otherwise: 'Somebody else was first.',
};
const used: Claim = { ...open, effect: { kind: 'token.revoke', uuid: 'b' }, used: true };
const context = { prompt_data: { username: 'new' }, 'doorward/claims': [used, open] };
const enter = (options: DeskOptions) => userWrite.enter(deskFor(userWrite, { context, ...options }));

describe('what earlier stages claimed', () => {
  test('is used up with the write, once, with an event that names the user', async () => {
    const outcome = await enter({});
    const effects = outcome.effects ?? [];
    expect(effects.filter(({ kind }) => kind === 'token.revoke')).toEqual([open.effect]);
    expect(effects).toContainEqual({
      kind: 'event',
      event: {
        ...{ action: 'token_used', context: { token: 'a' }, user: { pk: 1, username: 'new' }, flow: 'test-flow' },
        ...{ address: '192.0.2.1', requestId: 'request-1', at: deskTime },
      },
    });
    expect(outcome).toMatchObject({ context: { 'doorward/claims': [used, { ...open, used: true }] } });
  });

  test('is used up also where the write changes nothing, and by nobody where nobody is written', async () => {
    const ada = testUser({ username: 'ada', name: 'Ada' });
    const same = { ...context, prompt_data: { name: 'Ada' } };
    const kinds = (await enter({ visitor: { user: ada }, context: same })).effects?.map(({ kind }) => kind);
    expect(kinds).toContain('token.revoke');
    const decoy = { ...context, pending_user: { decoy: true, typed: 'nobody' } } as const;
    expect(await enter({ context: decoy })).not.toHaveProperty('effects');
  });

  test('and was used by somebody else meanwhile is said in the words of the stage that claimed it', async () => {
    const desk = deskFor(userWrite, { context });
    expect(await userWrite.refused?.(desk, { reason: 'used', effect: 'token.revoke' })).toEqual({
      kind: 'deny',
      message: 'Somebody else was first.',
    });
  });
});
