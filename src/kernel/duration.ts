import { DoorwardError } from './errors.ts';

const unitMilliseconds: Readonly<Record<string, number>> = {
  microseconds: 0.001,
  milliseconds: 1,
  seconds: 1_000,
  minutes: 60_000,
  hours: 3_600_000,
  days: 86_400_000,
  weeks: 604_800_000,
};

/**
 * The reference's duration text (`minutes=30;seconds=5`, stages.md B-6) in milliseconds. Unknown units are ignored;
 * a text without any known unit is an error.
 *
 * @example
 * parseDuration('minutes=30') === 1_800_000;
 * @throws DoorwardError `invalid_request`
 */
export function parseDuration(text: string): number {
  const found = durationIn(text);
  if (found === null)
    throw new DoorwardError(
      'invalid_request',
      `"${text}" is not a duration; write for example minutes=30 or days=1;hours=12`,
    );
  return found;
}

/** Whether `parseDuration` reads it, and it does not reach into the past. */
export function isDuration(text: string): boolean {
  const found = durationIn(text);
  return found !== null && found >= 0;
}

/** Whether it is a duration of more than nothing. */
export function isPositiveDuration(text: string): boolean {
  return isDuration(text) && parseDuration(text) > 0;
}

function durationIn(text: string): number | null {
  let total = 0;
  let known = 0;
  for (const part of text.split(';')) {
    const [unit = '', amount = ''] = part.split('=');
    const factor = unitMilliseconds[unit.trim().toLowerCase()];
    const number = Number(amount.trim());
    if (factor === undefined || amount.trim() === '' || !Number.isFinite(number)) continue;
    total += factor * number;
    known += 1;
  }
  return known === 0 ? null : total;
}
