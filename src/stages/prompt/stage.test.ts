import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CompiledObject } from '../../engine/flow.ts';
import { type PlanContext, promptPairs } from '../../engine/plan-context.ts';
import type { Outcome, Response } from '../../engine/stage.ts';
import type { Json } from '../../kernel/json.ts';
import { Secret } from '../../kernel/secrets.ts';
import { type PromptField, promptTypes } from '../../protocol/challenge.ts';
import { localize } from '../../protocol/localize.ts';
import { type DeskOptions, deskFor, testUser } from '../../testing/desk.ts';
import { promptField } from './field.ts';
import { prompt } from './stage.ts';

type Field = Readonly<Record<string, Json>> & { readonly field_key: string };

const ada = testUser({
  id: 7,
  username: 'ada',
  name: 'Ada',
  email: 'ada@example.com',
  attributes: { settings: { locale: 'de' } },
});

/** A desk of a stage that asks for these fields, by default optional texts. */
function deskOf(fields: readonly Field[], options: DeskOptions = {}) {
  const objects = fields.map((field, index): CompiledObject => {
    const name = `${index} ${field.field_key}`;
    const config = promptField.parse({ name, label: field.field_key, type: 'text', required: false, ...field });
    return { pk: `p${index}`, kind: 'prompt', name, config: config as unknown as Json };
  });
  return deskFor(prompt, { objects, ...options, config: { fields: objects.map(({ pk }) => pk), ...options.config } });
}

async function ask(fields: readonly Field[], options: DeskOptions = {}): Promise<readonly PromptField[]> {
  return shown(await prompt.enter(deskOf(fields, options)));
}

async function reply(fields: readonly Field[], response: Response, options: DeskOptions = {}): Promise<Outcome> {
  if (prompt.answer === undefined) throw new Error('a prompt takes answers');
  return prompt.answer(deskOf(fields, options), response);
}

function shown(outcome: Outcome): readonly PromptField[] {
  const challenge = outcome.kind === 'ask' || outcome.kind === 'retry' ? outcome.challenge : undefined;
  if (challenge?.component !== 'ak-stage-prompt') throw new Error(`no prompt but ${outcome.kind}`);
  return challenge.fields as readonly PromptField[];
}

/** prompt_data after the stage; secrets in the clear behind `secret:`. */
function collected(outcome: Outcome): Record<string, unknown> {
  if (outcome.kind !== 'pass') throw new Error(`no pass but ${JSON.stringify(outcome)}`);
  const pairs = promptPairs((outcome.context ?? {}) as PlanContext) ?? [];
  return Object.fromEntries(
    pairs.map(([key, value]) => [key, value instanceof Secret ? `secret:${value.reveal()}` : value]),
  );
}

/** Codes by field. */
function problems(outcome: Outcome): Record<string, readonly string[]> {
  if (outcome.kind !== 'retry') throw new Error(`no retry but ${outcome.kind}`);
  return Object.fromEntries(Object.entries(outcome.problems).map(([key, list]) => [key, list.map(({ code }) => code)]));
}

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

  it('denies when answers would have to pass policies, which cannot run yet', async () => {
    expect(
      await prompt.enter(deskOf([{ field_key: 'a' }], { config: { validation_policies: ['policy'] } })),
    ).toMatchObject({
      kind: 'deny',
      message: { $text: 'flow.policy_failed' },
    });
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

describe('answering', () => {
  it('valid: keeps every field flat, after what was there, and nothing else (B-7, PR-9, D-5)', async () => {
    const fields = [
      { field_key: 'name' },
      { field_key: 'attributes.a.b' },
      { field_key: 'attributes.a.c' },
      { field_key: 'old' },
    ];
    const response = {
      component: 'ak-stage-prompt',
      name: 'Ada',
      'attributes.a.b': '1',
      attributes: { a: { c: '2', d: '3' } },
      old: 'new',
      x: 'y',
    };
    const outcome = await reply(fields, response, { context: { prompt_data: { old: 'old', kept: 1 } } });
    expect(collected(outcome)).toEqual({
      old: 'new',
      kept: 1,
      name: 'Ada',
      'attributes.a.b': '1',
      'attributes.a.c': '2',
    });
  });

  it('missing: required is a problem, optional is not kept, a default counts (PR-5)', async () => {
    const fields = [
      { field_key: 'a' },
      { field_key: 'b', required: true, initial_value: 'default' },
      { field_key: 'n', type: 'number', initial_value: '5' },
    ];
    expect(collected(await reply(fields, {}))).toEqual({ b: 'default', n: 5 });
    expect(collected(await reply(fields, {}, { context: { prompt_data: { a: 'known' } } }))).toMatchObject({
      a: 'known',
    });
    expect(problems(await reply([{ field_key: 'a', required: true }], {}))).toEqual({ a: ['required'] });
    expect(problems(await reply(fields, { b: '' }))).toEqual({ b: ['blank'] });
  });

  it('an unticked checkbox is false, though its initial value is true', async () => {
    const fields = [{ field_key: 'a', type: 'checkbox', required: true, initial_value: 'true' }];
    expect(collected(await reply(fields, {}))).toEqual({ a: false });
    expect(collected(await reply(fields, { a: 'on' }))).toEqual({ a: true });
  });

  it('hidden, static and read-only ignore the client and take the context, the initial value or the placeholder', async () => {
    const fields = ['hidden', 'static', 'text_read_only', 'text_area_read_only'].flatMap((type) => [
      { field_key: `${type} context`, type, required: true },
      { field_key: `${type} initial`, type, initial_value: 'initial' },
      { field_key: `${type} placeholder`, type, placeholder: 'placeholder' },
    ]);
    const context = {
      prompt_data: Object.fromEntries(
        fields.filter((_, index) => index % 3 === 0).map(({ field_key }) => [field_key, 5]),
      ),
    };
    const response = Object.fromEntries(fields.map(({ field_key }) => [field_key, 'evil']));
    expect(Object.values(collected(await reply(fields, response, { context }))).sort()).toEqual(
      [...[5, 5, 5, 5, '', ''], ...['initial', 'initial', 'initial', 'initial', 'placeholder', 'placeholder']].sort(),
    );
  });

  it('passwords differ: any number of them must match (PR-6), also where one is left empty', async () => {
    const fields = ['password', 'password_repeat', 'password_again'].map((field_key) => ({
      field_key,
      type: 'password',
    }));
    const [a, b] = ['correct horse', 'battery staple'];
    expect(problems(await reply(fields, { password: a, password_repeat: a, password_again: b }))).toEqual({
      non_field_errors: ['invalid'],
    });
    expect(problems(await reply(fields, { password: a, password_repeat: a }))).toEqual({
      non_field_errors: ['invalid'],
    });
    expect(collected(await reply(fields, { password: a, password_repeat: a, password_again: a }))).toMatchObject({
      password: `secret:${a}`,
    });
    expect(collected(await reply(fields, { password: '', password_repeat: '', password_again: '' }))).toEqual({});
  });

  it('B-8: a problem of a field comes before those of the form', async () => {
    const fields = [
      { field_key: 'a', required: true },
      { field_key: 'p', type: 'password' },
      { field_key: 'q', type: 'password' },
    ];
    expect(problems(await reply(fields, { a: '', p: 'x', q: 'y' }))).toEqual({ a: ['blank'] });
  });

  it('keeps what was typed in the form, but no password and no file', async () => {
    const fields = [
      { field_key: 'a' },
      { field_key: 'password', type: 'password' },
      { field_key: 'c', type: 'checkbox', initial_value: 'true' },
      { field_key: 'n', type: 'number' },
      { field_key: 's', type: 'static', initial_value: 'static' },
      { field_key: 'x' },
    ];
    const outcome = await reply(fields, { a: 'typed', password: 'correct horse', n: 'five', s: 'evil', x: 'nul\0' });
    expect(problems(outcome)).toEqual({ n: ['invalid'], x: ['invalid'] });
    expect(shown(outcome).map(({ initial_value }) => initial_value)).toEqual(['typed', '', '', 'five', 'static', '']);
  });

  it('names its passwords as secrets of an answer', () => {
    const desk = deskOf([{ field_key: 'a' }, { field_key: 'p', type: 'password' }]);
    expect(prompt.secretFields?.(desk)).toEqual(['p']);
  });

  it('whatever is sent: no failure, and no key but its own', async () => {
    const fields = promptTypes.map((type) => ({ field_key: `attributes.${type}`, type, choices: ['x'] }));
    const keys = fields.map(({ field_key }) => field_key);
    const names = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'attributes', ...keys), fc.string());
    await fc.assert(
      fc.asyncProperty(fc.dictionary(names, fc.jsonValue(), { noNullPrototype: false }), async (response) => {
        const outcome = await reply(fields, response as Response);
        const own = outcome.kind === 'retry' ? problems(outcome) : collected(outcome);
        expect(Object.keys(own).filter((key) => key !== 'non_field_errors' && !keys.includes(key))).toEqual([]);
      }),
    );
  });

  it('10,000 foreign keys are never looked at', async () => {
    const response = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`key${index}`, 'x']));
    const guarded = new Proxy(response, {
      ownKeys: () => {
        throw new Error("the client's keys were listed");
      },
    });
    expect(collected(await reply([{ field_key: 'key5' }], guarded))).toEqual({ key5: 'x' });
  });
});

describe('usernames (W32)', () => {
  const fields = [{ field_key: 'username', type: 'username', required: true }];
  const users = [ada, testUser({ id: 8, username: 'eve' }), testUser({ id: 9, username: 'bob@example.com' })];

  it('taken username, in any case', async () => {
    const outcome = await reply(fields, { username: ' ADA ' }, { users });
    expect(outcome).toMatchObject({
      problems: { username: [{ code: 'unique', text: { $text: 'prompt.username_taken' } }] },
    });
  });

  it("one's own is free, of the signed-in and of the pending user", async () => {
    expect(collected(await reply(fields, { username: 'Ada' }, { users, visitor: { user: ada } }))).toEqual({
      username: 'Ada',
    });
    const context = { pending_user: { ref: 8 } };
    expect(collected(await reply(fields, { username: 'eve' }, { users, visitor: { user: ada }, context }))).toEqual({
      username: 'eve',
    });
    expect(problems(await reply(fields, { username: 'ada' }, { users, visitor: { user: ada }, context }))).toEqual({
      username: ['unique'],
    });
  });

  it('of one that is an address nothing is said', async () => {
    expect(collected(await reply(fields, { username: 'bob@example.com' }, { users }))).toEqual({
      username: 'bob@example.com',
    });
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
    expect(entered.memo).toEqual({ baseline });
    const outcome = await reply(
      fields,
      { name: 'Ada L.' },
      {
        visitor: { user: { ...ada, name: 'changed meanwhile' } },
        context: { 'doorward/baseline': { email: 'x', name: 'earlier' } },
        ...(entered.memo === undefined ? {} : { memo: entered.memo }),
      },
    );
    expect(outcome).toMatchObject({ context: { 'doorward/baseline': { email: 'x', ...baseline } } });
  });

  it('an anonymous first prompt keeps no memo, so it costs no row', async () => {
    expect(await prompt.enter(deskOf(fields))).not.toHaveProperty('memo');
  });
});

describe('unattended', () => {
  const fields = [
    { field_key: 'username', type: 'username', required: true },
    { field_key: 'password', type: 'password', required: true },
    { field_key: 'hidden', type: 'hidden', initial_value: 'server' },
    { field_key: 'agree', type: 'checkbox' },
  ];

  it('answers from prompt_data, with full validation', async () => {
    const context = { prompt_data: { username: 'ada', password: 'correct horse', agree: true, other: 1 } };
    const response = prompt.unattended?.(deskOf(fields, { context })) ?? {};
    expect(response).toEqual({ username: 'ada', password: 'correct horse', agree: true });
    expect(collected(await reply(fields, response, { context }))).toEqual({
      ...{ username: 'ada', password: 'secret:correct horse', agree: true, other: 1, hidden: 'server' },
    });
    const short = { prompt_data: { username: 'ada', password: 'short' } };
    expect(
      problems(await reply(fields, prompt.unattended?.(deskOf(fields, { context: short })) ?? {}, { context: short })),
    ).toEqual({
      password: ['min_length'],
    });
  });
});
