import { describe, expect, it } from 'vitest';
import { BlueprintRig } from './blueprint-rig.ts';
import { bindingModel, flowModel, policyBindingModel, promptModel } from './models.ts';

const flow =
  '{model: authentik_flows.flow, id: flow, identifiers: {slug: hello}, attrs: {name: Hello, title: Hello, designation: authentication}}';
const alien = '{model: acme_stages.magicstage, id: magic, identifiers: {name: magic}}';

describe('models that do not exist here', () => {
  it('are refused all at once, in all files, each with its line and the nearest name', async () => {
    const files = [
      `entries:\n  - ${alien}\n  - ${flow}\n  - {model: authentik_brands.brand, identifiers: {domain: !Find [a.b, [c, d]]}}`,
      'entries:\n  - {model: authentik_flows.flows, identifiers: {slug: x}}\n  - {model: authentik_core.group, identifiers: {name: x}, attrs: {parent: !Find [acme.other, [a, b]]}}',
    ];
    const rig = new BlueprintRig();
    expect((await rig.refused(files)).split('\n')).toEqual([
      'test.yaml:2:13: model: acme_stages.magicstage is not supported',
      'test.yaml:4:13: model: authentik_brands.brand is not supported',
      'test-2.yaml:2:13: model: authentik_flows.flows is not supported (did you mean authentik_flows.flow?)',
      'test-2.yaml:3:82: model: acme.other is not supported',
      'take these entries out, or leave out what is not supported with --skip-unsupported',
    ]);
    expect(rig.store.definitions).toEqual([]);
  });

  it('are found behind a tag when their entry is carried out', async () => {
    const rig = new BlueprintRig();
    const yaml = 'entries: [{model: !Format ["%s.b", a], identifiers: {c: d}}]';
    expect(await rig.refused(yaml)).toContain('model: a.b is not supported');
    expect((await rig.apply(yaml, { skipUnsupported: true })).warnings).toHaveLength(1);
  });

  it('are skipped when that is wished, with what cannot do without them; a list loses them, an empty reference stays', async () => {
    const rig = new BlueprintRig();
    const yaml = `entries:
  - ${alien}
  - ${flow}
  - {model: authentik_stages_prompt.prompt, id: a, identifiers: {name: a}, attrs: {field_key: a, label: A, type: text}}
  - {model: acme.prompt, id: b, identifiers: {name: b}}
  - {model: authentik_stages_prompt.promptstage, id: ask, identifiers: {name: ask}, attrs: {fields: [!KeyOf a, !KeyOf b]}}
  - {model: authentik_stages_identification.identificationstage, identifiers: {name: who}, attrs: {user_fields: [email], enrollment_flow: !Find [acme.flow, [slug, x]]}}
  - {model: authentik_flows.flowstagebinding, id: gone, identifiers: {target: !KeyOf flow, stage: !KeyOf magic, order: 0}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf flow, stage: !KeyOf ask, order: 1}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf gone, order: 0}, attrs: {user: 1}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf flow, order: 0}, attrs: {policy: !KeyOf magic}}`;
    const { warnings } = await rig.apply(yaml, { skipUnsupported: true });
    expect(warnings.map(({ line, message }) => `${line} ${message}`)).toEqual([
      '2 model: acme_stages.magicstage is not supported; this entry was skipped',
      '5 model: acme.prompt is not supported; this entry was skipped',
      '6 fields refers to an entry that was skipped, and goes without it',
      '7 enrollment_flow refers to an entry that was skipped, and goes without it',
      '8 stage: refers to an entry that was skipped, so the flow does without this stage; this entry was skipped',
      '10 target: refers to an entry that was skipped, so its target is not guarded by it; this entry was skipped',
      '11 policy: refers to an entry that was skipped, so its target is not guarded by it; this entry was skipped',
    ]);
    expect(rig.attrs(bindingModel)).toMatchObject([{ order: 1 }]);
    expect(rig.attrs(policyBindingModel)).toEqual([]);
    expect(rig.attrs('authentik_stages_prompt.promptstage')[0]?.fields).toHaveLength(1);
    expect(rig.flow('hello').bindings).toHaveLength(1);
    expect(rig.attrs(promptModel)).toHaveLength(1);
  });

  it('are skipped in exported files too, whose entries refer to them by pk', async () => {
    const rig = new BlueprintRig();
    const pk = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa';
    await rig.apply(
      `entries:\n  - {model: acme.stage, identifiers: {pk: ${pk}}}\n  - ${flow}\n  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf flow, stage: ${pk}, order: 0}}`,
      { skipUnsupported: true },
    );
    expect(rig.attrs(flowModel)).toHaveLength(1);
    expect(rig.attrs(bindingModel)).toEqual([]);
  });

  it('are not skipped out of a recovery flow, which may lose its only proof', async () => {
    const yaml = `entries:
  - ${alien}
  - ${flow.replace('designation: authentication', 'designation: recovery')}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf flow, stage: !KeyOf magic, order: 0}}`;
    expect(await new BlueprintRig().refused(yaml, { skipUnsupported: true })).toMatch(
      /^test\.yaml:4:82: stage: it is not supported, and the recovery flow hello without it may let anybody/,
    );
  });

  it('is no excuse for what else is wrong with an entry', async () => {
    const yaml = `entries:\n  - ${alien}\n  - {model: authentik_flows.flow, identifiers: {slug: x}, attrs: {name: x}}`;
    const rig = new BlueprintRig();
    expect(await rig.refused(yaml, { skipUnsupported: true })).toContain('3:5: title: is required');
  });
});

it('a look-up that finds nothing for a reference that may be empty is told of', async () => {
  const { warnings } = await new BlueprintRig().apply(
    'entries:\n  - {model: authentik_stages_user_write.userwritestage, identifiers: {name: w}, attrs: {create_users_group: !Find [authentik_core.group, [name, Gone]]}}',
  );
  expect(warnings).toEqual([
    {
      file: 'test.yaml',
      line: 2,
      column: 89,
      message: 'create_users_group: the look-up finds nothing, so it stays empty',
    },
  ]);
});
