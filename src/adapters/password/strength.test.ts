import { afterAll, expect, it } from 'vitest';
import { createStrengthMeter } from './strength.ts';

const meter = createStrengthMeter();
afterAll(() => meter.close());

it('tells what is easy to guess, by itself and for who knows the owner', async () => {
  expect(await meter.score('password1', [])).toBe(0);
  expect(await meter.score('Zvorplumquix', [])).toBeGreaterThan(2);
  expect(await meter.score('Zvorplumquix', ['zvorplumquix'])).toBe(0);
  expect(await meter.score('quartz tundra velvet osprey', [])).toBe(4);
  expect(await meter.score('', [])).toBe(0);
});

it('scores the first 72 characters, and any text', async () => {
  expect(await meter.score(`${'a'.repeat(72)} quartz tundra velvet osprey`, [])).toBe(0);
  expect(await meter.score('\u0301\ud83d\0', ['\ud83d'])).toBeTypeOf('number');
});

it('many at once wait for each other; too many are refused', async () => {
  const asked = Array.from({ length: 66 }, () => meter.score('password', []));
  const answers = await Promise.allSettled(asked);
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(65);
  expect(answers.at(-1)).toMatchObject({ reason: { code: 'too_busy' } });
});

it('works again after it was closed', async () => {
  await meter.close();
  expect(await meter.score('password', [])).toBe(0);
});
