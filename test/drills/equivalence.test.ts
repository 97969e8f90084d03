import { describe, expect, it } from 'vitest';
import { bounds, compare } from './equivalence.ts';

/** Times as a busy machine has them: mostly near `usual`, with a long tail; the same ones each time. */
function times(usual: number, count: number, seed: number): number[] {
  let state = seed;
  const draw = (): number => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return (state + 0.5) / 2 ** 32;
  };
  return Array.from({ length: count }, () => usual + 0.4 * -Math.log(draw()) + (draw() < 0.02 ? 30 * draw() : 0));
}

/* The method of the drill that measures whether answers tell by their time who has an account. */
describe('two kinds of request', () => {
  it('that take equally long are shown to, outliers or not', () => {
    expect(compare(times(12, 2_000, 1), times(12, 2_000, 2))).toMatchObject({ pairs: 2_000, verdict: 'same' });
  });

  it.each([
    ['longer', 12 + 2 * 12 * bounds.share],
    ['less long', 12 - 2 * 12 * bounds.share],
  ])('of which one takes %s by twice the bound are told apart', (_, usual) => {
    expect(compare(times(usual, 2_000, 3), times(12, 2_000, 4)).verdict).toBe('differs');
  });

  it('are not called the same when they were hardly looked at', () => {
    expect(compare(times(12, 30, 5), times(12, 30, 6)).verdict).toBe('undecided');
    expect(compare([], []).verdict).toBe('undecided');
  });

  it('that are slowed down together are compared all the same', () => {
    const slowed = (values: readonly number[]): number[] => values.map((value, at) => value + 5 * Math.sin(at / 50));
    expect(compare(slowed(times(12, 2_000, 7)), slowed(times(12, 2_000, 8))).verdict).toBe('same');
  });
});
