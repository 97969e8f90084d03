import { describe, expect, it } from 'vitest';
import { BlueprintRig } from './blueprint-rig.ts';
import { bindingModel, flowModel } from './models.ts';

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
const whole = `entries:${flow()}${stage}${binding()}`;
const group = '{model: authentik_core.group, id: group, identifiers: {name: Staff}}';

describe('applying a blueprint', () => {
  it('makes the objects and the first version of the flow', async () => {
    const rig = new BlueprintRig();
    const { summary, warnings } = await rig.apply(whole);
    expect(summary).toEqual({
      created: 3,
      updated: 0,
      unchanged: 0,
      deleted: 0,
      flows: [{ slug: 'hello', version: 1 }],
    });
    expect(warnings).toEqual([]);
    expect(rig.flow('hello').bindings).toMatchObject([
      { order: 0, stage: { kind: 'dummy', name: 'wait' }, evaluateOnPlan: false },
    ]);
  });

  it('changes nothing when it is applied again', async () => {
    const rig = new BlueprintRig();
    await rig.apply(whole);
    const { definitions, revision } = rig.store;
    const { summary } = await rig.apply(whole);
    expect(summary).toEqual({ created: 0, updated: 0, unchanged: 3, deleted: 0, flows: [] });
    expect(rig.store.definitions).toEqual(definitions);
    expect(rig.store.revision).toBe(revision);
  });

  it('changes only what is given, and makes a version of the flows that it touches', async () => {
    const rig = new BlueprintRig();
    await rig.apply(whole);
    const { summary } = await rig.apply(
      'entries: [{model: authentik_flows.Flow, identifiers: {slug: hello}, attrs: {title: Moin}}]',
    );
    expect(summary).toMatchObject({ updated: 1, flows: [{ slug: 'hello', version: 2 }] });
    expect(rig.attrs(flowModel)).toMatchObject([{ name: 'Hello', title: 'Moin', designation: 'enrollment' }]);
    expect(rig.store.versions.get('hello')?.map(({ title }) => title)).toEqual(['Hello', 'Moin']);
  });

  it('is all or nothing, over all files', async () => {
    const rig = new BlueprintRig();
    const bad = 'entries: [{model: authentik_flows.flow, identifiers: {slug: other}, attrs: {name: x}}]';
    expect(await rig.refused([whole, bad])).toContain('test-2.yaml:');
    expect(rig.store.definitions).toEqual([]);
    expect(rig.store.versions.size).toBe(0);
  });

  it('plans again when others changed the definitions meanwhile, and gives up after a few times', async () => {
    const rig = new BlueprintRig();
    rig.store.losses = 2;
    await rig.apply(whole);
    expect(rig.attrs(flowModel)).toHaveLength(1);
    rig.store.losses = 100;
    expect(await rig.refused(`entries:${flow(', layout: content_left')}`, {}, 'store_unavailable')).toContain(
      'try again',
    );
  });

  it('lets later files and entries use what earlier ones made', async () => {
    const rig = new BlueprintRig();
    const more = `entries:
  - model: authentik_flows.flowstagebinding
    identifiers:
      target: !Find [authentik_flows.flow, [slug, hello]]
      stage: !Find [authentik_stages_dummy.dummystage, [name, wait]]
      order: 5`;
    await rig.apply([whole, more]);
    expect(rig.flow('hello').bindings.map(({ order }) => order)).toEqual([0, 5]);
  });

  it('takes the pk that is given, and follows the pks of an exported file', async () => {
    const rig = new BlueprintRig();
    const [a, b] = ['aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb'];
    const exported = `entries:
  - {model: authentik_flows.flow, identifiers: {pk: ${a}, slug: hello}, attrs: {name: Hello, title: Hello, designation: enrollment}}
  - {model: authentik_stages_dummy.dummystage, identifiers: {pk: ${b}}, attrs: {name: wait}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: ${a}, stage: ${b}, order: 0}}`;
    await rig.apply(exported);
    expect(rig.flow('hello')).toMatchObject({ pk: a, bindings: [{ stage: { pk: b } }] });

    const elsewhere = new BlueprintRig();
    await elsewhere.apply(`entries:${flow()}`);
    const { pk } = elsewhere.flow('hello');
    await elsewhere.apply(exported);
    expect(elsewhere.flow('hello')).toMatchObject({ pk, bindings: [{ stage: { pk: b } }] });
  });
});

describe('states', () => {
  const entry = (state: string, name: string) =>
    `entries: [{model: authentik_flows.flow, state: ${state}, identifiers: {slug: hello}, attrs: {name: ${name}, title: x, designation: recovery}}]`;

  it('created leaves what exists alone', async () => {
    const rig = new BlueprintRig();
    await rig.apply(entry('created', 'One'));
    expect((await rig.apply(entry('created', 'Two'))).summary).toMatchObject({ unchanged: 1, updated: 0 });
    expect(rig.attrs(flowModel)).toMatchObject([{ name: 'One' }]);
  });

  it('must_created refuses what exists', async () => {
    const rig = new BlueprintRig();
    await rig.apply(entry('must_created', 'One'));
    expect(await rig.refused(entry('must_created', 'Two'))).toMatch(
      /^test\.yaml:1:11: state must_created: this flow exists already/,
    );
  });

  it('absent deletes with all that hangs on it, tolerates attributes that are not valid, and is content with nothing', async () => {
    const rig = new BlueprintRig();
    await rig.apply(whole);
    const absent =
      'entries: [{model: authentik_flows.flow, state: absent, identifiers: {slug: hello}, attrs: {designation: 5}}]';
    expect((await rig.apply(absent)).summary).toMatchObject({ deleted: 2 });
    expect(rig.attrs(flowModel)).toEqual([]);
    expect(rig.attrs(bindingModel)).toEqual([]);
    expect(rig.store.versions.has('hello')).toBe(false);
    expect((await rig.apply(absent)).summary).toMatchObject({ deleted: 0 });
  });

  it('absent empties references that may be empty', async () => {
    const rig = new BlueprintRig();
    await rig.apply(`entries:${flow()}
  - {model: authentik_stages_identification.identificationstage, identifiers: {name: who}, attrs: {user_fields: [email], enrollment_flow: !KeyOf flow}}
  - {model: authentik_stages_prompt.prompt, id: a, identifiers: {name: a}, attrs: {field_key: a, label: A, type: text}}
  - {model: authentik_stages_prompt.promptstage, identifiers: {name: ask}, attrs: {fields: [!KeyOf a]}}`);
    await rig.apply(`entries:
  - {model: authentik_flows.flow, state: absent, identifiers: {slug: hello}}
  - {model: authentik_stages_prompt.prompt, state: absent, identifiers: {name: a}}`);
    expect(rig.attrs('authentik_stages_identification.identificationstage')).toMatchObject([{ enrollment_flow: null }]);
    expect(rig.attrs('authentik_stages_prompt.promptstage')).toMatchObject([{ fields: [] }]);
  });

  it('absent refuses to take away what something cannot do without', async () => {
    const rig = new BlueprintRig();
    await rig.apply(`entries:
  - ${group}
  - {model: doorward_stages_initial_setup.initialsetupstage, identifiers: {name: setup}, attrs: {group: !KeyOf group}}`);
    const refusal = await rig.refused(
      'entries: [{model: authentik_core.group, state: absent, identifiers: {name: Staff}}]',
    );
    expect(refusal).toBe(
      'test.yaml:1:11: cannot be deleted, doorward_stages_initial_setup.initialsetupstage "setup" needs it',
    );
  });

  it('conditions that do not hold leave the entry out', async () => {
    const rig = new BlueprintRig();
    const yaml = (condition: string) =>
      `entries: [{model: authentik_core.group, conditions: [yes, ${condition}], identifiers: {name: G}}]`;
    await rig.apply(yaml('!Env MISSING'));
    expect(rig.store.groups.size).toBe(0);
    await rig.apply(yaml('!Env GIVEN'), { env: { GIVEN: '1' } });
    expect(rig.store.groups.size).toBe(1);
  });

  it('another state is refused', async () => {
    expect(await new BlueprintRig().refused(entry('gone', 'x'))).toBe(
      'test.yaml:1:48: state: expected one of present, created, must_created, absent',
    );
  });
});
