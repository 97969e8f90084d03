import { describe, expect, test } from 'vitest';
import { readPath } from '../../kernel/json.ts';
import { Secret } from '../../kernel/secrets.ts';
import { attributePath } from '../own-field.ts';
import { draftOf, hasUnsafeName, outgrows, sanitise, writePath } from './attributes.ts';

describe('W14: what a key means', () => {
  test.each([
    ['attributes_a_b', ['a_b']],
    ['attributes_a.b', ['a', 'b']],
    ['attributes.first_name', ['first_name']],
    ['attributes.attributes.foo', ['attributes', 'foo']],
    ['attributes.x.attributes_foo', ['x', 'attributes', 'foo']],
    ['attributes_attributes_foo', ['attributes_foo']],
    ['attributes.', ['']],
    ['attribute_x', null],
    ['attributes', null],
    ['Attributes.x', null],
    ['my_attributes_x', null],
  ])('%s', (key, path) => {
    expect(attributePath(key)).toEqual(path);
  });
});

describe('paths', () => {
  test('W15: missing objects are made, and the last part replaces a whole subtree', () => {
    const draft = draftOf({ a: { b: { c: 1 } } });
    expect(writePath(draft, ['a', 'b'], 'x')).toBe(true);
    expect(writePath(draft, ['n', 'e', 'w'], null)).toBe(true);
    expect(draft).toEqual({ a: { b: 'x' }, n: { e: { w: null } } });
  });

  test.each([['text'], [1], [true], [['a']], [null]])('W16: %j on the way is not passed', (blocking) => {
    const draft = draftOf({ a: blocking });
    expect(writePath(draft, ['a', 'b'], 'x')).toBe(false);
    expect(draft).toEqual({ a: blocking });
  });

  test('names that objects inherit are ordinary members', () => {
    const draft = draftOf({});
    expect(writePath(draft, ['toString', 'valueOf'], 1)).toBe(true);
    expect(draft).toEqual({ toString: { valueOf: 1 } });
    expect(readPath(draft, ['toString', 'valueOf'])).toBe(1);
    expect(readPath({}, ['toString'])).toBeUndefined();
  });

  test('the attributes that a draft was made from stay as they were', () => {
    const attributes = { a: { b: 1 } };
    writePath(draftOf(attributes), ['a', 'b'], 2);
    expect(attributes).toEqual({ a: { b: 1 } });
  });

  test('D-18: a path without end is not followed', () => {
    expect(writePath(draftOf({}), Array(100_000).fill('a'), 1)).toBe(false);
  });
});

describe('values', () => {
  test.each([
    ['text'],
    [''],
    [true],
    [false],
    [0],
    [-1.5],
    [null],
    [[]],
    [['', 0, false, null, 'a']],
    [{ a: { '': {} } }],
  ])('W24, D-10: %j is kept', (value) => {
    expect(sanitise(value)).toEqual(value);
  });

  test.each([
    ['a date', new Date(Date.UTC(2025, 0, 2, 3, 4, 5)), '2025-01-02T03:04:05.000Z'],
    ['a set', new Set(['a', 'b']), ['a', 'b']],
    ['an error', new Error('broken'), 'broken'],
    ['an address', new URL('https://id.example/a'), 'https://id.example/a'],
    ['a big integer', 12n, 12],
    ['something typed in confidence', new Secret('s3cret'), 's3cret'],
    ['a list of dates', [new Date(0)], ['1970-01-01T00:00:00.000Z']],
  ])('W25: %s is converted', (_name, value, converted) => {
    expect(sanitise(value)).toEqual(converted);
  });

  test('W25: text that looks like a date stays as it is', () => {
    expect(sanitise('2025-01-02')).toBe('2025-01-02');
  });

  test.each([
    ['a function', () => 1],
    ['a class', Date],
    ['a symbol', Symbol('s')],
    ['undefined', undefined],
    ['an instance', new Map()],
    ['an invalid date', new Date(Number.NaN)],
    ['NaN', Number.NaN],
    ['an infinity', Number.NEGATIVE_INFINITY],
    ['an integer beyond 2^53', 2 ** 53 + 2],
    ['a big integer beyond 2^53', 2n ** 64n],
    ['NUL', 'a\0b'],
    ['a lone surrogate', 'a\ud800'],
    ['NUL in a name', { 'a\0': 1 }],
    ['any of these deep inside', { a: [{ b: Number.NaN }] }],
    ['a value inside itself', circular()],
  ])('D-18: %s cannot be stored', (_name, value) => {
    expect(sanitise(value)).toBeUndefined();
  });

  test.each(['__proto__', 'constructor', 'prototype'])('W18: a member %s is found at any depth', (name) => {
    const inner: unknown = JSON.parse(`{"${name}": 1}`);
    expect(hasUnsafeName(inner)).toBe(true);
    expect(hasUnsafeName({ a: [[{ b: inner }]] })).toBe(true);
    expect(hasUnsafeName({ a: [name] })).toBe(false);
  });
});

describe('D-18: how large attributes may grow', () => {
  const deep = (levels: number): object => (levels === 1 ? {} : { a: deep(levels - 1) });
  const wide = (members: number) => Object.fromEntries(Array.from({ length: members }, (_, index) => [`m${index}`, 0]));
  const long = (bytes: number) => ({ a: 'x'.repeat(bytes - '{"a":""}'.length) });

  test.each([
    ['32 levels', deep(32), deep(33)],
    ['1,000 members', wide(1_000), wide(1_001)],
    ['1,000 members over all levels', { a: [wide(999)] }, { a: [wide(1_000)] }],
    ['256 KiB', long(256 * 1024), long(256 * 1024 + 1)],
  ])('%s, and no more', (_name, most, more) => {
    expect(outgrows({}, most as never)).toBe(false);
    expect(outgrows({}, more as never)).toBe(true);
  });

  test('what was too large before may stay and may shrink', () => {
    expect(outgrows(wide(2_000), wide(2_000))).toBe(false);
    expect(outgrows(wide(2_000), wide(1_500))).toBe(false);
    expect(outgrows(wide(2_000), wide(2_001))).toBe(true);
  });
});

function circular(): object {
  const value: Record<string, unknown> = {};
  value.self = value;
  return value;
}
