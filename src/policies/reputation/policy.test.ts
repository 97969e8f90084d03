import { expect, it } from 'vitest';
import type { PlanContext } from '../../engine/plan-context.ts';
import { testUser } from '../../testing/desk.ts';
import { policyDeskFor } from '../../testing/policy-desk.ts';
import { reputation } from './policy.ts';

const rows = [
  { subject: 'user:1', address: '192.0.2.1', score: -2 },
  { subject: 'user:1', address: '192.0.2.2', score: -1 },
  { subject: 'user:2', address: '192.0.2.1', score: -4 },
  { subject: 'typed:digest$eve', address: '192.0.2.3', score: -5 },
];

/** The lowest threshold that it passes with. */
async function sum(config: { check_ip?: boolean; check_username?: boolean }, context: PlanContext, address: string) {
  for (let threshold = -20; threshold <= 20; threshold += 1) {
    const users = [testUser({ username: 'ada' })];
    const options = { config: { ...config, threshold }, context, users, reputation: rows, visitor: { address } };
    const { passing } = await reputation.evaluate(policyDeskFor(reputation, options));
    if (passing) return threshold;
  }
  return null;
}

const ada = { pending_user: { ref: 1 } };
const ip = { check_username: false };
const username = { check_ip: false };

it('policy <=: passes when the sum is the threshold or less', async () => {
  expect(await sum(username, ada, '192.0.2.9')).toBe(-3);
});

it('ip, username: the scores at the address, of the user, or both, each once', async () => {
  expect(await sum(ip, ada, '192.0.2.1')).toBe(-6);
  expect(await sum({}, ada, '192.0.2.1')).toBe(-7);
  expect(await sum(ip, ada, '192.0.2.9')).toBe(0);
});

it('a stand-in has the reputation of what was typed; nobody has only that of the address', async () => {
  expect(await sum(username, { pending_user: { decoy: true, typed: 'EVE' } }, '192.0.2.9')).toBe(-5);
  expect(await sum(username, {}, '192.0.2.1')).toBe(0);
  expect(await sum({}, {}, '192.0.2.1')).toBe(-6);
});

it('needs a toggle', () => {
  expect(() => policyDeskFor(reputation, { config: { check_ip: false, check_username: false } })).toThrow('check_ip');
});
