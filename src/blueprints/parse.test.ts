import { describe, expect, it } from 'vitest';
import { isDoorwardError } from '../kernel/errors.ts';
import { parseBlueprint } from './parse.ts';
import { nearestName } from './place.ts';

function complaint(text: string): string {
  try {
    parseBlueprint('f.yaml', text);
  } catch (error) {
    if (isDoorwardError(error)) return `${error.code} ${error.detail}`;
    throw error;
  }
  return 'no complaint';
}

const flow = 'model: authentik_flows.flow, identifiers: {slug: a}';

describe('reading a blueprint', () => {
  it('takes a list of entries', () => {
    const { entries, metadata } = parseBlueprint(
      'f.yaml',
      `version: 1\nmetadata: {name: Mine}\nentries:\n  - {${flow}, id: x}\n`,
    );
    expect(metadata.name).toBe('Mine');
    expect(entries.map(({ id, at }) => ({ id, at }))).toEqual([
      { id: 'x', at: { file: 'f.yaml', line: 4, column: 5 } },
    ]);
  });

  it('takes sections of entries in their order', () => {
    const { entries } = parseBlueprint(
      'f.yaml',
      `entries:\n  one: [{${flow}, id: a}]\n  two: [{${flow}, id: b}, {${flow}, id: c}]`,
    );
    expect(entries.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  it('reads YAML 1.1 as the reference does: yes and off but not y and n, dates as they are written, merge keys, names as they are written', () => {
    const text = `
context:
  base: &base {a: yes, b: 1}
  more: {<<: *base, b: off, on: 017, y: n, when: 2020-01-02}
entries: []`;
    const more = parseBlueprint('f.yaml', text).context?.members.get('more')?.value;
    const members =
      more?.kind === 'map'
        ? [...more.members].map(([name, { value }]) => [name, value.kind === 'scalar' && value.value])
        : [];
    expect(Object.fromEntries(members)).toEqual({ a: true, b: false, on: 15, y: 'n', when: '2020-01-02' });
  });

  it('takes as numbers what the reference takes, sexagesimal ones too, and leaves the rest as text', () => {
    const words = ['190:20:30', '20:30.5', '1_000', '0x1F', '0b101', '.5', '1e3', '08', '1.5e3', '1.5e+3', '0o17', '~'];
    const { context } = parseBlueprint('f.yaml', `context: {a: [${words.join(', ')}]}\nentries: []`);
    const list = context?.members.get('a')?.value;
    expect(list?.kind === 'list' && list.items.map((item) => item.kind === 'scalar' && item.value)).toEqual([
      ...[685230, 1230.5, 1000, 31, 5, 0.5, '1e3', '08', '1.5e3', 1500, '0o17', null],
    ]);
  });

  it('merges maps in order, what a map says itself first', () => {
    const text = 'context:\n  - &a {x: 1, y: 1}\n  - &b {y: 2, z: 2}\nentries: []';
    expect(complaint(text)).toContain('context: expected a map');
    const merged = parseBlueprint(
      'f.yaml',
      'context: {a: &a {x: 1, y: 1}, b: &b {y: 2, z: 2}, c: {<<: [*a, *b], x: 0}}\nentries: []',
    ).context?.members.get('c')?.value;
    const members = merged?.kind === 'map' ? [...merged.members] : [];
    expect(
      Object.fromEntries(members.map(([name, { value }]) => [name, value.kind === 'scalar' && value.value])),
    ).toEqual({ x: 0, y: 1, z: 2 });
  });

  it('takes attributes and identifiers that are null for none', () => {
    const { entries } = parseBlueprint('f.yaml', 'entries: [{model: a.b, identifiers: {c: d}, attrs: null}]');
    expect(entries[0]?.attrs).toBeNull();
  });

  it('warns of members that it does not know, with the nearest name', () => {
    const { warnings } = parseBlueprint(
      'f.yaml',
      `entries:\n  - {${flow}, atrs: {}}\n  - {${flow}, permissions: [{permission: view_flow, user: 1}]}`,
    );
    expect(warnings).toMatchObject([
      { line: 2, column: 59, message: 'atrs is not known here and was ignored (did you mean attrs?)' },
      { line: 3, column: 72, message: expect.stringContaining('nobody was granted anything') },
    ]);
  });

  it.each([
    ['nothing', '', 'f.yaml:1:1: expected a blueprint'],
    ['a list', '- a', 'f.yaml:1:1: expected a blueprint'],
    ['broken YAML', 'version: 1\nentries: [a,\nb: 2', 'f.yaml:3:1: this is not readable YAML'],
    ['two documents', 'entries: []\n---\nentries: []', 'f.yaml:2:1: this is not readable YAML'],
    ['another version', 'version: 2\nentries: []', 'f.yaml:1:10: only blueprints of version 1'],
    ['no entries', 'version: 1', 'f.yaml:1:1: entries: expected a list'],
    ['an entry that is no map', 'entries:\n  - hello', 'f.yaml:2:5: expected an entry'],
    ['an entry without a model', 'entries:\n  - id: x', 'f.yaml:2:5: model: is required'],
    ['a name given twice', 'entries:\n  - model: a\n    model: b', 'f.yaml:3:5: model is given twice'],
    [
      'a tag that it does not know',
      'entries:\n  - model: !Fnd [a]',
      'f.yaml:2:12: unknown tag !Fnd (did you mean !Find?)',
    ],
    [
      'a name of prototypes',
      'context:\n  __proto__: {a: 1}\nentries: []',
      'f.yaml:2:3: __proto__ cannot be used as a name',
    ],
    ['a name that is no text', 'context:\n  [a, b]: 1\nentries: []', 'f.yaml:2:3: expected a name before the colon'],
    ['an infinite number', 'context: {a: .inf}\nentries: []', 'f.yaml:1:14: expected text, a finite number'],
    ['a number that would lose digits', 'context: {a: 12345678901234567890}\nentries: []', 'f.yaml:1:14: this whole'],
    ['a version that is text', 'version: "1"\nentries: []', 'f.yaml:1:10: only blueprints of version 1'],
    ['metadata without a name', 'metadata: {labels: {}}\nentries: []', 'f.yaml:1:11: metadata: expected a "name"'],
    ['a section that is no list', 'entries: {a: {b: c}}', 'f.yaml:1:14: entries: expected a list of entries in each'],
    [
      'a merge of a text',
      'context: {a: {<<: x}}\nentries: []',
      'f.yaml:1:19: a merge key (<<) needs an alias of a map',
    ],
    ['bytes', 'context: {a: !!binary aGk=}\nentries: []', "f.yaml:1:23: values of YAML's type !!binary"],
    ['an alias of nothing', 'context: {a: *b}\nentries: []', 'f.yaml:1:14: '],
    ['an alias of itself', 'context: &a {b: *a}\nentries: []', 'f.yaml:1:17: '],
    [
      'conditions that are no list',
      `entries:\n  - {${flow}, conditions: yes}`,
      'f.yaml:2:71: conditions: expected a list',
    ],
  ])('refuses %s with its place', (_, text, expected) => {
    expect(complaint(text)).toContain(`blueprint ${expected}`);
  });

  it('refuses what is too large, too deep, or grows by aliases', () => {
    expect(complaint(`# ${'x'.repeat(1024 * 1024)}`)).toContain('larger than 1 MiB');
    expect(complaint(`context: ${'{a: '.repeat(100)}1${'}'.repeat(100)}\nentries: []`)).toContain('deeper than 64');
    expect(complaint('['.repeat(100_000))).toContain('not readable YAML');
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (const [name, of] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf'].map((pair) => [...pair]))
      bomb.push(`${name}: &${name} [${Array(10).fill(`*${of}`).join(', ')}]`);
    expect(complaint(`context:\n  ${bomb.join('\n  ')}\nentries: []`)).toContain('each use of an alias counts');
  });
});

describe('the nearest name', () => {
  it('is the one with the fewest edits, and none where all are far', () => {
    expect(nearestName('desigantion', ['designation', 'denied_action'])).toBe('designation');
    expect(nearestName('template', ['user_fields', 'sources'])).toBeNull();
  });
});
