import { type Timing, timingFindings } from './timing.ts';

/** For a terminal. Differences are in microseconds. */
export function timingTable(all: readonly Timing[]): string {
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
  const micro = (ms: number): string => (ms * 1_000).toFixed(0);
  const rows = all.map((one) => [
    ...[
      one.step,
      one.database,
      one.leak === null ? one.state : `${one.state}, leaking: ${one.leak}`,
      String(one.pairs),
    ],
    ...[
      one.base.toFixed(2),
      micro(one.difference),
      `${micro(one.low)} to ${micro(one.high)}`,
      micro(one.bound),
      one.verdict,
    ],
  ]);
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const lines = [head, ...rows].map((cells) =>
    cells
      .map((cell, at) => (at < 3 || at === 8 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  return `${[...lines, ...timingFindings(all).map((finding) => `\n${finding}`)].join('\n')}\n`;
}
