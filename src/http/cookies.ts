/**
 * The session cookie: `a.` for an anonymous browser (a token without a row), `u.` for one that signed in. The value is
 * signed, so a made-up one never reaches the database.
 */
import { newToken } from '../kernel/ids.ts';
import type { Keyring } from '../kernel/secrets.ts';

/** What the cookies depend on. */
export interface CookieSetting {
  readonly origin: string;
  readonly keyring: Keyring;
}

/** A browser's session token, as its cookie says it. */
export interface BrowserToken {
  readonly token: string;
  readonly kind: 'anonymous' | 'signed-in';
}

/** `__Host-` binds the cookie to this host and to HTTPS (RFC 6265bis section 4.1.3.2). */
export function cookieName({ origin }: Pick<CookieSetting, 'origin'>): string {
  return origin.startsWith('https:') ? '__Host-doorward_session' : 'doorward_session';
}

/** The token in the request's cookie; null when there is none that we made. */
export function readSessionCookie(setting: CookieSetting, header: string | null): BrowserToken | null {
  const name = cookieName(setting);
  for (const signed of cookieValues(header, name)) {
    const value = setting.keyring.verify('session', signed);
    const token = value?.slice(2) ?? '';
    if (token === '') continue;
    if (value?.startsWith('a.') === true) return { token, kind: 'anonymous' };
    if (value?.startsWith('u.') === true) return { token, kind: 'signed-in' };
  }
  return null;
}

/** The token of a signed-in session, for `auth.session(request)`. */
export function sessionTokenOf(setting: CookieSetting, request: Request): string | null {
  const browser = readSessionCookie(setting, request.headers.get('cookie'));
  return browser?.kind === 'signed-in' ? browser.token : null;
}

/** What the browser is trusted with beyond its session, as it was sealed; null where no such cookie is ours. */
export function readDeviceCookie(setting: CookieSetting, header: string | null): string | null {
  const ours = (value: string) => value.length < mostDeviceLength && setting.keyring.open('remembered', value) !== null;
  return cookieValues(header, deviceCookieName(setting)).find(ours) ?? null;
}

/** @param until milliseconds since the epoch */
export function deviceCookie(setting: CookieSetting, value: string, { until, now }: { until: number; now: number }) {
  const maxAge = Math.max(0, Math.floor((until - now) / 1000));
  return `${deviceCookieName(setting)}=${value}; Path=/; HttpOnly; SameSite=Lax${secure(setting)}; Max-Age=${maxAge}`;
}

function deviceCookieName({ origin }: Pick<CookieSetting, 'origin'>): string {
  return origin.startsWith('https:') ? '__Host-doorward_device' : 'doorward_device';
}

/** Browsers keep no longer one. */
const mostDeviceLength = 4_096;

function secure({ origin }: Pick<CookieSetting, 'origin'>): string {
  return origin.startsWith('https:') ? '; Secure' : '';
}

function cookieValues(header: string | null, name: string): readonly string[] {
  return (header ?? '').split(';').flatMap((pair) => {
    const at = pair.indexOf('=');
    return at > 0 && pair.slice(0, at).trim() === name ? [pair.slice(at + 1).trim()] : [];
  });
}

/** A token for a browser that has none; nothing is stored of it. */
export function newAnonymous(): BrowserToken {
  return { token: newToken(), kind: 'anonymous' };
}

/** The `Set-Cookie` header. `maxAge` in seconds keeps the cookie beyond the browser's own session. */
export function sessionCookie(setting: CookieSetting, { token, kind }: BrowserToken, maxAge: number | null): string {
  const value = setting.keyring.sign('session', `${kind === 'anonymous' ? 'a' : 'u'}.${token}`);
  const lasting = maxAge === null ? '' : `; Max-Age=${Math.max(0, Math.floor(maxAge))}`;
  return `${cookieName(setting)}=${value}; Path=/; HttpOnly; SameSite=Lax${secure(setting)}${lasting}`;
}
