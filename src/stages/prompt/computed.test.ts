import { expect, it } from 'vitest';
import { runners } from '../../../test/support/expression-rig.ts';
import { Secret } from '../../kernel/secrets.ts';
import type { PromptField } from '../../protocol/challenge.ts';
import type { DeskOptions } from '../../testing/desk.ts';
import { ada, ask, collected, deskOf, type Field, problems, reply } from '../../testing/prompt-rig.ts';
import { prompt } from './stage.ts';

/* The reference's tests of prompt expressions, by their names (flow-engine.md 8), on real runners. */
const expressions = runners();

const signedIn: DeskOptions = { expressions, users: [ada], visitor: { user: ada } };

/** A field whose placeholder or first value is code. */
function coded(key: string, member: 'placeholder' | 'initial_value', source: string, more: object = {}): Field {
  return { field_key: key, [member]: source, [`${member}_expression`]: true, ...more };
}

async function shownOf(field: Field, options: DeskOptions = signedIn): Promise<PromptField> {
  const [shown] = await ask([field], options);
  if (shown === undefined) throw new Error('nothing is asked');
  return shown;
}

it('placeholder expression: code gives the hint, and the context does not', async () => {
  const field = coded('attributes.city', 'placeholder', 'return "Where does " + user.name + " live?"');
  expect(await shownOf(field)).toMatchObject({ placeholder: 'Where does Ada live?', initial_value: '' });
  const context = { prompt_data: { 'attributes.city': 'Paris' } };
  expect(await shownOf(field, { ...signedIn, context })).toMatchObject({
    ...{ placeholder: 'Where does Ada live?', initial_value: 'Paris' },
  });
});

it('placeholder disabled: the text is taken literally', async () => {
  expect(await shownOf({ field_key: 'a', placeholder: 'return 1' })).toMatchObject({ placeholder: 'return 1' });
});

it('initial value from expression, and the context wins', async () => {
  const field = coded('attributes.mail', 'initial_value', 'return request.user.email.split("@")[1]');
  expect(await shownOf(field)).toMatchObject({ initial_value: 'example.com' });
  const context = { prompt_data: { 'attributes.mail': 'from before' } };
  expect(await shownOf(field, { ...signedIn, context })).toMatchObject({ initial_value: 'from before' });
});

it.each([
  ['return prompt_context["name"].upper()', 'GRACE'],
  ['return context["prompt_data"]["name"].upper()', 'GRACE'],
  ['return request.context["prompt_data"]["name"].upper()', 'GRACE'],
  ['return http_request.GET.get("next", "nowhere")', '/there'],
  ['return ak_user_by(username="ADA").name', 'Ada'],
  ['return 3', '3'],
  ['return True', 'True'],
  ['return None', ''],
  ['pass', ''],
  ['raise SkipObject', ''],
])('initial value of %s is %s', async (source, initial_value) => {
  const context = { prompt_data: { name: 'grace' } };
  const visitor = { user: ada, query: { next: '/there' } };
  const options = { ...signedIn, context, visitor };
  expect(await shownOf(coded('x', 'initial_value', source), options)).toMatchObject({ initial_value });
});

it('PR-4: what the reference’s settings flow asks: the user’s own value, and nothing where nobody is known', async () => {
  const fields = ['username', 'name', 'email'].map((key) =>
    coded(key, 'initial_value', `try:\n    return user.${key}\nexcept:\n    return ""`),
  );
  const locale = 'try:\n    return user.attributes.get("settings", {}).get("locale", "")\nexcept:\n    return ""';
  fields.push(coded('attributes.settings.locale', 'initial_value', locale, { type: 'ak-locale' }));
  const valuesOf = async (options: DeskOptions) => (await ask(fields, options)).map((field) => field.initial_value);
  expect(await valuesOf(signedIn)).toEqual(['ada', 'Ada', 'ada@example.com', 'de']);
  expect(await valuesOf({ expressions })).toEqual(['', '', '', '']);
});

it('whoever merely typed a name sees nothing of its user, whatever the code says', async () => {
  const options = { expressions, users: [ada], context: { pending_user: { ref: ada.id } } };
  const source = 'return user.email + context["pending_user"].email + pending_user.email + request.user.email';
  expect(await shownOf(coded('x', 'initial_value', source), options)).toMatchObject({ initial_value: '' });
  const proved = { ...options, context: { ...options.context, auth_method: 'password' } };
  expect(await shownOf(coded('x', 'initial_value', 'return user.email'), proved)).toMatchObject({
    initial_value: 'ada@example.com',
  });
});

it('error falls back: to the empty text, never to the source, and one line in the log without what was typed', async () => {
  const fields = [
    coded('a', 'placeholder', 'return 1 / 0'),
    coded('b', 'initial_value', 'return int(prompt_context["name"])'),
    coded('c', 'placeholder', 'return missing', { type: 'dropdown', choices: ['x', 'y'] }),
  ];
  const desk = deskOf(fields, { expressions, context: { prompt_data: { name: 'grace' } } });
  const outcome = await prompt.enter(desk);
  expect(JSON.stringify(outcome)).not.toMatch(/return|grace/);
  expect(outcome).toMatchObject({
    challenge: { fields: [{ placeholder: '' }, { initial_value: '' }, { choices: ['x', 'y'] }] },
  });
  // They run at the same time, so they may fail in any order.
  const members = desk.logged.map(({ fields: said }) => said.member).sort();
  expect(members).toEqual(['initial_value', 'placeholder', 'placeholder']);
  expect(JSON.stringify(desk.logged)).toContain('ZeroDivisionError');
  expect(JSON.stringify(desk.logged)).not.toContain('grace');
});

it.each([
  ['none', 'return []', undefined, []],
  ['single', 'return "only"', undefined, ['only']],
  ['multiple', 'return ["one", "two"]', undefined, ['one', 'two']],
  ['numbers', 'return [1, 2, True]', undefined, ['1', '2', 'True']],
  ['from context', 'return ["one"]', ['set', 'by', 'policy'], ['set', 'by', 'policy']],
] as const)('choices %s', async (_, source, given, choices) => {
  const context = given === undefined ? {} : { prompt_data: { kind__choices: given } };
  const field = coded('kind', 'placeholder', source, { type: 'radio-button-group' });
  expect(await shownOf(field, { expressions, context })).toMatchObject({ choices, placeholder: '' });
});

it('initial not a choice: the first one; an answer is one of the choices that the code gives', async () => {
  const field = {
    ...coded('kind', 'placeholder', 'return ["one", "two"]', { type: 'dropdown' }),
    ...{ initial_value: 'return "three"', initial_value_expression: true },
  };
  expect(await shownOf(field)).toMatchObject({ initial_value: 'one' });
  expect(collected(await reply([field], { kind: 'two' }, { expressions }))).toEqual({ kind: 'two' });
  expect(problems(await reply([field], { kind: 'three' }, { expressions }))).toEqual({ kind: ['invalid_choice'] });
});

it('choices None for text', async () => {
  expect(await shownOf(coded('a', 'placeholder', 'return ["one"]'))).toMatchObject({ choices: null });
});

it('hidden and static fields take what the code says, whatever the client sends', async () => {
  const fields = [
    coded('plan', 'initial_value', 'return "free"', { type: 'hidden' }),
    coded('note', 'placeholder', 'return "read <b>this</b>"', { type: 'static' }),
  ];
  const outcome = await reply(fields, { plan: 'premium', note: 'mine' }, { expressions });
  expect(collected(outcome)).toEqual({ plan: 'free', note: 'read <b>this</b>' });
});

it('PR-5: the first value that code gives counts when nothing is sent', async () => {
  const field = coded('attributes.country', 'initial_value', 'return "Norway"', { required: true });
  expect(collected(await reply([field], {}, { expressions }))).toEqual({ 'attributes.country': 'Norway' });
});

it('what was typed in confidence is not shown again, and code in a prompt notes no events', async () => {
  const context = { prompt_data: [['password', new Secret('never shown again')] as const] };
  const source = 'return "it is " + prompt_context["password"]';
  const shown = await shownOf(coded('x', 'initial_value', source), { expressions, context });
  expect(shown.initial_value).toBe('it is ********************');
  const noting = coded('x', 'initial_value', 'ak_create_event("x")\nreturn "noted"');
  expect(await shownOf(noting)).toMatchObject({ initial_value: '' });
});

it('a prompt may be written in JavaScript', async () => {
  const more = { expression_language: 'javascript' };
  const field = coded('x', 'initial_value', 'return user.name.padEnd(5, "!")', more);
  expect(await shownOf(field)).toMatchObject({ initial_value: 'Ada!!' });
});
