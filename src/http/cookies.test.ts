import { describe, expect, it } from 'vitest';
import { Keyring } from '../kernel/secrets.ts';
import {
  deviceCookie,
  newAnonymous,
  readDeviceCookie,
  readSessionCookie,
  sessionCookie,
  sessionTokenOf,
} from './cookies.ts';

const keyring = new Keyring('a secret key of the tests with at least 32 bytes');
const http = { origin: 'http://localhost:9000', keyring };
const https = { origin: 'https://id.example.com', keyring };
const signedIn = { token: 'token', kind: 'signed-in' } as const;
const pair = (cookie: string): string => cookie.split(';')[0] ?? '';

describe('the session cookie (DESIGN: What a visitor meets)', () => {
  it('is bound to host and HTTPS where there is HTTPS', () => {
    expect(sessionCookie(https, signedIn, null)).toMatch(
      /^__Host-doorward_session=u\.token\.[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
    );
    expect(sessionCookie(http, signedIn, null)).toMatch(
      /^doorward_session=u\.token\.[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/,
    );
  });

  it('lasts only where it shall', () => {
    expect(sessionCookie(http, signedIn, 3600.9)).toMatch(/; Max-Age=3600$/);
    expect(sessionCookie(http, signedIn, -5)).toMatch(/; Max-Age=0$/);
  });

  it.each([http, https])('comes back as it went ($origin)', (setting) => {
    const anonymous = newAnonymous();
    for (const browser of [signedIn, anonymous])
      expect(readSessionCookie(setting, `other=1; ${pair(sessionCookie(setting, browser, null))}`)).toEqual(browser);
  });

  it('is not taken from a cookie without the prefix where there is HTTPS', () => {
    expect(readSessionCookie(https, pair(sessionCookie(http, signedIn, null)))).toBeNull();
  });

  it('is found behind a planted one of the same name', () => {
    const good = pair(sessionCookie(http, signedIn, null));
    expect(readSessionCookie(http, `doorward_session=u.planted.xxxxxxyyyy; ${good}`)).toEqual(signedIn);
  });

  const value = pair(sessionCookie(http, signedIn, null)).split('=')[1] ?? '';
  const foreign = new Keyring('another secret key of the tests with 32 bytes');
  it.each([
    ['nothing', ''],
    ['no signature', 'u.token'],
    ['another text', value.replace('u.token', 'u.other')],
    ['another kind', value.replace('u.', 'a.')],
    ['half a signature', value.slice(0, -4)],
    ['another key', foreign.sign('session', 'u.token')],
    ['a signature for another purpose', keyring.sign('step', 'u.token')],
    ['an unknown kind', keyring.sign('session', 'x.token')],
    ['no token', keyring.sign('session', 'u.')],
    ['quotes', `"${value}"`],
    ['dots', '.....'],
    ['length', 'u.'.repeat(5_000)],
  ])('is worth nothing when it is forged: %s', (_, forged) => {
    expect(readSessionCookie(http, `doorward_session=${forged}`)).toBeNull();
  });

  it('gives a signed-in token alone to programs', () => {
    const request = (cookie: string): Request => new Request(http.origin, { headers: { cookie } });
    expect(sessionTokenOf(http, request(pair(sessionCookie(http, signedIn, null))))).toBe('token');
    expect(sessionTokenOf(http, request(pair(sessionCookie(http, newAnonymous(), null))))).toBeNull();
    expect(sessionTokenOf(http, new Request(http.origin))).toBeNull();
  });
});

describe('the cookie of a known device (UL-6)', () => {
  const sealed = keyring.seal('remembered', '[]');

  it('is bound to host and HTTPS, kept from scripts, and ends with what it says', () => {
    expect(deviceCookie(https, sealed, { until: 90_500, now: 500 })).toBe(
      `__Host-doorward_device=${sealed}; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=90`,
    );
    expect(deviceCookie(http, sealed, { until: 0, now: 500 })).toMatch(/^doorward_device=.*; SameSite=Lax; Max-Age=0$/);
  });

  it('comes back as it went, behind a planted one too, and nothing else does', () => {
    const good = pair(deviceCookie(http, sealed, { until: 1, now: 0 }));
    expect(readDeviceCookie(http, `doorward_device=planted; ${good}`)).toBe(sealed);
    const other = keyring.seal('run-secret', '[]');
    for (const header of [null, '', `doorward_device=${other}`, `doorward_device=${'x'.repeat(5_000)}`])
      expect(readDeviceCookie(http, header)).toBeNull();
    expect(readDeviceCookie(https, good)).toBeNull();
  });
});
