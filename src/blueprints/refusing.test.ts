import { describe, expect, it } from 'vitest';
import { BlueprintRig } from './blueprint-rig.ts';
import { promptModel } from './models.ts';

const flow = (attrs = '') => `
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: hello}
    attrs: {name: Hello, title: Hello, designation: enrollment${attrs}}`;
const stage = `
  - {model: authentik_stages_dummy.dummystage, id: stage, identifiers: {name: wait}}`;
const binding = (more = '') => `
  - model: authentik_flows.flowstagebinding
    id: binding
    identifiers: {target: !KeyOf flow, stage: !KeyOf stage, order: 0}${more}`;
const group = '{model: authentik_core.group, id: group, identifiers: {name: Staff}}';

describe('what is wrong is said with its place', () => {
  it.each([
    [
      'a model that is not supported',
      '- {model: authentik_brands.brand, identifiers: {domain: x}}',
      '3:13: model: authentik_brands.brand is not supported; take this entry out',
    ],
    [
      'also in an entry whose conditions do not hold',
      '- {model: a.b, conditions: [no], identifiers: {c: d}}',
      '3:13: model: a.b is not supported',
    ],
    [
      'a model that is misspelt',
      '- {model: authentik_flows.flwo, identifiers: {slug: x}}',
      '(did you mean authentik_flows.flow?)',
    ],
    ['no identifiers', '- {model: authentik_flows.flow}', '3:5: identifiers: expected a pk'],
    [
      'identifiers that it does not have',
      '- {model: authentik_flows.flow, identifiers: {slg: x}}',
      '3:49: identifiers: slg is not a member of authentik_flows.flow (did you mean slug?)',
    ],
    ['a pk that is none', '- {model: authentik_flows.flow, identifiers: {pk: 5}}', '3:49: pk: expected a UUID'],
    [
      'a number as text',
      '- {model: authentik_stages_prompt.prompt, identifiers: {name: x}, attrs: {field_key: x, label: x, type: text, order: "1"}}',
      '3:113: order: expected a whole number, not text',
    ],
    [
      'a fraction',
      '- {model: authentik_stages_prompt.prompt, identifiers: {name: x}, attrs: {field_key: x, label: x, type: text, order: 1.5}}',
      'order: expected a whole number, not a fraction',
    ],
    [
      'a value that is not one of its choices',
      '- {model: authentik_flows.flow, identifiers: {slug: x}, attrs: {name: x, title: x, designation: signin}}',
      '3:86: designation: expected one of authentication, authorization',
    ],
    [
      'a missing value',
      '- {model: authentik_flows.flow, identifiers: {slug: x}, attrs: {title: x, designation: recovery}}',
      '3:5: name: is required: expected text',
    ],
    [
      'a slug with a blank',
      '- {model: authentik_flows.flow, identifiers: {slug: a b}, attrs: {name: x, title: x, designation: recovery}}',
      '3:49: slug: expected only letters, digits',
    ],
    [
      'an item of a list',
      '- {model: authentik_stages_identification.identificationstage, identifiers: {name: x}, attrs: {user_fields: [email, phone]}}',
      'user_fields.1: expected one of email, username, upn',
    ],
    [
      'a list in place of text',
      '- {model: authentik_flows.flow, identifiers: {slug: x}, attrs: {name: x, title: [a], designation: recovery}}',
      'title: expected text or a map (name: value), not a list',
    ],
    [
      'a look-up that finds nothing',
      '- {model: authentik_flows.flowstagebinding, identifiers: {target: !Find [authentik_flows.flow, [slug, x]], stage: x, order: 0}}',
      '3:61: target: !Find finds nothing',
    ],
    [
      'a reference to nothing',
      '- {model: authentik_stages_user_write.userwritestage, identifiers: {name: w}, attrs: {create_users_group: ba5e}}',
      '3:89: create_users_group: there is no group with the pk ba5e',
    ],
    [
      'a rule of the stage',
      '- {model: authentik_stages_redirect.redirectstage, identifiers: {name: r}, attrs: {mode: static}}',
      '3:5: target_static: is needed in the mode "static"',
    ],
  ])('%s', async (_, entry, expected) => {
    expect(await new BlueprintRig().refused(`version: 1\nentries:\n  ${entry}`)).toContain(expected);
  });

  it('all problems of one entry are told at once, each with its place', async () => {
    const refusal = await new BlueprintRig().refused(
      `entries:\n  - model: authentik_flows.flow\n    identifiers: {slug: x}\n    attrs:\n      name: ""\n      title: x\n      designation: 4`,
    );
    expect(refusal.split('\n')).toEqual([
      'test.yaml:5:7: name: expected a text that is not empty, not this value',
      expect.stringMatching(/^test\.yaml:7:7: designation: expected one of/),
    ]);
  });

  it('an id that comes later, or made nothing', async () => {
    const rig = new BlueprintRig();
    expect(await rig.refused(`entries:${stage}${binding()}${flow()}`)).toContain('it comes later, move it up');
    const skipped = flow().replace('id: flow', 'id: flow\n    conditions: [no]');
    expect(await rig.refused(`entries:${skipped}${stage}${binding()}`)).toContain('that entry made no object');
  });

  it('unknown attributes warn with the nearest name, and do no harm', async () => {
    const rig = new BlueprintRig();
    const { warnings } = await rig.apply(
      `entries:\n  - model: authentik_stages_identification.identificationstage\n    identifiers: {name: who}\n    attrs:\n      user_fields: [email]\n      template: x\n      pretend_user_exist: no`,
    );
    const model = 'authentik_stages_identification.identificationstage';
    expect(warnings).toEqual([
      { file: 'test.yaml', line: 6, column: 7, message: `template is not an attribute of ${model} and was ignored` },
      {
        file: 'test.yaml',
        line: 7,
        column: 7,
        message: `pretend_user_exist is not an attribute of ${model} and was ignored (did you mean pretend_user_exists?)`,
      },
    ]);
    expect(rig.attrs(model)).toMatchObject([{ pretend_user_exists: true }]);
    expect(rig.attrs(model)[0]).not.toHaveProperty('template');
  });

  it('a stage that needs what nobody before it gives', async () => {
    const { warnings } = await new BlueprintRig().apply(`entries:${flow()}
  - {model: authentik_stages_user_write.userwritestage, id: stage, identifiers: {name: write}}${binding()}`);
    expect(warnings).toEqual([
      {
        file: 'test.yaml',
        line: 7,
        column: 5,
        message: 'the stage "write" needs prompt_data, which no stage before it in the flow hello gives',
      },
    ]);
  });
});

describe('rules between objects', () => {
  it('a stage name is unique over all kinds of stages', async () => {
    const refusal = await new BlueprintRig().refused(
      `entries:${stage}\n  - {model: authentik_stages_deny.denystage, identifiers: {name: wait}}`,
    );
    expect(refusal).toContain(
      'test.yaml:3:60: name: already used by an object of the model authentik_stages_dummy.dummystage',
    );
  });

  it('the same stage stands twice in a flow at different orders, not at the same one', async () => {
    const rig = new BlueprintRig();
    await rig.apply(`entries:${flow()}${stage}${binding()}${binding().replace('order: 0', 'order: 1')}`);
    expect(rig.flow('hello').bindings).toHaveLength(2);
    const clash = `entries:${flow()}${stage}
  - {model: authentik_flows.flowstagebinding, identifiers: {order: 1}, attrs: {target: !KeyOf flow, stage: !KeyOf stage, order: 0}}
  - {model: authentik_flows.flowstagebinding, identifiers: {pk: aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa}, attrs: {target: !KeyOf flow, stage: !KeyOf stage, order: 1}}`;
    expect(await rig.refused(clash)).toContain('target, stage, order: already used by another one');
  });

  it('a binding whose policies would never count is refused', async () => {
    const refusal = await new BlueprintRig().refused(
      `entries:${flow()}${stage}${binding('\n    attrs: {re_evaluate_policies: no}')}`,
    );
    expect(refusal).toContain(
      'test.yaml:10:13: re_evaluate_policies: either evaluate_on_plan or re_evaluate_policies must be true',
    );
  });

  it('a policy binding has exactly one of policy, group and user', async () => {
    const rig = new BlueprintRig();
    rig.users.push({ id: 7, username: 'ada' });
    const bound = (what: string) =>
      `entries:\n  - ${group}${flow()}\n  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf flow, order: 0}, attrs: {${what}}}`;
    expect(await rig.refused(bound(''))).toContain('exactly one of policy, group and user must be set');
    expect(await rig.refused(bound('user: 7, group: !KeyOf group'))).toContain('exactly one of');
    expect(await rig.refused(bound('user: 8'))).toContain('user: there is no user with the pk 8');
    await rig.apply(bound('user: !Find [authentik_core.user, [username, ada]]'));
    expect(rig.flow('hello').policies).toMatchObject([
      { user: 7, group: null, policy: null, timeout: 30, failureResult: false },
    ]);
  });

  it('groups become changes of accounts, found by name where they exist', async () => {
    const rig = new BlueprintRig();
    await rig.apply(`entries: [${group}]`);
    const change =
      'entries: [{model: authentik_core.group, identifiers: {name: Staff}, attrs: {is_superuser: yes, attributes: {a: 1}}}]';
    expect((await rig.apply(change)).summary).toMatchObject({ updated: 1, created: 0 });
    expect([...rig.store.groups.values()]).toMatchObject([{ name: 'Staff', isSuperuser: true, attributes: { a: 1 } }]);
    expect((await rig.apply(change)).summary).toMatchObject({ unchanged: 1 });
    expect(rig.store.definitions).toEqual([]);
    expect(
      await rig.refused(
        `entries: [${group.replace('}}', '}, attrs: {parent: !Find [authentik_core.group, [name, Staff]]}}')}]`,
      ),
    ).toContain('cannot stand below itself');
  });

  it('texts in several languages stay together', async () => {
    const rig = new BlueprintRig();
    await rig.apply(`entries:
  - {model: authentik_stages_prompt.prompt, identifiers: {name: n}, attrs: {field_key: name, type: text, label: {en: Name, no: Navn}}}`);
    expect(rig.attrs(promptModel)).toMatchObject([{ label: { $lang: { en: 'Name', no: 'Navn' } } }]);
  });
});
