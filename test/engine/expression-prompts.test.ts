import { expect, it } from 'vitest';
import type { Visitor } from '../../src/testing/rig.ts';
import { type EngineRig, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';
import type { StagePart } from '../support/flow-yaml.ts';

type Attrs = Readonly<Record<string, unknown>>;

/* Code in prompts and in what judges their answers, as visitors meet it (stages.md 2.2). */
onBothDatabases('code in prompts', (rig) => {
  it('a settings flow as the reference’s: own values are shown, and only what may be changed is taken', async () => {
    const own = (key: string) => `try:\n    return user.${key}\nexcept:\n    return ""`;
    const policy = await expressionPolicy(rig, 'settings authorization', [
      'from authentik.core.models import USER_ATTRIBUTE_CHANGE_EMAIL, USER_ATTRIBUTE_CHANGE_NAME',
      'answers = request.context.get("prompt_data")',
      'allowed = request.user.group_attributes(request.http_request)',
      'tenant = request.http_request.tenant',
      'if not allowed.get(USER_ATTRIBUTE_CHANGE_EMAIL, tenant.default_user_change_email):',
      '    if answers.get("email") != request.user.email:',
      '        ak_message("The address cannot be changed here.")',
      '        return False',
      'if not allowed.get(USER_ATTRIBUTE_CHANGE_NAME, tenant.default_user_change_name):',
      '    if answers.get("name") != request.user.name:',
      '        return False',
      'return True',
    ]);
    const fields = [coded('name', own('name')), coded('email', own('email'), { type: 'email' })];
    await rig.flow('own-settings', [{ ...promptFor(...fields), attrs: { validation_policies: [policy] } }, write({})], {
      attrs: { designation: 'stage_configuration', authentication: 'require_authenticated' },
    });
    await rig.user('settled', { name: 'Ada', email: 'ada@example.com' });
    const visitor = await rig.signedIn('settled');
    await visitor.open('own-settings');
    expect(initialValues(visitor)).toEqual(['Ada', 'ada@example.com']);
    await visitor.answer({ name: 'Countess', email: 'new@example.com' });
    expect(visitor.challenge.response_errors).toEqual({
      non_field_errors: [{ string: 'The address cannot be changed here.', code: 'invalid' }],
    });
    await visitor.answer({ name: 'Countess', email: 'ada@example.com' });
    visitor.expectEnd();
    expect(await rig.find('settled')).toMatchObject({ name: 'Countess', email: 'ada@example.com' });
  });

  it('choices that a policy sets are offered and enforced', async () => {
    const source =
      'context["prompt_data"]["attributes.room__choices"] = [context["prompt_data"]["attributes.floor"] + n for n in ["01", "02"]]';
    const policy = await expressionPolicy(rig, 'rooms', [source, 'return True']);
    const room = { field_key: 'attributes.room', type: 'dropdown', required: true };
    const ask: StagePart = { ...promptFor(room), policies: [{ policy }] };
    await rig.flow('rooms', [
      promptFor('username', 'attributes.floor'),
      ask,
      write({ user_creation_mode: 'always_create' }),
    ]);
    const visitor = rig.visitor();
    await visitor.open('rooms');
    await visitor.answer({ username: 'roomer', 'attributes.floor': '3' });
    expect(visitor.expectAsk('ak-stage-prompt').fields).toMatchObject([{ choices: ['301', '302'] }]);
    await visitor.answer({ 'attributes.room': '101' });
    visitor.expectProblem('attributes.room', 'invalid_choice');
    await visitor.answer({ 'attributes.room': '302' });
    visitor.expectEnd();
    expect((await rig.find('roomer'))?.attributes).toEqual({ floor: '3', room: '302' });
  });

  it('PR-10: a later prompt begins with what code makes of earlier answers; the first one is asked again without a row', async () => {
    const first = coded('username', 'return "guest-" + http_request.GET.get("from", "nowhere")');
    const second = coded('attributes.greeting', 'return f"Hello {prompt_context["username"]}"');
    await rig.flow('greeting', [promptFor(first), promptFor(second), write({ user_creation_mode: 'always_create' })]);
    const visitor = rig.visitor();
    await visitor.open('greeting', 'from=berlin');
    await visitor.open('greeting', 'from=berlin');
    expect(initialValues(visitor)).toEqual(['guest-berlin']);
    await visitor.answer({});
    expect(initialValues(visitor)).toEqual(['Hello guest-berlin']);
    await visitor.answer({});
    visitor.expectEnd();
    expect((await rig.find('guest-berlin'))?.attributes).toEqual({ greeting: 'Hello guest-berlin' });
  });

  it('code that fails leaves an empty field, and the flow goes on', async () => {
    await rig.flow('failing-prompt', [promptFor(coded('name', 'return no_such_name'))]);
    const visitor = rig.visitor();
    await visitor.open('failing-prompt');
    expect(initialValues(visitor)).toEqual(['']);
    await visitor.answer({ name: 'Ada' });
    visitor.expectEnd();
  });
});

function coded(key: string, source: string, more: Attrs = {}): Attrs {
  return { field_key: key, required: false, initial_value: source, initial_value_expression: true, ...more };
}

function initialValues(visitor: Visitor): readonly unknown[] {
  const fields = visitor.expectAsk('ak-stage-prompt').fields as readonly { readonly initial_value: unknown }[];
  return fields.map(({ initial_value }) => initial_value);
}

/** Makes an expression policy; how a blueprint refers to it. */
async function expressionPolicy(rig: EngineRig, name: string, lines: readonly string[]): Promise<string> {
  const model = 'authentik_policies_expression.expressionpolicy';
  const entry = { model, identifiers: { name }, attrs: { expression: lines.join('\n') } };
  await rig.auth.flows.apply(JSON.stringify({ version: 1, entries: [entry] }));
  return `!Find [${model}, [name, ${name}]]`;
}
