/** Codes of an authenticator app (RFC 6238: SHA-1, 30 seconds). */
import type { Json } from '../kernel/json.ts';
import { sameText } from '../kernel/secrets.ts';

const periodMs = 30_000;
/** A clock may be so many steps off for good; more is no drift but somebody who tries old codes. */
const mostDrift = 10;

export interface TotpKey {
  /** Base32. */
  readonly secret: string;
  readonly digits: number;
  /** Steps that the authenticator's clock was off when it was last used. */
  readonly drift: number;
  /** The last step that was accepted. */
  readonly counter: number;
}

/** A key for a new authenticator, base32. */
export async function newTotpSecret(): Promise<string> {
  const { Secret } = await import('otpauth');
  return new Secret({ size: 20 }).base32;
}

export async function totpAddress(
  key: Pick<TotpKey, 'secret' | 'digits'>,
  label: { readonly issuer: string; readonly user: string },
): Promise<string> {
  const { TOTP } = await import('otpauth');
  return new TOTP({ ...key, issuer: label.issuer, label: label.user }).toString();
}

/**
 * The step that a code belongs to, one step to either side of where the clock is expected, and above all that were
 * accepted before (TO-5); null for a wrong code, and for one that was used.
 */
export async function acceptedStep(
  { secret, digits, drift, counter }: TotpKey,
  code: string,
  now: number,
): Promise<{ readonly step: number; readonly drift: number } | null> {
  const { HOTP, Secret } = await import('otpauth');
  const present = Math.floor(now / periodMs);
  const key = Secret.fromBase32(secret);
  let found: { step: number; drift: number } | null = null;
  for (const off of [drift - 1, drift + 1, drift]) {
    const step = present + off;
    const isRight = sameText(HOTP.generate({ secret: key, counter: step, digits }), code);
    if (isRight && step > counter && Math.abs(off) <= mostDrift) found = { step, drift: off };
  }
  return found;
}

/** A code as its digits: clients send it as a number, or with spaces; null for what can be none. */
export function totpCode(value: Json | undefined, digits: number): string | null {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && value >= 0 ? padded(String(value), digits) : null;
  const code = typeof value === 'string' ? value.replace(/[\s-]/g, '') : '';
  return /^\d{1,10}$/.test(code) ? code : null;
}

function padded(code: string, digits: number): string {
  return code.padStart(digits, '0');
}
