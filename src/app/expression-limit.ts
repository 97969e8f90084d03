import type { Expressions } from '../engine/expressions.ts';

/** Expressions that may take another time than the usual one; undefined leaves it. */
export function withLimit<Runners extends Expressions>(runners: Runners, limitMs: number | undefined): Runners {
  if (limitMs === undefined) return runners;
  return { ...runners, evaluate: (job) => runners.evaluate({ limitMs, ...job }) };
}
