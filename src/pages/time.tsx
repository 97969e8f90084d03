import type { Words } from './words.ts';

/** A moment in UTC, until the page's script makes it the visitor's own time. `at` in milliseconds since the epoch. */
export function Time({ at, words }: { readonly at: number; readonly words: Words }) {
  const format = new Intl.DateTimeFormat(words.locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
  return <time datetime={new Date(at).toISOString()}>{format.format(at)} UTC</time>;
}
