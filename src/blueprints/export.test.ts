import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type AnyStage, defineStage } from '../engine/stage.ts';
import { stages } from '../stages/index.ts';
import { BlueprintRig } from './blueprint-rig.ts';
import { contentOf } from './compile.ts';
import { definitionsOf } from './decompile.ts';
import { exportFlow } from './export.ts';
import { planBlueprints } from './plan.ts';

const vault = defineStage({
  ...{ kind: 'vault', model: 'acme.vaultstage', component: 'x', description: 'x', needs: [], gives: [] },
  config: z.object({ api_key: z.string().default(''), region: z.string().default('eu') }),
  enter: async () => ({ kind: 'pass' }),
}) as unknown as AnyStage;
const more = { stages: [...stages, vault] };

const whole = `entries:
  - {model: authentik_core.group, id: staff, identifiers: {name: Staff}}
  - {model: authentik_flows.flow, id: other, identifiers: {slug: other}, attrs: {name: Other, title: Other, designation: recovery}}
  - {model: authentik_flows.flow, id: flow, identifiers: {slug: hello}, attrs: {name: "yes", title: {en: Hello, de: Hallo}, designation: enrollment}}
  - {model: authentik_stages_prompt.prompt, id: a, identifiers: {name: "A b"}, attrs: {field_key: a, label: "12:30", type: text, order: 5}}
  - {model: authentik_stages_prompt.prompt, id: b, identifiers: {name: a-b}, attrs: {field_key: b, label: B, type: password, initial_value: hush}}
  - {model: authentik_policies_expression.expressionpolicy, id: check, identifiers: {name: check}, attrs: {expression: "# one\\nreturn True\\n"}}
  - {model: authentik_stages_prompt.promptstage, id: ask, identifiers: {name: ask}, attrs: {fields: [!KeyOf a, !KeyOf b], validation_policies: [!KeyOf check]}}
  - {model: authentik_stages_password.passwordstage, id: word, identifiers: {name: word}, attrs: {configure_flow: !KeyOf other}}
  - {model: authentik_stages_identification.identificationstage, id: who, identifiers: {name: who}, attrs: {user_fields: [email], password_stage: !KeyOf word, enrollment_flow: !KeyOf flow}}
  - {model: acme.vaultstage, id: vault, identifiers: {name: vault}, attrs: {api_key: hush, region: us}}
  - {model: authentik_flows.flowstagebinding, id: first, identifiers: {target: !KeyOf flow, stage: !KeyOf ask, order: 0}, attrs: {policy_engine_mode: all}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf flow, stage: !KeyOf who, order: 10}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf flow, stage: !KeyOf vault, order: 20}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf flow, order: 0}, attrs: {group: !KeyOf staff}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf first, order: 0}, attrs: {policy: !KeyOf check, negate: yes}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf first, order: 1}, attrs: {user: 7}}`;

async function made() {
  const rig = new BlueprintRig();
  rig.users.push({ id: 7, username: 'ada' });
  await rig.apply(whole, more);
  return rig;
}

const exported = (rig: BlueprintRig) => exportFlow(rig.input('entries: []', more), 'hello');

describe('an exported flow', () => {
  it('is readable: ids, look-ups, no defaults, no pks, no secrets', async () => {
    const text = await exported(await made());
    expect(text).not.toMatch(/hush|[\da-f]{8}-[\da-f]{4}-/);
    expect(text).toMatchInlineSnapshot(`
      "# The flow hello. It expects to find:
      #   flow other
      #   group "Staff"
      #   user ada

      version: 1
      metadata:
        name: "yes"
        labels:
          blueprints.goauthentik.io/generated: "true"
      entries:
        - model: authentik_flows.flow
          id: flow
          identifiers:
            slug: hello
          attrs:
            name: "yes"
            title:
              en: Hello
              de: Hallo
            designation: enrollment

        - model: authentik_stages_prompt.prompt
          id: a-b
          identifiers:
            name: A b
          attrs:
            field_key: a
            label: "12:30"
            type: text
            order: 5

        # Left out, since it is secret: initial_value. Set it before this is applied elsewhere.
        - model: authentik_stages_prompt.prompt
          id: a-b-2
          identifiers:
            name: a-b
          attrs:
            field_key: b
            label: B
            type: password

        - model: authentik_policies_expression.expressionpolicy
          id: check
          identifiers:
            name: check
          attrs:
            expression: |
              # one
              return True

        - model: authentik_stages_prompt.promptstage
          id: ask
          identifiers:
            name: ask
          attrs:
            fields:
              - !KeyOf a-b
              - !KeyOf a-b-2
            validation_policies:
              - !KeyOf check

        - model: authentik_stages_password.passwordstage
          id: word
          identifiers:
            name: word
          attrs:
            configure_flow: !Find [ authentik_flows.flow, [ slug, other ] ]

        - model: authentik_stages_identification.identificationstage
          id: who
          identifiers:
            name: who
          attrs:
            user_fields:
              - email
            password_stage: !KeyOf word
            enrollment_flow: !KeyOf flow

        # Left out, since it is secret: api_key. Set it before this is applied elsewhere.
        - model: acme.vaultstage
          id: vault
          identifiers:
            name: vault
          attrs:
            region: us

        - model: authentik_flows.flowstagebinding
          id: binding-0
          identifiers:
            target: !KeyOf flow
            stage: !KeyOf ask
            order: 0
          attrs:
            policy_engine_mode: all

        - model: authentik_flows.flowstagebinding
          identifiers:
            target: !KeyOf flow
            stage: !KeyOf who
            order: 10

        - model: authentik_flows.flowstagebinding
          identifiers:
            target: !KeyOf flow
            stage: !KeyOf vault
            order: 20

        - model: authentik_policies.policybinding
          identifiers:
            target: !KeyOf flow
            order: 0
            group: !Find [ authentik_core.group, [ name, Staff ] ]

        - model: authentik_policies.policybinding
          identifiers:
            target: !KeyOf binding-0
            order: 0
            policy: !KeyOf check
          attrs:
            negate: true

        - model: authentik_policies.policybinding
          identifiers:
            target: !KeyOf binding-0
            order: 1
            user: !Find [ authentik_core.user, [ username, ada ] ]
      "
    `);
  });

  it('applied again changes nothing', async () => {
    const rig = await made();
    const text = await exported(rig);
    const { changes, warnings, change } = await planBlueprints(rig.input(text, more));
    expect({ changes, warnings, flows: change.flows }).toEqual({ changes: [], warnings: [], flows: [] });
  });

  it('applies elsewhere to the same flow, secrets aside, once what it looks up is there', async () => {
    const text = await exported(await made());
    const elsewhere = new BlueprintRig();
    expect(await elsewhere.refused(text, more)).toContain('group: !Find finds nothing');
    elsewhere.users.push({ id: 9, username: 'ada' });
    const others = whole.split('\n').slice(0, 3).join('\n');
    await elsewhere.apply([others, text], more);
    expect(await exported(elsewhere)).toBe(text.replace(/^ +# Left out.*\n/gm, ''));
  });

  it('of a flow that is not there is refused', async () => {
    await expect(exportFlow(new BlueprintRig().input('entries: []'), 'none')).rejects.toMatchObject({
      code: 'flow_not_found',
    });
  });

  it('has the shape of the reference too: raw pks, identifiers by pk alone', async () => {
    const rig = await made();
    const { compiled } = await planBlueprints(rig.input('entries: []', more));
    const flow = compiled.find(({ slug }) => slug === 'hello');
    if (flow === undefined) throw new Error('no flow');
    const entries = definitionsOf(flow, { ...rig.input([]), ...more }).toSorted((a) => (a.pk === flow.pk ? -1 : 0));
    const bindings = entries.filter(({ model }) => model.endsWith('binding'));
    const ordered = [
      ...entries.filter((one) => !bindings.includes(one)),
      ...bindings.toSorted((a) => (a.model.startsWith('authentik_flows') ? -1 : 1)),
    ];
    const raw = ordered.map(({ pk, model, attrs }) => `  - ${JSON.stringify({ model, identifiers: { pk }, attrs })}`);
    const { changes } = await planBlueprints(rig.input(`version: 1\nentries:\n${raw.join('\n')}`, more));
    expect(changes).toEqual([]);
  });
});

it('a version of a flow gives back the definitions that it was compiled from', async () => {
  const rig = await made();
  const flow = rig.flow('hello');
  const definitions = definitionsOf(flow, { ...rig.input([]), ...more });
  for (const one of definitions) expect(rig.store.definitions).toContainEqual(one);
  expect(definitions).toHaveLength(rig.store.definitions.length - 1);
  expect(contentOf(flow)).toBeDefined();
});
