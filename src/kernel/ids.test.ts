import { expect, it } from 'vitest';
import { newToken, randomBits } from './ids.ts';

it('tokens are 256 bits, and never the same, over many pages of drawn bytes', () => {
  const tokens = Array.from({ length: 1_000 }, newToken);
  expect(new Set(tokens).size).toBe(1_000);
  expect(tokens.every((token) => /^[\w-]{43}$/.test(token))).toBe(true);
});

it('random bytes belong to who asked: later ones do not change them, and none is given out blank', () => {
  const first = randomBits(12);
  const before = first.toString('hex');
  for (const length of [1, 4_096, 5_000, 12, 32]) expect(randomBits(length)).toHaveLength(length);
  expect(first.toString('hex')).toBe(before);
  expect(randomBits(64).every((byte) => byte === 0)).toBe(false);
});
