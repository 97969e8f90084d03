/**
 * Whether two kinds of request take equally long: an equivalence test. Not finding a difference would prove nothing, so
 * it is the other way round: with the stated confidence the difference is shown to lie within a bound.
 */

/** The median difference, in milliseconds, and what is known of it. */
export interface Equivalence {
  readonly pairs: number;
  /** Median time of the kind that the other is compared with. */
  readonly base: number;
  readonly difference: number;
  /** The confidence interval of the difference. */
  readonly low: number;
  readonly high: number;
  /** What the difference may be at most. */
  readonly bound: number;
  /** `same`: the interval lies within the bound; `differs`: outside of it; `undecided`: more pairs are needed. */
  readonly verdict: 'same' | 'differs' | 'undecided';
}

/** 99.9 %, two-sided: dozens of comparisons make one drill. */
const deviations = 3.29;

export const bounds = { share: 0.02, ms: 0.1 };

/**
 * Compares paired times: each pair was taken back to back, so whatever slows the machine down slows both. The interval
 * is that of the sign test: it supposes nothing of how the times are distributed, and outliers do not move it.
 */
export function compare(times: readonly number[], base: readonly number[]): Equivalence {
  const differences = times.map((time, index) => time - (base[index] ?? Number.NaN)).toSorted((a, b) => a - b);
  const pairs = differences.length;
  const reach = (deviations * Math.sqrt(pairs)) / 2;
  const at = (rank: number): number => differences[Math.min(pairs - 1, Math.max(0, Math.round(rank)))] ?? Number.NaN;
  const [low, high] = [at(pairs / 2 - reach - 1), at(pairs / 2 + reach)];
  const usual = medianOf(base);
  const bound = Math.max(usual * bounds.share, bounds.ms);
  const isWithin = low >= -bound && high <= bound;
  const isOutside = low > bound || high < -bound;
  return {
    ...{ pairs, base: usual, difference: medianOf(differences), low, high, bound },
    verdict: isWithin ? 'same' : isOutside ? 'differs' : 'undecided',
  };
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}
