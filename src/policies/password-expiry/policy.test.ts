import { expect, it } from 'vitest';
import { deskTime, testUser } from '../../testing/desk.ts';
import { policyDeskFor } from '../../testing/policy-desk.ts';
import { passwordExpiry } from './policy.ts';

const day = 86_400_000;

function judged(age: number | null, config: { days: number; deny_only?: boolean }, userId: number | null = 1) {
  const user = testUser({ username: 'ada', passwordChangedAt: age === null ? null : deskTime - age });
  return passwordExpiry.evaluate(policyDeskFor(passwordExpiry, { config, users: [user], userId }));
}

it('passes until the day, and not from then on; says since when', async () => {
  expect(await judged(30 * day - 1, { days: 30 })).toEqual({ passing: true, messages: [] });
  const said = (days: number) => [{ $text: 'password_expiry.change_it', params: { days } }];
  expect(await judged(30 * day, { days: 30 })).toEqual({ passing: false, messages: said(0) });
  expect(await judged(35.5 * day, { days: 30 })).toEqual({ passing: false, messages: said(5) });
});

it('deny_only says no more than that it has expired', async () => {
  expect(await judged(31 * day, { days: 30, deny_only: true })).toEqual({
    ...{ passing: false, messages: [{ $text: 'password_expiry.expired' }] },
  });
});

it('asks for no change of the user: an expired password is still needed to choose the next one', async () => {
  expect(await judged(31 * day, { days: 30 })).not.toHaveProperty('effects');
});

it('who has no password has none that expired; of nobody it is not said', async () => {
  expect(await judged(null, { days: 0 })).toMatchObject({ passing: true });
  expect(await judged(0, { days: 30 }, null)).toEqual({ passing: false, messages: [] });
  expect(await judged(0, { days: 30 }, 404)).toEqual({ passing: false, messages: [] });
});
