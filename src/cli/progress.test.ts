import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Terminal } from './command.ts';
import { Progress } from './progress.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

function terminal(live: boolean): { readonly written: string[]; readonly terminal: Terminal } {
  const written: string[] = [];
  const note = (line: string): void => void written.push(`note ${line}`);
  const overwrite = live ? (line: string): void => void written.push(line) : null;
  return { written, terminal: { note, overwrite } as unknown as Terminal };
}

const quarter = { records: 1_000, refused: 2, bytes: 25, size: 100 };

describe('how far a long command is', () => {
  test('on a terminal a bar, with the rate and the time that is left; a line that stays takes its place', () => {
    const { written, terminal: here } = terminal(true);
    const progress = new Progress(here);
    progress.update(quarter);
    expect(written).toEqual([]);
    vi.advanceTimersByTime(20_000);
    progress.update(quarter);
    expect(written).toEqual(['[######------------------] 25 %, 1,000 records, 2 refused, 50/s, 1 min 0 s left']);
    progress.note('line 7: is not JSON');
    expect(written.slice(1)).toEqual(['', 'note line 7: is not JSON']);
  });

  test('elsewhere a plain line every five seconds', () => {
    const { written, terminal: here } = terminal(false);
    const progress = new Progress(here);
    for (let seconds = 0; seconds < 12; seconds += 1) {
      vi.advanceTimersByTime(1_000);
      progress.update({ ...quarter, refused: 0 });
    }
    expect(written).toEqual([
      'note 25 %, 1,000 records, 200/s, 15 s left',
      'note 25 %, 1,000 records, 100/s, 30 s left',
    ]);
  });

  test('of standard input nobody knows how much there is', () => {
    const { written, terminal: here } = terminal(true);
    const progress = new Progress(here);
    vi.advanceTimersByTime(1_000);
    progress.update({ ...quarter, size: null });
    expect(written).toEqual(['1,000 records, 2 refused, 1,000/s']);
  });
});
