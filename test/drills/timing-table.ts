import { aligned } from './aligned.ts';
import { type Timing, timingFindings } from './timing.ts';

const head = [
  'step',
  'database',
  'compared with absent',
  'pairs',
  'median ms',
  'difference µs',
  '99.9 %',
  'bound µs',
  '',
];

/** For a terminal. Differences are in microseconds. */
export function timingTable(all: readonly Timing[]): string {
  const micro = (ms: number): string => (ms * 1_000).toFixed(0);
  const rows = all.map(({ step, database, state, leak, pairs, base, difference, low, high, bound, verdict }) => [
    ...[step, database, leak === null ? state : `${state}, leaking: ${leak}`, String(pairs), base.toFixed(2)],
    ...[micro(difference), `${micro(low)} to ${micro(high)}`, micro(bound), verdict],
  ]);
  return `${[aligned([head, ...rows], [0, 1, 2, 8]), ...timingFindings(all).map((finding) => `\n${finding}`)].join('\n')}\n`;
}
