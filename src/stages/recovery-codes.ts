import { randomInt } from 'node:crypto';

/** Without letters and digits that are taken for each other. */
const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';

/** A recovery code. It has a letter, so that it is never taken for a code of an authenticator app. */
export function newRecoveryCode(length: number): string {
  const letters = Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
  return /[a-z]/.test(letters) ? letters : newRecoveryCode(length);
}

/** A typed recovery code as it was given out: case, spaces and hyphens do not count. */
export function recoveryCodeTyped(typed: string): string {
  return typed.replace(/[\s-]/g, '').toLowerCase();
}
