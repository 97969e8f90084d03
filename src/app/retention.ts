/** How long rows are kept that nobody needs any more. Sessions go when they expire, which their sign-in decides. */
import { parseDuration } from '../kernel/duration.ts';
import { DoorwardError, isDoorwardError } from '../kernel/errors.ts';
import { keptByDefault, type Retention, shortest } from '../store/purge.ts';

/** Durations such as `days=365`, or `never` to delete none. */
export interface RetentionOptions {
  /** The audit record; `days=365` by default, as in the reference. */
  readonly events?: string;
  /** Flows that ended or expired; `hours=1` by default, ten minutes at least. */
  readonly runs?: string;
  /** Delivered messages; `days=1` by default. */
  readonly outbox?: string;
}

/** @throws DoorwardError `configuration`, naming the member */
export function retentionOf(options: RetentionOptions = {}): Retention {
  const one = (name: keyof Retention): number => {
    const text = options[name];
    return text === undefined ? keptByDefault[name] : keptFor(`retention.${name}`, text, shortest[name]);
  };
  return { events: one('events'), runs: one('runs'), outbox: one('outbox') };
}

/**
 * @param name for the message: of the option, or of the variable that it comes from
 * @returns milliseconds
 * @throws DoorwardError `configuration`
 */
export function keptFor(name: string, text: string, least = 0): number {
  if (text === 'never') return Number.POSITIVE_INFINITY;
  const wrong = (detail: string) => new DoorwardError('configuration', `${name}: ${detail}`);
  let kept: number;
  try {
    kept = parseDuration(text);
  } catch (error) {
    throw isDoorwardError(error) ? wrong(`${error.detail}, or never`) : error;
  }
  if (kept < least) throw wrong(`"${text}" is too short; at least minutes=${Math.ceil(least / 60_000)}`);
  return kept;
}
