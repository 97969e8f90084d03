import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { defineStage } from '../engine/stage.ts';
import { stages } from '../stages/index.ts';
import { BlueprintRig } from './blueprint-rig.ts';
import { planBlueprints } from './plan.ts';

const whole = `entries:
  - {model: authentik_flows.flow, id: flow, identifiers: {slug: hello}, attrs: {name: Hello, title: {en: Hello, de: Hallo}, designation: enrollment}}
  - {model: authentik_stages_dummy.dummystage, id: stage, identifiers: {name: wait}}
  - {model: authentik_core.group, id: staff, identifiers: {name: Staff}, attrs: {attributes: {a: {b: 1}, api_key: hidden}}}
  - {model: authentik_flows.flowstagebinding, id: binding, identifiers: {target: !KeyOf flow, stage: !KeyOf stage, order: 10}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf binding, order: 0}, attrs: {group: !KeyOf staff}}`;

const vault = defineStage({
  ...{ kind: 'vault', model: 'acme.vaultstage', component: 'x', description: 'x', needs: [], gives: [] },
  config: z.object({ client_secret: z.string().default(''), nested: z.record(z.string(), z.json()).default({}) }),
  enter: async () => ({ kind: 'pass' }),
});

describe('a plan', () => {
  it('shows what is added, by names, and changes nothing', async () => {
    const rig = new BlueprintRig();
    const { changes, flowChanges } = await planBlueprints(rig.input(whole));
    expect(changes.map(({ action, label }) => `${action} ${label}`)).toEqual([
      'added flow hello',
      'added dummy stage "wait"',
      'added group "Staff"',
      'added dummy stage "wait" in flow hello at 10',
      'added group "Staff" bound to dummy stage "wait" in flow hello at 10, order 0',
    ]);
    expect(changes[3]?.members).toContainEqual({ name: 'target', after: 'flow hello' });
    expect(flowChanges).toEqual([{ slug: 'hello', from: null, to: 1, openRuns: 0 }]);
    expect(rig.store.definitions).toEqual([]);
    expect(rig.store.groups.size).toBe(0);
  });

  it('shows what changes member by member, and who is under way in the flows', async () => {
    const rig = new BlueprintRig();
    await rig.apply(whole);
    rig.store.runs.set('hello', 3);
    const change = `entries:
  - {model: authentik_flows.flow, identifiers: {slug: hello}, attrs: {title: {en: Hi, de: Hallo}, layout: stacked}}
  - {model: authentik_core.group, identifiers: {name: Staff}, attrs: {is_superuser: yes, attributes: {a: {b: 2}, api_key: hidden}}}
  - {model: authentik_stages_dummy.dummystage, state: absent, identifiers: {name: wait}}`;
    const { changes, flowChanges, compiled } = await planBlueprints(rig.input(change));
    expect(changes.map(({ action, label, members }) => ({ action, label, members }))).toEqual([
      { action: 'changed', label: 'flow hello', members: [{ name: 'title.en', before: 'Hello', after: 'Hi' }] },
      {
        ...{ action: 'changed', label: 'group "Staff"' },
        members: [
          { name: 'is_superuser', before: false, after: true },
          { name: 'attributes.a.b', before: 1, after: 2 },
        ],
      },
      { action: 'removed', label: 'dummy stage "wait"', members: [] },
      { action: 'removed', label: 'dummy stage "wait" in flow hello at 10', members: [] },
      { action: 'removed', label: expect.stringContaining('group "Staff" bound to'), members: [] },
    ]);
    expect(flowChanges).toEqual([{ slug: 'hello', from: 1, to: 2, openRuns: 3 }]);
    expect(compiled).toMatchObject([{ slug: 'hello', bindings: [] }]);
  });

  it('ends the open runs of changed flows only when it is told to', async () => {
    const rig = new BlueprintRig();
    await rig.apply(whole);
    rig.store.runs.set('hello', 3).set('other', 1);
    const rename = (name: string) =>
      `entries: [{model: authentik_flows.flow, identifiers: {slug: hello}, attrs: {name: ${name}}}]`;
    await rig.apply(rename('A'));
    expect(rig.store.runs.get('hello')).toBe(3);
    await rig.apply(rename('A'), { endRuns: true });
    expect(rig.store.runs.get('hello')).toBe(3);
    await rig.apply(rename('B'), { endRuns: true });
    expect([...rig.store.runs]).toEqual([['other', 1]]);
  });

  it('never shows a secret, wherever it stands', async () => {
    const rig = new BlueprintRig();
    const yaml = (word: string) => `entries:
  - {model: acme.vaultstage, identifiers: {name: v}, attrs: {client_secret: ${word}, nested: {list: [{password: ${word}}], token: ${word}}}}
  - {model: authentik_stages_prompt.prompt, identifiers: {name: p}, attrs: {field_key: password, label: P, type: password, initial_value: ${word}}}`;
    const more = { stages: [...stages, vault as never] };
    const first = await planBlueprints(rig.input(yaml('hush1'), more));
    await rig.apply(yaml('hush1'), more);
    const second = await planBlueprints(rig.input(yaml('hush2'), more));
    expect(JSON.stringify([first.changes, second.changes])).not.toContain('hush');
    expect(second.changes[0]?.members).toContainEqual({
      ...{ name: 'client_secret', before: '(secret)', after: '(another secret)' },
    });
  });
});
