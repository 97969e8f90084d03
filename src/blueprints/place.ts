import { DoorwardError } from '../kernel/errors.ts';

/** A place in a blueprint file; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Something worth saying about a file that is carried out all the same. */
export interface Warning extends Place {
  readonly message: string;
}

/** The one error of this room: `file:line:column: what is wrong and what to do`. */
export function wrong(at: Place, message: string): DoorwardError {
  return new DoorwardError('blueprint', `${at.file}:${at.line}:${at.column}: ${message}`);
}

/** ` (did you mean x?)` when one of the candidates is close to the name, else nothing. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const close = nearestName(name, candidates);
  return close === null ? '' : ` (did you mean ${close}?)`;
}

/** The candidate that needs the fewest edits to become `name`; null when even that one is far. */
export function nearestName(name: string, candidates: Iterable<string>): string | null {
  let best: string | null = null;
  let fewest = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= fewest || candidate.length > 100) continue;
    const edits = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (edits < fewest) [best, fewest] = [candidate, edits];
  }
  return best;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const change = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
