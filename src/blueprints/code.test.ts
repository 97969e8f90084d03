import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { createExpressions } from '../adapters/expressions/expressions.ts';
import { BlueprintRig } from './blueprint-rig.ts';

const expressions = createExpressions(60_000);
afterAll(() => expressions.close());

const policyModel = 'authentik_policies_expression.expressionpolicy';

function policy(name: string, expression: string, more = ''): string {
  return `  - {model: ${policyModel}, id: ${name}, identifiers: {name: ${name}}, attrs: {expression: ${JSON.stringify(expression)}${more}}}\n`;
}

function prompt(member: string, code: string): string {
  return `  - {model: authentik_stages_prompt.prompt, identifiers: {name: p}, attrs: {field_key: a, label: A, type: text, ${member}: ${JSON.stringify(code)}, ${member}_expression: true}}\n`;
}

describe('code is looked at when a blueprint is applied', () => {
  it.each([
    ['a policy', policy('p', 'x = 1\nreturn ('), /^test\.yaml:2:5: expression of "p": .*line 2/],
    [
      'a policy in JavaScript',
      policy('p', 'return (', ', language: javascript'),
      /^test\.yaml:2:5: expression of "p": .*line 1/,
    ],
    ['a placeholder', prompt('placeholder', 'return )'), /^test\.yaml:2:5: placeholder of "p": /],
    ['an initial value', prompt('initial_value', 'if True\n  pass'), /^test\.yaml:2:5: initial_value of "p": /],
    ['a module that does not exist', policy('p', 'import os\nreturn True'), /expression of "p": .*line 1/],
    ['more than 16 KB', policy('p', `return "${'x'.repeat(17_000)}"`), /expression of "p": .*at most 16384/],
  ])('%s that cannot run is refused with its place', async (_, entries, told) => {
    const rig = new BlueprintRig();
    expect(await rig.refused(`entries:\n${entries}`, { expressions })).toMatch(told);
    expect(rig.store.definitions).toEqual([]);
  });

  it('a text that is no code is not looked at, and neither is what stays as it is', async () => {
    const rig = new BlueprintRig();
    const kept = `entries:\n${policy('old', 'return (')}`;
    await rig.apply(kept);
    const plain =
      '  - {model: authentik_stages_prompt.prompt, identifiers: {name: q}, attrs: {field_key: a, label: A, type: text, placeholder: "return ("}}\n';
    await rig.apply(kept + plain, { expressions });
    expect(rig.attrs(policyModel)).toHaveLength(1);
    expect(await rig.refused(`entries:\n${policy('old', 'return )')}`, { expressions })).toMatch(/expression of "old"/);
  });
});

it('the examples of docs/expressions.md can run', async () => {
  const page = readFileSync(new URL('../../docs/expressions.md', import.meta.url), 'utf8');
  const [, yaml = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];
  const [, script = ''] = /```js\n(.*?)```/s.exec(page) ?? [];
  const rig = new BlueprintRig();
  await rig.apply(`entries:\n${yaml.replaceAll(/^/gm, '  ')}\n${policy('script', script, ', language: javascript')}`, {
    expressions,
  });
  expect(rig.attrs(policyModel).map(({ name }) => name)).toEqual(['place-of-new-users', 'script']);
});

describe('a version of a flow holds the policies that are asked by name', () => {
  const flow = (
    bound: string,
  ) => `  - {model: authentik_flows.flow, id: flow, identifiers: {slug: f}, attrs: {name: F, title: F, designation: enrollment}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf flow, order: 0}, attrs: {policy: !KeyOf ${bound}}}\n`;
  const named = (rig: BlueprintRig) =>
    Object.values(rig.flow('f').objects)
      .map(({ kind, name }) => `${kind} ${name}`)
      .sort();

  it('those of a bound policy, those that they ask in turn, and a circle once', async () => {
    const rig = new BlueprintRig();
    const entries = [
      policy('first', 'return ak_call_policy(\'second\').passing and ak_call_policy("third", a=1).passing'),
      policy('second', 'return ak_call_policy( "first" ).passing'),
      policy('third', 'return (await ak_call_policy(`second`)).passing', ', language: javascript'),
      policy('fourth', 'return True'),
    ];
    await rig.apply(`entries:\n${entries.join('')}${flow('first')}`, { expressions });
    expect(named(rig)).toEqual(['policy first', 'policy second', 'policy third']);
  });

  it('changes when one of them does, and not with others', async () => {
    const rig = new BlueprintRig();
    const asking = policy('asking', 'return ak_call_policy("asked").passing');
    const before = `entries:\n${asking}${policy('asked', 'return True')}${policy('other', 'return True')}${flow('asking')}`;
    await rig.apply(before);
    const { version } = rig.flow('f');
    await rig.apply(`entries:\n${policy('other', 'return False')}`);
    expect(rig.flow('f').version).toBe(version);
    await rig.apply(`entries:\n${policy('asked', 'return False')}`);
    expect(rig.flow('f').version).toBeGreaterThan(version);
  });
});
