import { describe, expect, it } from 'vitest';
import { mintStepToken } from '../engine/step-token.ts';
import { hashToken } from '../kernel/ids.ts';
import { Keyring } from '../kernel/secrets.ts';
import type { ReadBody } from './body.ts';
import { checkOrigin, isCautious, readQuery } from './guards.ts';

const keyring = new Keyring('a secret key of the tests with at least 32 bytes');
const own = 'https://id.example.com';
const setting = { origins: [own, 'http://127.0.0.1:9000'], keyring };
const step = (session: string): string =>
  mintStepToken(keyring, { run: 'r', seq: 1, session: hashToken(session), mintedAt: 0 });
const json: ReadBody = { body: {}, stepToken: null, kind: 'json' };
const form: ReadBody = { body: {}, stepToken: null, kind: 'form' };

function allowed(headers: Record<string, string>, body: ReadBody, session: string | null = 'mine'): boolean {
  try {
    checkOrigin(setting, new Request(own, { method: 'POST', headers }), body, session);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'foreign_origin', status: 403 });
    return false;
  }
}

describe('who may post (CONTRACT: Trust)', () => {
  it.each([
    ['our origin', { origin: own }, form, true],
    ['our other origin', { origin: 'http://127.0.0.1:9000' }, json, true],
    ['another site', { origin: 'https://evil.example' }, json, false],
    ['our host on another scheme', { origin: 'http://id.example.com' }, json, false],
    ['our host on another port', { origin: `${own}:8443` }, json, false],
    ['a longer name', { origin: `${own}.evil.example` }, json, false],
    [
      'another site, whatever else it claims',
      { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
      json,
      false,
    ],
    [
      'another site with a token of this session',
      { origin: 'https://evil.example' },
      { ...form, stepToken: step('mine') },
      false,
    ],
    ['a hidden origin', { origin: 'null' }, json, false],
    ['a hidden origin with a token of this session', { origin: 'null' }, { ...form, stepToken: step('mine') }, false],
    ['a hidden origin of the same site', { origin: 'null', 'sec-fetch-site': 'same-origin' }, form, true],
    ['a hidden origin of another site', { origin: 'null', 'sec-fetch-site': 'cross-site' }, form, false],
    ['no origin, the same site', { 'sec-fetch-site': 'same-origin' }, form, true],
    ['no origin, a neighbour', { 'sec-fetch-site': 'same-site' }, json, false],
    ['no origin, another site', { 'sec-fetch-site': 'cross-site' }, json, false],
    ['no origin, typed', { 'sec-fetch-site': 'none' }, form, false],
    ['a program with JSON', {}, json, true],
    ['a program with a form', {}, form, false],
    ['a form with a token of this session', {}, { ...form, stepToken: step('mine') }, true],
    ['a form with a token of another session', {}, { ...form, stepToken: step('other') }, false],
    ['a form with a forged token', {}, { ...form, stepToken: `${step('mine')}x` }, false],
  ] as const)('%s', (_, headers, body, expected) => {
    expect(allowed(headers, body)).toBe(expected);
  });

  it('takes no token for a browser without a session', () => {
    expect(allowed({}, { ...form, stepToken: step('') }, null)).toBe(false);
  });
});

describe('a request to be careful with (DESIGN: What a visitor meets)', () => {
  it.each([
    ['GET', {}, false],
    ['GET', { 'sec-fetch-site': 'same-origin' }, false],
    ['GET', { 'sec-fetch-site': 'none' }, false],
    ['GET', { 'sec-fetch-site': 'cross-site' }, true],
    ['GET', { 'sec-fetch-site': 'same-site' }, true],
    ['GET', { 'sec-purpose': 'prefetch;prerender', 'sec-fetch-site': 'same-origin' }, true],
    ['GET', { purpose: 'prefetch' }, true],
    ['HEAD', {}, true],
  ] as const)('%s %j: %s', (method, headers, expected) => {
    expect(isCautious(new Request(own, { method, headers }))).toBe(expected);
  });
});

describe('a query', () => {
  it('is a map without prototype; the first of several values counts', () => {
    const query = readQuery('?a=1&a=2&b=x+y%20z&__proto__=p&c');
    expect(Object.entries(query)).toEqual([
      ['a', '1'],
      ['b', 'x y z'],
      ['__proto__', 'p'],
      ['c', ''],
    ]);
    expect(Object.getPrototypeOf(query)).toBeNull();
  });

  it.each([
    ['NUL', 'a=%00'],
    ['NUL in a name', '%00=a'],
    ['a lone surrogate', 'a=%ED%A0%80'],
    ['half an escape', 'a=%4'],
    ['no UTF-8', 'a=%ff'],
    ['length', `a=${'x'.repeat(8_192)}`],
  ])('is refused for %s', (_, search) => {
    expect(() => readQuery(search)).toThrow(/invalid_request/);
  });
});
