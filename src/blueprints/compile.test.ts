import { describe, expect, it } from 'vitest';
import { policies } from '../policies/index.ts';
import { stages } from '../stages/index.ts';
import { BlueprintRig } from './blueprint-rig.ts';
import { compileFlows, unmetNeeds } from './compile.ts';

const yaml = `entries:
  - {model: authentik_core.group, id: staff, identifiers: {name: Staff}}
  - {model: authentik_flows.flow, id: recovery, identifiers: {slug: back}, attrs: {name: Back, title: Back, designation: recovery}}
  - {model: authentik_flows.flow, id: change, identifiers: {slug: change}, attrs: {name: Change, title: Change, designation: stage_configuration}}
  - {model: authentik_flows.flow, id: flow, identifiers: {slug: in}, attrs: {name: In, title: {en: In, de: Rein}, designation: authentication, layout: sidebar_left}}
  - {model: authentik_stages_password.passwordstage, id: password, identifiers: {name: password}, attrs: {configure_flow: !KeyOf change}}
  - model: authentik_stages_identification.identificationstage
    id: who
    identifiers: {name: who}
    attrs: {user_fields: [email], password_stage: !KeyOf password, recovery_flow: !KeyOf recovery}
  - {model: authentik_stages_prompt.prompt, id: name, identifiers: {name: n}, attrs: {field_key: name, label: Name, type: text}}
  - {model: authentik_policies_expression.expressionpolicy, id: policy, identifiers: {name: p}, attrs: {expression: return True}}
  - {model: authentik_stages_prompt.promptstage, id: ask, identifiers: {name: ask}, attrs: {fields: [!KeyOf name], validation_policies: [!KeyOf policy]}}
  - {model: authentik_stages_user_write.userwritestage, id: write, identifiers: {name: write}, attrs: {create_users_group: !KeyOf staff}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf flow, stage: !KeyOf write, order: 30}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf flow, stage: !KeyOf ask, order: 20}}
  - {model: authentik_flows.flowstagebinding, id: first, identifiers: {target: !KeyOf flow, stage: !KeyOf who, order: 10}, attrs: {policy_engine_mode: all}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf first, order: 1}, attrs: {group: !KeyOf staff, negate: yes}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf first, order: 0}, attrs: {policy: !KeyOf policy}}
`;

async function applied(): Promise<BlueprintRig> {
  const rig = new BlueprintRig();
  await rig.apply(yaml);
  return rig;
}

describe('a compiled flow', () => {
  it('holds the bindings in their order, with their policies in theirs', async () => {
    const { bindings, title, layout } = (await applied()).flow('in');
    expect({ title, layout }).toEqual({ title: { $lang: { en: 'In', de: 'Rein' } }, layout: 'sidebar_left' });
    expect(bindings.map(({ order, stage }) => [order, stage.kind, stage.name])).toEqual([
      [10, 'identification', 'who'],
      [20, 'prompt', 'ask'],
      [30, 'user_write', 'write'],
    ]);
    expect(bindings[0]).toMatchObject({
      policyEngineMode: 'all',
      policies: [
        {
          order: 0,
          policy: { kind: 'expression', name: 'p', config: { expression: 'return True', execution_logging: false } },
          group: null,
        },
        { order: 1, policy: null, negate: true, enabled: true },
      ],
    });
  });

  it('holds each stage with all of its defaults', async () => {
    const { bindings } = (await applied()).flow('in');
    expect(bindings[2]?.stage.config).toMatchObject({
      user_creation_mode: 'create_when_required',
      user_type: 'external',
      writable_fields: [],
    });
  });

  it('carries all that its stages refer to, however far', async () => {
    const { objects } = (await applied()).flow('in');
    expect(
      Object.values(objects)
        .map(({ kind, name }) => `${kind} ${name}`)
        .sort(),
    ).toEqual(['flow Back', 'flow Change', 'group Staff', 'policy p', 'prompt n', 'stage password']);
    const byName = Object.fromEntries(Object.values(objects).map((object) => [object.name, object.config]));
    expect(byName).toMatchObject({
      Back: { slug: 'back' },
      Staff: { name: 'Staff' },
      p: { kind: 'expression', config: { expression: 'return True' } },
      n: { field_key: 'name', type: 'text', required: true },
      password: { failed_attempts_before_cancel: 5 },
    });
  });

  it('of two bindings with the same order, the pk decides', async () => {
    const rig = await applied();
    const definitions = [...rig.store.definitions];
    const flow = rig.flow('change');
    const stage = definitions.find(({ attrs }) => attrs.name === 'password')?.pk ?? '';
    const binding = (pk: string) => ({
      pk,
      model: 'authentik_flows.flowstagebinding',
      attrs: { target: flow.pk, stage, order: 1 },
    });
    const compiled = compileFlows([...definitions, binding('b'), binding('a')], { stages, policies });
    expect(compiled.find(({ slug }) => slug === 'change')?.bindings.map(({ pk }) => pk)).toEqual(['a', 'b']);
  });

  it('of a stage that does not exist here is refused by name', async () => {
    const { definitions } = (await applied()).store;
    const others = stages.filter(({ kind }) => kind !== 'user_write');
    expect(() => compileFlows(definitions, { stages: others, policies })).toThrow(
      'the stage "write" is of the model authentik_stages_user_write.userwritestage',
    );
  });

  it('that requires a signed-in visitor has a pending user from the start (W4)', async () => {
    const rig = await applied();
    const change = {
      ...rig.flow('in'),
      bindings: rig
        .flow('in')
        .bindings.slice(0, 1)
        .map((one) => ({ ...one, stage: { ...one.stage, kind: 'password' } })),
    };
    expect(unmetNeeds(change, stages).map(({ key }) => key)).toEqual(['pending_user']);
    expect(unmetNeeds({ ...change, authentication: 'require_authenticated' }, stages)).toEqual([]);
  });
});
