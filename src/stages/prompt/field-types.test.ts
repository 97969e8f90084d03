import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/support/properties.ts';
import type { Json } from '../../kernel/json.ts';
import { Secret } from '../../kernel/secrets.ts';
import { type PromptType, promptTypes } from '../../protocol/challenge.ts';
import { promptField } from './field.ts';
import { fieldTypes } from './field-types.ts';

/** What is kept, or `!code`; a password prints as `secret:…`. */
type Verdict = unknown;

const png = 'data:image/png;base64,aGVsbG8=';

/** [typed, when required, when optional (the same unless told)] */
type Case = readonly [typed: Json, required: Verdict, optional?: Verdict];

const textCases: readonly Case[] = [
  ['Ada', 'Ada'],
  ['  spaced  ', '  spaced  '],
  ['', '!blank', ''],
  ['   ', '   '],
  [7, '7'],
  [-0.5, '-0.5'],
  [true, '!invalid'],
  [null, '!null'],
  [['Ada'], '!invalid'],
  [{ a: 'Ada' }, '!invalid'],
  ['nul\0', '!invalid'],
  ['lone \ud800', '!invalid'],
];

const choiceCases: readonly Case[] = [
  ['red', 'red'],
  ['2', '2'],
  [2, '2'],
  ['green', '!invalid_choice'],
  ['Red', '!invalid_choice'],
  ['', '!blank', ''],
  [null, '!null'],
  [['red'], '!invalid_choice'],
  [{}, '!invalid_choice'],
];

/** What the server itself answers is not parsed here. */
const fixed: readonly Case[] = [];

const cases: Readonly<Record<PromptType, readonly Case[]>> = {
  text: [...textCases, ['a'.repeat(10_000), 'a'.repeat(10_000)], ['a'.repeat(10_001), '!max_length']],
  text_area: [...textCases, ['a'.repeat(100_001), '!max_length']],
  text_read_only: fixed,
  text_area_read_only: fixed,
  username: [
    [' ada ', 'ada'],
    ['   ', '!blank', ''],
    [7, '7'],
    [true, '!invalid'],
    [null, '!null'],
    ['😀'.repeat(150), '😀'.repeat(150)],
    ['a'.repeat(151), '!max_length'],
  ],
  email: [
    ['ada@example.com', 'ada@example.com'],
    [' ada@example.com ', 'ada@example.com'],
    ["o'hara+tag@sub.example.co", "o'hara+tag@sub.example.co"],
    ['ada@bücher.example', 'ada@bücher.example'],
    ['root@localhost', 'root@localhost'],
    ['ada', '!invalid'],
    ['ada@', '!invalid'],
    ['@example.com', '!invalid'],
    ['ada@example', '!invalid'],
    ['a..b@example.com', '!invalid'],
    ['ada@example.com\nBcc: x@example.com', '!invalid'],
    ['ada lovelace@example.com', '!invalid'],
    ['a@b@example.com', '!invalid'],
    ['ada@-example.com', '!invalid'],
    ['ada@127.0.0.1', '!invalid'],
    [`${'a'.repeat(65)}@example.com`, '!invalid'],
    [`a@${'b.'.repeat(130)}com`, '!max_length'],
    ['', '!blank', ''],
    [null, '!null'],
    [false, '!invalid'],
  ],
  password: [
    ['correct horse', 'secret:correct horse'],
    ['  padded  ', 'secret:  padded  '],
    ['A\u030aaaaaaaaa', 'secret:\u00c5aaaaaaaa'],
    ['seven77', '!min_length'],
    ['a'.repeat(256), `secret:${'a'.repeat(256)}`],
    ['a'.repeat(257), '!max_length'],
    [12345678, 'secret:12345678'],
    ['', '!blank', undefined],
    [null, '!null'],
    [true, '!invalid'],
    ['correct\0horse', '!invalid'],
  ],
  number: [
    [5, 5],
    ['5', 5],
    [' -5 ', -5],
    ['5.0', 5],
    ['-0', 0],
    [9007199254740991, 9007199254740991],
    ['9007199254740993', '!invalid'],
    [1e300, '!invalid'],
    [1.5, '!invalid'],
    ['1e3', '!invalid'],
    ['0x10', '!invalid'],
    ['five', '!invalid'],
    [true, '!invalid'],
    ['', '!blank', null],
    [null, '!null', null],
  ],
  checkbox: [
    [true, true],
    ['on', true],
    ['1', true],
    ['YES', true],
    [1, true],
    [false, false],
    ['off', false],
    [0, false],
    ['', false],
    ['maybe', '!invalid'],
    [2, '!invalid'],
    [null, '!null'],
    [[], '!invalid'],
  ],
  'radio-button-group': choiceCases,
  dropdown: choiceCases,
  date: [
    ['2024-02-29', '2024-02-29'],
    ['0001-01-01', '0001-01-01'],
    ['2023-02-29', '!invalid'],
    ['2023-13-01', '!invalid'],
    ['0000-01-01', '!invalid'],
    ['29.02.2024', '!invalid'],
    ['2024-2-9', '!invalid'],
    ['2024-02-29T00:00', '!invalid'],
    [20240229, '!invalid'],
    ['', '!blank', null],
    [null, '!null', null],
  ],
  'date-time': [
    ['2024-02-29T12:30', '2024-02-29T12:30:00Z'],
    ['2024-02-29 12:30:15', '2024-02-29T12:30:15Z'],
    ['2024-02-29T12:30:15.250Z', '2024-02-29T12:30:15.250Z'],
    ['2024-02-29T12:30:15.123456+02:00', '2024-02-29T10:30:15.123Z'],
    ['2024-02-29T12:30-0530', '2024-02-29T18:00:00Z'],
    ['2023-02-29T12:30', '!invalid'],
    ['2024-02-29T24:00', '!invalid'],
    ['2024-02-29T12:60', '!invalid'],
    ['2024-02-29', '!invalid'],
    ['0001-01-01T00:00+02:00', '!invalid'],
    ['noon', '!invalid'],
    ['', '!blank', null],
    [null, '!null', null],
  ],
  file: [
    [png, png],
    ['data:text/plain;charset=utf-8;base64,', 'data:text/plain;charset=utf-8;base64,'],
    ['http://example.com/x.png', '!invalid'],
    ['data:image/png,hello', '!invalid'],
    ['data:image/png;base64,a', '!invalid'],
    ['data:image/png;base64,<b>', '!invalid'],
    ['data:text/html"><script>;base64,aaaa', '!invalid'],
    [`data:;base64,${'AAAA'.repeat(34)}`, '!max_size'],
    ['', '!blank', ''],
    [null, '!null'],
  ],
  separator: fixed,
  hidden: fixed,
  static: fixed,
  'ak-locale': [
    ['de', 'de'],
    ['', ''],
    ['xx', '!invalid_choice'],
    ['toString', '!invalid_choice'],
    [null, '!null'],
    [true, '!invalid'],
  ],
  'multi-select': [
    [
      ['red', '2'],
      ['red', '2'],
    ],
    [['red', 'red'], ['red']],
    ['red', ['red']],
    [[], '!required', []],
    ['', '!required', []],
    [['red', 'green'], '!invalid_choice'],
    [[['red']], '!invalid_choice'],
    [{}, '!invalid'],
    [null, '!null'],
  ],
};

function verdict(type: PromptType, required: boolean, typed: Json): Verdict {
  const field = promptField.parse({ name: 'f', field_key: 'password', label: 'F', type, required, max_size: 100 });
  const parsed = fieldTypes[type].parse(typed, field, ['red', '2', 'blue']);
  if ('problem' in parsed) return `!${parsed.problem.code}`;
  return parsed.value instanceof Secret ? `secret:${parsed.value.reveal()}` : parsed.value;
}

describe.each(promptTypes)('type %s', (type) => {
  it.each(cases[type].map((each) => [each[0], each[1], each.length > 2 ? each[2] : each[1]] as const))(
    'reads %j',
    (typed, required, optional) => {
      expect(verdict(type, true, typed)).toEqual(required);
      expect(verdict(type, false, typed)).toEqual(optional);
    },
  );

  it('fails at no JSON, whatever comes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (typed, required) => {
        verdict(type, required, typed as Json);
      }),
    );
  });
});

it('asks for a minimum length where a password is chosen, not of other secrets', () => {
  const field = promptField.parse({ name: 'f', field_key: 'pin', label: 'PIN', type: 'password' });
  expect(fieldTypes.password.parse('1234', field, [])).toHaveProperty('value');
});

it('max_length of the field counts code points; it cannot raise the cap of a username (W33)', () => {
  const field = (type: PromptType, max_length: number) =>
    promptField.parse({ name: 'f', field_key: 'x', label: 'X', type, max_length });
  expect(fieldTypes.text.parse('😀😀😀', field('text', 3), [])).toHaveProperty('value');
  expect(fieldTypes.text.parse('😀😀😀😀', field('text', 3), [])).toHaveProperty('problem.code', 'max_length');
  expect(fieldTypes.text.parse('a'.repeat(20_000), field('text', 20_000), [])).toHaveProperty('value');
  expect(fieldTypes.username.parse('a'.repeat(151), field('username', 500), [])).toHaveProperty(
    'problem.code',
    'max_length',
  );
});

it('keeps a choice as it was given, not as it was typed', () => {
  const field = promptField.parse({ name: 'f', field_key: 'x', label: 'X', type: 'dropdown' });
  expect(fieldTypes.dropdown.parse('7', field, [5, 7, true])).toEqual({ value: 7 });
  expect(fieldTypes.dropdown.parse('True', field, [5, 7, true])).toEqual({ value: true });
});
