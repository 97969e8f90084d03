import { describe, expect, it } from 'vitest';
import { BlueprintRig } from './blueprint-rig.ts';
import { fileRecords } from './folder-records.ts';

const group = (name: string) => `  - {model: authentik_core.group, identifiers: {name: ${name}}}`;
const meta = (identifiers: string, more = '') =>
  `  - {model: authentik_blueprints.metaapplyblueprint, attrs: {identifiers: {${identifiers}}${more}}}`;
const file = (name: string, ...entries: string[]) =>
  `version: 1\nmetadata: {name: ${name}}\nentries:\n${entries.join('\n')}`;
const find = (name: string) =>
  `  - {model: authentik_core.group, identifiers: {name: Child of ${name}}, attrs: {parent: !Find [authentik_core.group, [name, ${name}]]}}`;

describe('an entry that applies another blueprint', () => {
  it('finds it among the files of the same call by name or path, and applies it there and then, once', async () => {
    const rig = new BlueprintRig();
    await rig.apply([file('One', meta('name: Two'), find('B')), file('Two', group('B'))]);
    expect([...rig.store.groups.values()].map(({ name }) => name)).toEqual(['B', 'Child of B']);
    await rig.apply([file('One', meta('path: test-2.yaml'), find('C')), file('Two', group('C'))]);
    expect(rig.store.groups.size).toBe(4);
  });

  it('notices a circle', async () => {
    const rig = new BlueprintRig();
    expect(await rig.refused([file('One', meta('name: Two')), file('Two', meta('name: One'))])).toBe(
      'test-2.yaml:4:5: the blueprints apply each other in a circle: test.yaml → test-2.yaml → test.yaml',
    );
    expect(await rig.refused(file('One', meta('name: One')))).toContain('in a circle');
  });

  it('refuses one that is not there, unless it is not required', async () => {
    const rig = new BlueprintRig();
    expect(await rig.refused(file('One', meta('name: Tow')))).toBe(
      'test.yaml:4:5: there is no blueprint "Tow" here; give its file too; or say "required: false"',
    );
    expect(await rig.refused([file('One', meta('name: Tow')), file('Two', group('x'))])).toContain('did you mean Two?');
    expect((await rig.apply(file('One', meta('name: Tow', ', required: no')))).warnings).toEqual([]);
    expect(await rig.refused(file('One', meta('status: x')))).toContain('found by name or path, not by status');
    expect(await rig.refused(file('One', '  - {model: authentik_blueprints.metaapplyblueprint}'))).toContain(
      'expected "identifiers"',
    );
  });

  it('finds it in the watched folder, where what became of it is recorded; what was applied is left alone', async () => {
    const rig = new BlueprintRig();
    const library = [
      {
        name: 'base/two.yaml',
        text: file('Two', group('B'), '  - {model: authentik_core.group, identifiers: {name: D}, attrs: {x: 1}}'),
      },
      { name: 'broken.yaml', text: 'entries: [' },
    ];
    await rig.apply(file('One', meta('path: two.yaml'), find('B')), { library, now: 5 });
    expect(fileRecords(rig.store.definitions)).toEqual([
      {
        ...{ path: 'base/two.yaml', name: 'Two', status: 'warning', at: 5, hash: expect.any(String) },
        message: 'base/two.yaml:5:67: x is not an attribute of authentik_core.group and was ignored',
      },
    ]);
    rig.store.groups.clear();
    await rig.apply(file('One', meta('name: Two')), { library, now: 6 });
    expect(rig.store.groups.size).toBe(0);
    expect(await rig.refused(file('One', meta('path: broken.yaml')), { library })).toContain('broken.yaml:1:11');
  });
});
