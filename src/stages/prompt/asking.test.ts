import { describe, expect, it } from 'vitest';
import { Secret } from '../../kernel/secrets.ts';
import { promptTypes } from '../../protocol/challenge.ts';
import { localize } from '../../protocol/localize.ts';
import { deskFor } from '../../testing/desk.ts';
import { ada, ask, collected, deskOf, problems, reply, shown } from '../../testing/prompt-rig.ts';
import { promptField } from './field.ts';
import { prompt } from './stage.ts';

describe('asking', () => {
  it('render: shows key, label, placeholder, in order and then by name', async () => {
    const fields = await ask([
      { field_key: 'b', label: 'B', placeholder: 'hint', order: 2 },
      { field_key: 'z', name: '2', order: 1 },
      { field_key: 'a', name: '1', order: 1, sub_text: '<b onclick=x>bold</b>', required: true },
    ]);
    expect(fields.map(({ field_key }) => field_key)).toEqual(['a', 'z', 'b']);
    expect(fields[2]).toEqual({
      ...{ field_key: 'b', label: 'B', type: 'text', required: false, placeholder: 'hint' },
      ...{ initial_value: '', order: 2, sub_text: '', choices: null },
    });
    expect(fields[0]).toMatchObject({ required: true, sub_text: '<b>bold</b>' });
  });

  it('every type × required can be asked', async () => {
    const fields = promptTypes.flatMap((type) =>
      [true, false].map((required) => ({ field_key: `${type} ${required}`, type, required })),
    );
    expect(await ask(fields)).toHaveLength(fields.length);
  });

  it('save with a bad type is refused, and so are keys that the protocol needs', () => {
    const config = { name: 'f', label: 'F', field_key: 'f' };
    expect(promptField.safeParse({ ...config, type: 'bad' }).success).toBe(false);
    expect(promptField.safeParse({ ...config, type: 'text', field_key: 'component' }).success).toBe(false);
    expect(promptField.safeParse({ ...config, type: 'text' }).success).toBe(true);
  });

  it('of two prompts with one key the later counts', async () => {
    const fields = await ask([
      { field_key: 'a', label: 'first', order: 1 },
      { field_key: 'b', order: 2 },
      { field_key: 'a', label: 'second', order: 3 },
    ]);
    expect(fields.map(({ label }) => label)).toEqual(['b', 'second']);
  });
});

describe('what stands in a field at first', () => {
  it('PR-3: the context wins over the text, the text over nothing; values in the reference spelling', async () => {
    const fields = [
      { field_key: 'a', initial_value: 'text' },
      { field_key: 'b', initial_value: 'text' },
      { field_key: 'c' },
      { field_key: 'd', type: 'checkbox', initial_value: 'false' },
      { field_key: 'e', type: 'checkbox', initial_value: 'true' },
    ];
    const asked = await ask(fields, { context: { prompt_data: { b: 'context', c: true } } });
    expect(asked.map(({ initial_value }) => initial_value)).toEqual(['text', 'context', 'True', '', 'True']);
  });

  it('PR-12: an earlier password is never shown, under whatever type', async () => {
    const context = { prompt_data: [['password', new Secret('correct horse')]] } as const;
    for (const type of ['password', 'text', 'hidden', 'static'])
      expect(
        await ask([{ field_key: 'password', type, initial_value: type === 'password' ? 'config' : '' }], { context }),
      ).toMatchObject([{ initial_value: '' }]);
  });

  it('an expression that cannot run is neither shown nor taken, and is logged', async () => {
    const fields = [
      { field_key: 'a', placeholder: 'return 1', placeholder_expression: true },
      { field_key: 'b', initial_value: 'return 1', initial_value_expression: true },
      { field_key: 'c', type: 'dropdown', placeholder: 'return 1', placeholder_expression: true },
    ];
    const desk = deskOf(fields);
    expect(shown(await prompt.enter(desk))).toMatchObject([
      { placeholder: '', initial_value: '' },
      { placeholder: '', initial_value: '' },
      { placeholder: '', initial_value: '', choices: [] },
    ]);
    expect(desk.logged).toHaveLength(3);
    expect(collected(await reply(fields, { c: '' }))).toEqual({ c: '' });
  });

  it('PR-2: the placeholder never comes from the context', async () => {
    const context = { prompt_data: { a: 'context' } };
    expect(await ask([{ field_key: 'a', placeholder: 'text' }], { context })).toMatchObject([{ placeholder: 'text' }]);
  });
});

describe('texts and failures', () => {
  it('PR-11: a static text from the context is cleaned', async () => {
    const context = { prompt_data: { a: '<img src=x onerror=alert(1)><b>Hi</b>' } };
    expect(await ask([{ field_key: 'a', type: 'static' }], { context })).toMatchObject([
      { initial_value: '<b>Hi</b>' },
    ]);
  });

  it('an administrator can write texts in several languages', async () => {
    const field = {
      label: { $lang: { en: 'Hello', de: 'Hallo' } },
      sub_text: { $lang: { en: '<u>x</u>', de: '<b>y</b>' } },
    };
    const [asked] = await ask(
      [{ field_key: 'a', type: 'static', initial_value: { $lang: { en: 'one', de: 'eins' } }, ...field }],
      {
        visitor: { locale: 'de' },
      },
    );
    expect(
      [asked?.label, asked?.initial_value, asked?.sub_text].map((shownText) => localize(shownText ?? '', 'de')),
    ).toEqual(['Hallo', 'eins', '<b>y</b>']);
    expect(localize(asked?.sub_text ?? '', 'en')).toBe('x');
  });

  it('asks nothing rather than too little when a field is missing from the version', async () => {
    await expect(prompt.enter(deskFor(prompt, { config: { fields: ['gone'] } }))).rejects.toThrow('gone');
  });
});

describe('choices (PR-1)', () => {
  const field = { field_key: 'a', type: 'dropdown' };

  it.each([
    ['none', {}, {}, [], ''],
    ['single', { placeholder: 'one' }, {}, ['one'], 'one'],
    ['configured', { placeholder: 'one', choices: ['x', 'y'] }, {}, ['x', 'y'], 'x'],
    ['initial not a choice → the first', { choices: ['x', 'y'], initial_value: 'z' }, {}, ['x', 'y'], 'x'],
    ['initial', { choices: ['x', 'y'], initial_value: 'y' }, {}, ['x', 'y'], 'y'],
    ['from the context', { choices: ['x'] }, { a__choices: ['p', 2, true], a: 2 }, ['p', '2', 'True'], '2'],
    ['a single one from the context', { choices: ['x'] }, { a__choices: 'p' }, ['p'], 'p'],
  ] as const)('%s', async (_, config, prompt_data, choices, initial_value) => {
    expect(await ask([{ ...field, ...config }], { context: { prompt_data } })).toMatchObject([
      { choices, initial_value, placeholder: '' },
    ]);
  });

  it('bad radio and dropdown', async () => {
    const fields = [field, { ...field, field_key: 'b', type: 'radio-button-group' }].map((each) => ({
      ...each,
      choices: ['x'],
    }));
    expect(problems(await reply(fields, { a: 'y', b: 'z' }))).toEqual({ a: ['invalid_choice'], b: ['invalid_choice'] });
  });

  it('multi-select: shows and keeps a list; nothing sent is an empty one', async () => {
    const multi = { field_key: 'm', type: 'multi-select', choices: ['x', 'y'], initial_value: '["y","z"]' };
    expect(await ask([multi])).toMatchObject([{ initial_value: '["y"]', choices: ['x', 'y'] }]);
    expect(collected(await reply([multi], { m: ['y', 'x'] }))).toEqual({ m: ['y', 'x'] });
    expect(collected(await reply([multi], {}))).toEqual({ m: [] });
    expect(problems(await reply([{ ...multi, required: true }], {}))).toEqual({ m: ['required'] });
  });
});

describe("the user's own values", () => {
  const fields = [
    { field_key: 'name', prefill: true },
    { field_key: 'attributes.settings.locale', type: 'ak-locale', prefill: true },
    { field_key: 'attributes.phone', prefill: true, initial_value: 'none yet' },
    { field_key: 'other', prefill: true },
  ];
  const own = ['Ada', 'de', 'none yet', ''];

  it('prefill: shown to the one who is signed in', async () => {
    const asked = await ask(fields, { visitor: { user: ada } });
    expect(asked.map(({ initial_value }) => initial_value)).toEqual(own);
  });

  it('prefill: shown of the pending user only after a proof', async () => {
    const context = { pending_user: { ref: 7 } };
    const before = await ask(fields, { users: [ada], context });
    expect(before.map(({ initial_value }) => initial_value)).toEqual(['', '', 'none yet', '']);
    const after = await ask(fields, { users: [ada], context: { ...context, user_backend: 'x' } });
    expect(after.map(({ initial_value }) => initial_value)).toEqual(own);
  });

  it('W31: what they were when the prompt was shown goes with the answers', async () => {
    const entered = await prompt.enter(deskOf(fields, { visitor: { user: ada } }));
    const baseline = { name: 'Ada', 'attributes.settings.locale': 'de', 'attributes.phone': null };
    expect(entered.memo).toEqual({ baseline: { user: ada.id, values: baseline } });
    const outcome = await reply(
      fields,
      { name: 'Ada L.' },
      {
        visitor: { user: { ...ada, name: 'changed meanwhile' } },
        context: { 'doorward/baseline': { user: ada.id, values: { email: 'x', name: 'earlier' } } },
        ...(entered.memo === undefined ? {} : { memo: entered.memo }),
      },
    );
    const values = { email: 'x', ...baseline };
    expect(outcome).toMatchObject({ context: { 'doorward/baseline': { user: ada.id, values } } });
  });

  it('an anonymous first prompt keeps no memo, so it costs no row', async () => {
    expect(await prompt.enter(deskOf(fields))).not.toHaveProperty('memo');
  });
});
