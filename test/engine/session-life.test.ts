import { afterEach, expect, it } from 'vitest';
import { ManualClock } from '../../src/kernel/clock.ts';
import { createRig, type Rig, type Visitor } from '../../src/testing/index.ts';

const day = 24 * 60 * 60 * 1000;
const password = 'correct horse battery';

let rig: Rig | undefined;
afterEach(() => rig?.close());

async function signedUp(clock: ManualClock, options: { rateLimits?: boolean } = {}): Promise<Visitor> {
  rig = await createRig({ clock, ...options });
  const visitor = rig.visitor();
  await visitor.open('default-enrollment-flow');
  const who = { username: 'ada', name: 'Ada', email: 'ada@example.com' };
  await visitor.answer({ ...who, password, password_repeat: password });
  visitor.expectEnd();
  return visitor;
}

it('a session that is used lives on beyond its idle timeout, and ends at its absolute one', async () => {
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  const visitor = await signedUp(clock);
  for (let days = 1; days < 14; days += 1) {
    clock.advance(day);
    // The use is noted behind the answer; the next write waits until that is done.
    expect(await visitor.whoAmI()).toBe('ada');
    await rig?.auth.groups.create({ name: `day ${days}` });
  }
  clock.advance(day + 1);
  expect(await visitor.whoAmI()).toBeNull();
});

it('a session that nobody uses ends after two days', async () => {
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  const visitor = await signedUp(clock);
  clock.advance(2 * day + 1);
  expect(await visitor.whoAmI()).toBeNull();
});

it.each([
  { rateLimits: true, guesses: 5 },
  { rateLimits: false, guesses: 12 },
])(
  'guessing is cut off after five wrong passwords unless limits are off ($rateLimits)',
  async ({ rateLimits, guesses }) => {
    await signedUp(new ManualClock(Date.UTC(2026, 0, 1)), { rateLimits });
    const guesser = rig?.visitor();
    if (guesser === undefined) return;
    let wrong = 0;
    for (let guess = 0; guess < 12; guess += 1) {
      await guesser.open('default-authentication-flow');
      if (guesser.challenge.component === 'ak-stage-identification') await guesser.answer({ uid_field: 'ada' });
      const { response_errors: problems, component } = await guesser.answer({ password: `wrong number ${guess}` });
      if (problems?.password !== undefined || component === 'ak-stage-access-denied') wrong += 1;
      if (component === 'ak-stage-access-denied') break;
    }
    expect(wrong).toBe(guesses);
  },
);
