import { describe, expect, it } from 'vitest';
import { BlueprintRig } from '../blueprint-rig.ts';
import { diagramOf, type Names } from './graph.ts';
import { mermaidOf } from './mermaid.ts';
import { svgOf } from './svg.ts';

const hostile = '"]; click n0 "javascript:alert(1)" <script>&amp;#34;';

const yaml = `entries:
  - {model: authentik_core.group, id: staff, identifiers: {name: staff}}
  - {model: authentik_flows.flow, id: other, identifiers: {slug: other}, attrs: {name: O, title: O, designation: recovery}}
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: drawn}
    attrs: {name: Drawn, title: T, designation: enrollment, authentication: require_unauthenticated, denied_action: message}
  - {model: authentik_policies_expression.expressionpolicy, id: asks, identifiers: {name: asks}, attrs: {expression: return True}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf flow, order: 0}, attrs: {policy: !KeyOf asks}}
  - {model: authentik_stages_prompt.prompt, id: p, identifiers: {name: p}, attrs: {field_key: username, type: username, label: U}}
  - {model: authentik_stages_prompt.promptstage, id: ask, identifiers: {name: ask}, attrs: {fields: [!KeyOf p]}}
  - {model: authentik_stages_dummy.dummystage, id: extra, identifiers: {name: ${JSON.stringify(hostile)}}}
  - {model: authentik_stages_deny.denystage, id: refuse, identifiers: {name: refuse}, attrs: {deny_message: Not you}}
  - {model: authentik_stages_redirect.redirectstage, id: away, identifiers: {name: away}, attrs: {mode: flow, target_flow: !KeyOf other}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf flow, stage: !KeyOf ask, order: 0}, attrs: {invalid_response_action: restart}}
  - {model: authentik_flows.flowstagebinding, id: b1, identifiers: {target: !KeyOf flow, stage: !KeyOf extra, order: 1}, attrs: {policy_engine_mode: any}}
  - {model: authentik_flows.flowstagebinding, id: b2, identifiers: {target: !KeyOf flow, stage: !KeyOf refuse, order: 2}, attrs: {policy_engine_mode: all}}
  - {model: authentik_flows.flowstagebinding, id: b3, identifiers: {target: !KeyOf flow, stage: !KeyOf away, order: 3}, attrs: {evaluate_on_plan: true, re_evaluate_policies: false}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf b1, order: 0}, attrs: {policy: !KeyOf asks}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf b1, order: 1}, attrs: {group: !KeyOf staff, negate: true}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf b2, order: 0}, attrs: {policy: !KeyOf asks}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf b2, order: 1}, attrs: {user: 7}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf b3, order: 0}, attrs: {group: !KeyOf staff}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf b3, order: 1}, attrs: {policy: !KeyOf asks, enabled: false}}`;

async function drawn() {
  const rig = new BlueprintRig();
  rig.users.push({ id: 7, username: 'ada' });
  await rig.apply(yaml);
  const names: Names = new Map([
    ...[...rig.store.groups.values()].map(({ pk, name }) => [pk, name] as const),
    ['7', 'ada'],
  ]);
  return { diagram: diagramOf(rig.flow('drawn'), names), empty: diagramOf(rig.flow('other'), names) };
}

describe('the picture of a flow', () => {
  it('has stages in order, conditions as decisions, ways past and ways out', async () => {
    const { nodes, edges } = (await drawn()).diagram;
    const title = (id: string) => nodes.find((node) => node.id === id)?.title;
    expect(nodes.map(({ shape, title: name, lines }) => [shape, name, ...lines])).toEqual([
      ['start', 'Drawn', 'enrollment flow', 'drawn'],
      ['decision', 'Is the visitor not signed in?'],
      ['denied', 'denied, with a message'],
      ['decision', 'Who may enter?', 'expression policy "asks"'],
      ['denied', 'denied, with a message'],
      ['stage', 'ask', 'prompt', 'username', 'a wrong answer starts the flow again'],
      ['decision', `Visit "${hostile}"?`, 'expression policy "asks"', 'or not in group "staff"'],
      ['stage', hostile, 'dummy'],
      ['decision', 'Visit "refuse"?', 'expression policy "asks"', 'and user "ada"'],
      ['stage', 'refuse', 'deny'],
      ['denied', 'denied: Not you'],
      ['decision', 'Visit "away"?', 'in group "staff"', '(asked when the flow begins)'],
      ['stage', 'away', 'redirect'],
      ['away', 'flow other'],
      ['done', 'done', 'on to where the visitor wanted'],
    ]);
    const skips = edges.filter(({ label }) => label === 'no').map(({ from, to }) => [title(from), title(to)]);
    expect(skips.slice(2)).toEqual([
      [`Visit "${hostile}"?`, 'Visit "refuse"?'],
      // Who is denied goes no further: only the way past leads on.
      ['Visit "refuse"?', 'Visit "away"?'],
      ['Visit "away"?', 'done'],
    ]);
    expect(edges.filter(({ to }) => title(to) === 'done')).toHaveLength(1);
  });

  it('of a flow without stages leads from its start to its end', async () => {
    const { nodes, edges, description } = (await drawn()).empty;
    expect(nodes.map(({ shape }) => shape)).toEqual(['start', 'done']);
    expect(edges).toEqual([{ from: 'n0', to: 'n1', label: '' }]);
    expect(description).toContain('It has no stages.');
  });

  it("as text for Mermaid holds no syntax of a name's making", async () => {
    const text = mermaidOf((await drawn()).diagram);
    const [first, ...lines] = text.trimEnd().split('\n');
    expect(first).toBe('flowchart TD');
    const box =
      /^ {2}n\d+(?:\(\[|\{\{|\[\/|\[)"[^"<>;[\]{}]*(?:(?:#\d+;|<br\/>)[^"<>;[\]{}]*)*"(?:\]\)|\}\}|\/\]|\]):::\w+$/;
    const way = /^ {2}n\d+ (?:-->|-->\|(?:yes|no)\|) n\d+$/;
    for (const line of lines)
      expect(line).toMatch(
        /^ {2}(?:acc|classDef)/.test(line) ? /^[^"<>#]*(?:stroke:#\w+)?$/ : box.test(line) ? box : way,
      );
    expect(text).toContain('#34;#93;#59; click n0 #34;javascript:alert(1)#34; #60;script#62;');
  });

  it('as SVG stands by itself, is named and described, and escapes what it shows', async () => {
    const svg = svgOf((await drawn()).diagram);
    expect(svg).toContain('role="img" aria-labelledby="title description"');
    expect(svg).toContain('<title id="title">Flow Drawn</title>');
    expect(svg).toContain('prefers-color-scheme: dark');
    expect(svg).not.toMatch(/<script|href|url\((?!#tip\))|on\w+=/);
    expect(svg).toContain('&lt;script&gt;');
    // Each tag that is opened is closed, and boxes do not lie on each other.
    const open: string[] = [];
    for (const [, close, name = '', empty] of svg.matchAll(/<(\/?)(\w+)[^<>]*?(\/?)>/g)) {
      if (close !== '') expect(open.pop()).toBe(name);
      else if (empty === '') open.push(name);
    }
    expect(open).toEqual([]);
  });
});
