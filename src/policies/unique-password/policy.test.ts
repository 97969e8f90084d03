import { expect, it } from 'vitest';
import { Secret } from '../../kernel/secrets.ts';
import { testUser } from '../../testing/desk.ts';
import { type PolicyDeskOptions, policyDeskFor } from '../../testing/policy-desk.ts';
import { uniquePassword } from './policy.ts';

const history = { passwords: { ada: 'present' }, formerPasswords: { ada: ['last year', 'long ago'] } };

function deskOf(typed: string | null, num_historical_passwords: number, more: PolicyDeskOptions = {}) {
  return policyDeskFor(uniquePassword, {
    ...{ users: [testUser({ username: 'ada' })], userId: 1, ...history },
    ...{ config: { num_historical_passwords } },
    context: typed === null ? {} : { prompt_data: [['password', new Secret(typed)]] },
    ...more,
  });
}

const judged = (...args: Parameters<typeof deskOf>) => uniquePassword.evaluate(deskOf(...args));
const usedBefore = { passing: false, messages: [{ $text: 'unique_password.used_before' }] };
const passes = { passing: true, messages: [] };

it('history: the present password and as many former ones as are asked for', async () => {
  expect(await judged('present', 1)).toEqual(usedBefore);
  expect(await judged('last year', 1)).toEqual(passes);
  expect(await judged('last year', 2)).toEqual(usedBefore);
  expect(await judged('long ago', 2)).toEqual(passes);
  expect(await judged('long ago', 30)).toEqual(usedBefore);
  expect(await judged('never had', 30)).toEqual(passes);
});

it('none count where none are asked for, and of somebody new there are none', async () => {
  expect(await judged('present', 0)).toEqual(passes);
  expect(await judged('present', 30, { userId: null })).toEqual(passes);
  expect(await judged('present', 30, { passwords: {}, formerPasswords: {} })).toEqual(passes);
});

it('missing: no password is no new password, except a hash that was trusted', async () => {
  expect(await judged(null, 1)).toEqual({ passing: false, messages: [{ $text: 'password_policy.missing' }] });
  const context = { 'doorward/trusted_hashes': true, prompt_data: [['password_hash', 'h'] as const] };
  expect(await judged(null, 1, { context })).toEqual(passes);
});

it('checks no more hashes than it must, and none when its time is up', async () => {
  const asked: string[] = [];
  const counting = (signal?: AbortSignal) => {
    const desk = deskOf('last year', 30, signal === undefined ? {} : { signal });
    const matchesHash = (password: string, stored: string) => {
      asked.push(stored);
      return desk.tools.matchesHash(password, stored);
    };
    return { ...desk, tools: { ...desk.tools, matchesHash } };
  };
  expect(await uniquePassword.evaluate(counting())).toEqual(usedBefore);
  expect(asked).toEqual(['test$present', 'test$last year']);
  await expect(uniquePassword.evaluate(counting(AbortSignal.abort()))).rejects.toThrow();
  expect(asked).toHaveLength(2);
});

it('a history longer than what is kept is refused', () => {
  expect(() => deskOf('x', 31)).toThrow('num_historical_passwords');
});
