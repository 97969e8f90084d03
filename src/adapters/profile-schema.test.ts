import { describe, expect, test } from 'vitest';
import { localize } from '../protocol/localize.ts';
import { compileProfile } from './profile-schema.ts';

const problems = async (schema: object, attributes: object) =>
  (await compileProfile(schema))
    .check(attributes as never)
    .map(({ path, problem }) => [path.join('/'), problem.code, localize(problem.text, 'en')]);

describe('what does not fit', () => {
  test.each([
    ['required', { required: ['phone'] }, {}, 'phone', 'required', 'This field is required.'],
    ['minLength', property({ minLength: 3 }), { a: 'x' }, 'a', 'min_length', 'Use at least 3 characters.'],
    ['an empty text', property({ minLength: 1 }), { a: '' }, 'a', 'blank', 'This field may not be blank.'],
    ['maxLength', property({ maxLength: 1 }), { a: 'xx' }, 'a', 'max_length', 'This may have at most 1 characters.'],
    ['minimum', property({ minimum: 3 }), { a: 1 }, 'a', 'min_value', 'This must be at least 3.'],
    ['maximum', property({ maximum: 3 }), { a: 4 }, 'a', 'max_value', 'This may be at most 3.'],
    ['enum', property({ enum: ['x'] }), { a: 'y' }, 'a', 'invalid_choice', 'This is not one of the choices.'],
    ['pattern', property({ pattern: '^x$' }), { a: 'y' }, 'a', 'invalid', 'This does not have the expected form.'],
    ['email', property({ format: 'email' }), { a: 'y' }, 'a', 'invalid', 'Enter a valid email address.'],
    ['uri', property({ format: 'uri' }), { a: 'y' }, 'a', 'invalid', 'This does not have the expected form.'],
    ['type', property({ type: 'string' }), { a: 1 }, 'a', 'invalid', 'This is not a valid value.'],
    ['unknown members', { additionalProperties: false }, { 'b/c': 1 }, 'b/c', 'unknown', 'This is not expected here.'],
    [
      'deep inside',
      property({ items: { type: 'string' } }),
      { a: [1] },
      'a/0',
      'invalid',
      'This is not a valid value.',
    ],
  ])('%s', async (_name, schema, attributes, path, code, words) => {
    expect(await problems(schema, attributes)).toEqual([[path, code, words]]);
  });

  test('all of it is told at once', async () => {
    expect(await problems({ required: ['a', 'b'] }, {})).toHaveLength(2);
  });

  test('draft 7 is read where the schema names it', async () => {
    const schema = { $schema: 'http://json-schema.org/draft-07/schema#', ...property({ type: 'string' }) };
    expect(await problems(schema, { a: 1 })).toHaveLength(1);
  });

  test.each([
    ['a keyword that nobody knows', { requird: ['a'] }],
    ['a type that does not exist', property({ type: 'text' })],
    ['a writer that does not exist', property({ 'x-doorward-write': ['visitors'] })],
    ['a list', []],
    ['a reference that leads nowhere', { $ref: '#/$defs/gone' }],
  ])('%s is an error of the configuration', async (_name, schema) => {
    await expect(compileProfile(schema)).rejects.toMatchObject({ code: 'configuration' });
  });
});

describe('who may write', () => {
  const admin = { 'x-doorward-write': ['administrator'] };
  const schema = {
    properties: {
      open: {},
      level: admin,
      company: { properties: { name: {}, number: admin } },
      closed: { ...admin, properties: { inner: { 'x-doorward-write': ['visitor', 'administrator'] } } },
      referred: { $ref: '#/$defs/restricted' },
      either: { anyOf: [{ type: 'string' }, admin] },
    },
    patternProperties: { '^x_': admin },
    additionalProperties: { 'x-doorward-write': ['library'] },
    $defs: { restricted: admin },
  };

  test.each([
    [['open'], true],
    [['open', 'anything'], true],
    [['company'], true],
    [['company', 'name'], true],
    [['company', 'number'], false],
    [['company', 'number', 'deeper'], false],
    [['level'], false],
    [['closed', 'inner'], false],
    [['referred'], false],
    [['either'], false],
    [['x_1'], false],
    [['unnamed'], false],
    [['toString'], false],
  ])('a visitor, %j: %s', async (path, allowed) => {
    const profile = await compileProfile(schema);
    expect(profile.mayWrite(path, 'visitor')).toBe(allowed);
  });

  test('who is named may', async () => {
    const profile = await compileProfile(schema);
    expect(profile.mayWrite(['company', 'number'], 'administrator')).toBe(true);
    expect(profile.mayWrite(['closed', 'inner'], 'administrator')).toBe(true);
    expect(profile.mayWrite(['unnamed'], 'library')).toBe(true);
    expect(profile.mayWrite(['level'], 'library')).toBe(false);
  });

  test('a schema that refers to itself comes to an end', async () => {
    const tree = {
      $ref: '#/$defs/node',
      $defs: { node: { properties: { child: { $ref: '#/$defs/node' }, key: admin } } },
    };
    const profile = await compileProfile(tree);
    expect(profile.mayWrite(['child', 'child', 'key'], 'visitor')).toBe(false);
    expect(profile.mayWrite(['child', 'child', 'other'], 'visitor')).toBe(true);
  });
});

function property(schema: object): object {
  return { properties: { a: schema } };
}
