/** Rules for text that comes from outside. */

/** Length in Unicode code points, as the databases count it (W33). */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Whether a text can be stored the same on both databases: no NUL, no lone surrogate (CONTRACT: Store). */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** Whether a text has the form of an e-mail address; whether it reaches anybody, only mail can tell. */
export function isAddress(text: string): boolean {
  return /^[^\s@]+@[^\s@]+$/.test(text);
}

/**
 * What a username is compared and unique by: NFKC, lower case (W32). The application computes it, so that both
 * databases agree.
 *
 * @example
 * usernameKey('ADA') === usernameKey('ada');
 */
export function usernameKey(username: string): string {
  return username.normalize('NFKC').toLowerCase().normalize('NFKC');
}
