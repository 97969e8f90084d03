import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/support/properties.ts';
import type { Response } from '../../engine/stage.ts';
import { promptTypes } from '../../protocol/challenge.ts';
import { testUser } from '../../testing/desk.ts';
import { ada, collected, deskOf, problems, reply, shown } from '../../testing/prompt-rig.ts';
import { prompt } from './stage.ts';

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
    expect(collected(await reply([{ field_key: 'a' }], {}, { context: { prompt_data: { a: null } } }))).toEqual({
      a: null,
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
});

describe('passwords and problems', () => {
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
});

describe('hostile answers', () => {
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
