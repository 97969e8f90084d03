import { describe, expect, test } from 'vitest';
import {
  attributeField,
  changedPaths,
  noProvenance,
  type Origin,
  type Provenance,
  provenanceByField,
  withProvenance,
} from './provenance.ts';

const form: Origin = { kind: 'prompt', flow: 'sign-up', stage: 'details' };
const program: Origin = { kind: 'program', via: 'library' };

function recorded(known: Provenance, fields: readonly string[], origin: Origin, attributes = {}): Provenance {
  return withProvenance(known, new Map(fields.map((field) => [field, origin])), attributes, { at: 1, by: 'self' });
}

describe('provenance', () => {
  test('names each origin once', () => {
    const known = recorded(noProvenance, ['name', 'email'], { ...form });
    expect(known).toEqual({ origins: [form], fields: { name: [0, 1, 'self'], email: [0, 1, 'self'] } });
  });

  test('is replaced field by field, and forgets origins of which nothing is left', () => {
    const known = recorded(recorded(noProvenance, ['name', 'email'], form), ['name', 'email'], program);
    expect(known.origins).toEqual([program]);
    const half = recorded(known, ['name'], form);
    expect(provenanceByField(half).get('email')).toEqual({ origin: program, at: 1, by: 'self' });
    expect(provenanceByField(half).get('name')?.origin).toEqual(form);
  });

  test('of parts goes when the whole is written, or when they are gone; that of the whole stays for the other parts', () => {
    const parts = recorded(noProvenance, ['attributes.a.b', 'attributes.a.c', 'attributes.ab'], form, {
      a: { b: 1, c: 1 },
      ab: 1,
    });
    const whole = recorded(parts, ['attributes.a'], program, { a: { b: 2 }, ab: 1 });
    expect(Object.keys(whole.fields)).toEqual(['attributes.ab', 'attributes.a']);
    const part = recorded(whole, ['attributes.a.b'], form, { a: { b: 3 } });
    expect(Object.keys(part.fields)).toEqual(['attributes.a', 'attributes.a.b']);
  });

  test('tells a dot in a name from a dot in a path', () => {
    expect(attributeField(['a.b', 'c\\d', ''])).toBe('attributes.a\\.b.c\\\\d.');
    const attributes = { 'a.b': { 'c\\d': { '': 1 } } };
    const known = recorded(noProvenance, [attributeField(['a.b', 'c\\d', ''])], form, attributes);
    expect(Object.keys(recorded(known, ['name'], form, attributes).fields)).toHaveLength(2);
    expect(Object.keys(recorded(known, ['name'], form, { a: { b: 1 } }).fields)).toEqual(['name']);
  });
});

test.each([
  [{}, { a: 1 }, [['a']]],
  [{ a: 1 }, {}, [['a']]],
  [{ a: { b: 1, c: 1 } }, { a: { b: 1, c: 2 } }, [['a', 'c']]],
  [{ a: 1 }, { a: { b: 1 } }, [['a']]],
  [{ a: { b: 1 } }, { a: 1 }, [['a']]],
  [{}, { a: {} }, [['a']]],
  [
    {},
    { a: { b: 1, c: [1] } },
    [
      ['a', 'b'],
      ['a', 'c'],
    ],
  ],
  [{ a: [1] }, { a: [1, 2] }, [['a']]],
  [{ a: { b: 1, c: 2 } }, { a: { c: 2, b: 1 } }, []],
])('from %j to %j the changed values are %j', (before, now, paths) => {
  expect(changedPaths(before, now)).toEqual(paths);
});
