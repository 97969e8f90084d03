import { describe, expect, test } from 'vitest';
import type { PromptData } from '../../engine/plan-context.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { Secret } from '../../kernel/secrets.ts';
import { type Changes, type DispatchRules, dispatch, protectedFields } from './dispatch.ts';

const rules: DispatchRules = {
  attributes: {},
  writable: [],
  impersonating: false,
  trustedHashes: false,
  addressesVerifiedAt: null,
};

function changesOf(data: PromptData | JsonObject, given: Partial<DispatchRules> = {}): Changes {
  const dispatched = dispatch(pairsOf(data), { ...rules, ...given });
  if (!dispatched.ok) throw new Error(dispatched.why);
  return dispatched.changes;
}

function refusalOf(data: PromptData | JsonObject, given: Partial<DispatchRules> = {}): string | null {
  const dispatched = dispatch(pairsOf(data), { ...rules, ...given });
  return dispatched.ok ? null : dispatched.why;
}

function pairsOf(data: PromptData | JsonObject): PromptData {
  return Array.isArray(data) ? data : Object.entries(data);
}

test('W10: component is dropped and not reported', () => {
  expect(changesOf({ component: 'ak-stage-prompt' })).toMatchObject({ written: [], discarded: [] });
});

describe('W11, D-4: the password', () => {
  test.each([
    ['typed in confidence', new Secret('n3w')],
    ['as text', 'n3w'],
  ])('%s', (_name, value) => {
    const changes = changesOf([['password', value]]);
    expect(changes.password).toEqual({ plain: 'n3w' });
    expect(changes.written).toEqual([{ key: 'password', field: 'password' }]);
  });

  test.each([[null], [''], [1], [true], [{}], [[]], ['a\0b'], [new Secret('')]])('%j is refused', (value) => {
    expect(refusalOf([['password', value]])).toMatch(/password/);
  });

  test('a refusal names no value', () => {
    expect(refusalOf([['password', 's3cret\0']])).not.toMatch(/s3cret/);
  });
});

test('W11b: password_hash counts only in an unattended run with trusted hashes', () => {
  expect(changesOf({ password_hash: '$argon2id$x' }).discarded).toEqual([{ key: 'password_hash', reason: 'unknown' }]);
  const trusted = changesOf({ password_hash: '$argon2id$x' }, { trustedHashes: true });
  expect(trusted.password).toEqual({ hash: '$argon2id$x' });
  expect(trusted.written).toEqual([{ key: 'password_hash', field: 'password' }]);
});

test('W12: groups, id and pk are never written', () => {
  expect(changesOf({ groups: ['admins'], id: 1, pk: 1 }, { writable: protectedFields }).discarded).toEqual([
    { key: 'groups', reason: 'disallowed' },
    { key: 'id', reason: 'disallowed' },
    { key: 'pk', reason: 'disallowed' },
  ]);
});

describe('the profile schema keeps a value from being replaced', () => {
  const mayReplace: NonNullable<DispatchRules['mayReplace']> = (key, path, { before, after }) =>
    key === 'attributes.trusted' || path[0] !== 'level' || before === after;

  test('a path, and a member of attributes, are discarded', () => {
    const given = { mayReplace, attributes: { level: 1 } };
    const changes = changesOf({ 'attributes.level': 2, attributes: { level: 3, a: 1 } }, given);
    expect(changes.attributes).toEqual({ level: 1, a: 1 });
    expect(changes.discarded).toEqual([
      { key: 'attributes.level', reason: 'protected' },
      { key: 'attributes', member: 'level', reason: 'protected' },
    ]);
    expect(changes.written).toEqual([{ key: 'attributes', field: 'attributes' }]);
  });

  test('W16 to W18: what is no path at all is told first', () => {
    const nobody = { mayReplace: () => false };
    expect(
      changesOf({ 'attributes.': 1, 'attributes.__proto__': 1 }, nobody).discarded.map(({ reason }) => reason),
    ).toEqual(['empty_path', 'unsafe_path']);
  });
});

describe('W13: attributes as an object', () => {
  test.each([[null], [1], ['text'], [[]], [true]])('%j would overwrite them all and is refused', (value) => {
    expect(refusalOf({ attributes: value })).toMatch('Attempt to overwrite complete attributes');
  });

  test('its members replace top-level attributes, and a dot in a name is literal', () => {
    const { attributes } = changesOf(
      { attributes: { a: { new: 1 }, 'b.c': 2 } },
      { attributes: { a: { old: 1 }, d: 3 } },
    );
    expect(attributes).toEqual({ a: { new: 1 }, 'b.c': 2, d: 3 });
  });

  test('keys apply in order, the later wins', () => {
    expect(
      changesOf([
        ['attributes.a.b', 1],
        ['attributes', { a: 2 }],
      ]).attributes,
    ).toEqual({ a: 2 });
    expect(
      changesOf([
        ['attributes', { a: {} }],
        ['attributes.a.b', 1],
      ]).attributes,
    ).toEqual({ a: { b: 1 } });
  });

  test('D-5: two forms that write under one name do not erase each other', () => {
    const { attributes } = changesOf({ 'attributes.settings.locale': 'de', 'attributes.settings.theme': 'dark' });
    expect(attributes).toEqual({ settings: { locale: 'de', theme: 'dark' } });
  });

  test("D-16: the product's own members are not written, the others are", () => {
    const changes = changesOf({ attributes: { 'goauthentik.io/user/sources': ['evil'], a: 1 } });
    expect(changes.attributes).toEqual({ a: 1 });
    expect(changes.written).toEqual([{ key: 'attributes', field: 'attributes' }]);
    expect(changes.discarded).toEqual([
      { key: 'attributes', member: 'goauthentik.io/user/sources', reason: 'protected' },
    ]);
  });

  test('D-16: with nothing but such members the key was not written', () => {
    expect(changesOf({ attributes: { 'goauthentik.io/x': 1 } }).written).toEqual([]);
    expect(changesOf({ attributes: {} }).written).toHaveLength(1);
  });

  test('a value that cannot be stored is refused', () => {
    expect(refusalOf({ attributes: { a: Number.NaN } })).toMatch(/attribute/);
  });
});

describe('a single attribute', () => {
  test('W14, W15: is written at its path', () => {
    const changes = changesOf(
      { attributes_a_b: 1, 'attributes.c.d': { e: 2 } },
      { attributes: { c: { x: 0, d: 'old' } } },
    );
    expect(changes.attributes).toEqual({ a_b: 1, c: { x: 0, d: { e: 2 } } });
    expect(changes.written).toEqual([
      { key: 'attributes_a_b', field: 'attributes.a_b' },
      { key: 'attributes.c.d', field: 'attributes.c.d' },
    ]);
  });

  test('W16, D-6: a value on the way that is no object refuses the write', () => {
    expect(refusalOf({ 'attributes.a.b': 1 }, { attributes: { a: null } })).toMatch(/not an object/);
  });

  test.each(['attributes.', 'attributes_', 'attributes..x', 'attributes.a..b', 'attributes.a.'])(
    'W17, D-7: %s has an empty part and is discarded',
    (key) => {
      expect(changesOf({ [key]: 1 })).toMatchObject({ attributes: {}, discarded: [{ key, reason: 'empty_path' }] });
    },
  );

  test('W17: an empty member name inside a value is kept', () => {
    expect(changesOf({ 'attributes.a': { '': 1 } }).attributes).toEqual({ a: { '': 1 } });
  });

  test.each(['__proto__', 'constructor', 'prototype'])('W18, D-8: %s reaches no prototype', (name) => {
    const value = JSON.parse(`{"b": [{"${name}": {"polluted": true}}]}`);
    const keys = [
      `attributes.${name}`,
      `attributes.${name}.polluted`,
      `attributes_a.${name}`,
      'attributes.v',
      'attributes',
    ];
    for (const key of keys) {
      expect(changesOf([[key, value]])).toMatchObject({ attributes: {}, discarded: [{ key, reason: 'unsafe_path' }] });
    }
    expect('polluted' in {}).toBe(false);
  });

  test('a path is checked in the order W17, W18, W16', () => {
    const attributes = { a: 'text' };
    expect(changesOf({ 'attributes.__proto__.': 1 }, { attributes }).discarded[0]?.reason).toBe('empty_path');
    expect(changesOf({ 'attributes.a.constructor': 1 }, { attributes }).discarded[0]?.reason).toBe('unsafe_path');
  });
});

describe('W19, D-17: username, name and email are text', () => {
  test.each([
    ['text', 'Ada', 'Ada'],
    ['a number', 5, '5'],
    ['a fraction', 0.5, '0.5'],
    ['a bool', true, 'true'],
    ['typed in confidence', new Secret('Ada'), 'Ada'],
    ['empty', '', ''],
  ])('%s', (_name, value, text) => {
    expect(changesOf([['name', value]]).columns).toEqual({ name: text });
  });

  test.each([[null], [{}], [[]], ['a\0'], ['\udc00'], [Number.NaN], [2 ** 60]])('%j is refused', (value) => {
    for (const key of ['username', 'name', 'email']) expect(refusalOf([[key, value]])).toMatch(/text/);
  });
});

describe('W20, D-1: protected fields', () => {
  const all = { path: 'p', type: 'internal', is_active: false };

  test('are discarded where the stage does not list them', () => {
    const changes = changesOf(all);
    expect(changes.columns).toEqual({});
    expect(changes.discarded).toEqual(Object.keys(all).map((key) => ({ key, reason: 'protected' })));
  });

  test('are written where it does', () => {
    expect(changesOf(all, { writable: protectedFields }).columns).toEqual({
      path: 'p',
      type: 'internal',
      isActive: false,
    });
  });

  test.each([
    ['path', ''],
    ['path', 1],
    ['type', 'internal_service_account'],
    ['type', 'bogus'],
    ['type', null],
    ['is_active', 'true'],
    ['is_active', 1],
  ])('%s does not take %j', (key, value) => {
    expect(refusalOf({ [key]: value }, { writable: protectedFields })).toMatch(/protected/);
  });

  test('nobody is activated or deactivated while impersonating', () => {
    const changes = changesOf({ is_active: 'x' }, { writable: protectedFields, impersonating: true });
    expect(changes.discarded).toEqual([{ key: 'is_active', reason: 'protected' }]);
  });
});

describe('W21, D-1: every other name is discarded', () => {
  test.each(['uuid', 'date_joined', 'last_login', 'is_superuser', 'is_staff', 'password_change_date', 'last_updated'])(
    '%s is protected',
    (key) => {
      expect(changesOf({ [key]: 1 }, { writable: protectedFields }).discarded).toEqual([{ key, reason: 'protected' }]);
    },
  );

  test.each([
    ...['first_name', 'uid', 'avatar', 'save', 'check_password', 'unusable_password', 'password_repeat', '__proto__'],
    ...['constructor', 'toString', '', 'a.b', 'isActive', 'passwordChangedAt', 'Username', 'attribute_x', 'component '],
  ])('%j is unknown', (key) => {
    const changes = changesOf([[key, 1]]);
    expect(changes).toMatchObject({ columns: {}, attributes: {}, discarded: [{ key, reason: 'unknown' }] });
  });
});

test('W23, D-9: prompt_data stays as it was for later stages', () => {
  const value = Object.freeze({ b: Object.freeze({ c: 1 }) });
  const pairs: PromptData = Object.freeze([
    Object.freeze(['component', 'x'] as const),
    Object.freeze(['attributes.a', value] as const),
    Object.freeze(['attributes.a.b.c', 2] as const),
  ]);
  expect(changesOf(pairs).attributes).toEqual({ a: { b: { c: 2 } } });
  expect(value).toEqual({ b: { c: 1 } });
});

test('W25, D-18: a key that cannot be stored refuses the write', () => {
  expect(refusalOf({ 'x\0': 1 })).toMatch(/key/);
  expect(refusalOf({ 'attributes.\ud800': 1 })).toMatch(/key/);
});
