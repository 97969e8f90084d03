import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BlueprintRig } from './blueprint-rig.ts';
import { BlueprintFolder } from './folder.ts';
import { fileRecords } from './folder-records.ts';

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'doorward-folder-'));
});
afterEach(() => rmSync(path, { recursive: true }));

function write(name: string, text: string): void {
  mkdirSync(dirname(join(path, name)), { recursive: true });
  writeFileSync(join(path, name), text);
}

const group = (name: string, more = '') => `  - {model: authentik_core.group, identifiers: {name: ${name}}${more}}`;
const meta = (identifiers: string, more = '') =>
  `  - {model: authentik_blueprints.metaapplyblueprint, attrs: {identifiers: {${identifiers}}${more}}}`;
const file = (...entries: string[]) => `version: 1\nentries:\n${entries.join('\n')}\n`;

/** One node that looks at the folder; `logged` is what it said. */
function node(rig: BlueprintRig) {
  const logged: string[] = [];
  let time = 0;
  const folder = new BlueprintFolder({
    ...rig.input([]),
    path,
    clock: () => (time += 1),
    changed: () => void logged.push('changed'),
    log: (level, message, fields) => void logged.push(`${level} ${message} ${String(fields.error ?? fields.file)}`),
  });
  return { logged, sync: () => folder.sync() };
}

const names = (rig: BlueprintRig) => [...rig.store.groups.values()].map(({ name }) => name);
const statuses = (rig: BlueprintRig) => fileRecords(rig.store.definitions).map((one) => `${one.path} ${one.status}`);

describe('a folder of blueprints', () => {
  it('is applied with the folders below it, each file by itself, after those that its entries apply', async () => {
    const rig = new BlueprintRig();
    write(
      'a.yaml',
      file(meta('name: Base'), group('Child', ', attrs: {parent: !Find [authentik_core.group, [name, B]]}')),
    );
    write('z/base.yml', `metadata: {name: Base}\n${file(group('B'))}`);
    write('notes.txt', 'nothing');
    write('.hidden/c.yaml', file(group('C')));
    const { sync, logged } = node(rig);
    const folders = await sync();
    expect(folders).toEqual([path, join(path, 'z')]);
    expect(names(rig)).toEqual(['B', 'Child']);
    expect(logged).toEqual([
      ...['changed', 'info a blueprint was applied z/base.yml', 'changed', 'info a blueprint was applied a.yaml'],
    ]);
    expect(fileRecords(rig.store.definitions)).toMatchObject([
      { path: 'a.yaml', name: 'a.yaml', status: 'successful', message: '', at: 2 },
      { path: 'z/base.yml', name: 'Base', status: 'successful', message: '', at: 1 },
    ]);
  });

  it('does nothing to files that are as they were, for the same node and for another one', async () => {
    const rig = new BlueprintRig();
    write('a.yaml', file(group('A')));
    const { sync } = node(rig);
    await sync();
    const { revision } = rig.store;
    rig.store.groups.clear();
    await sync();
    const another = node(rig);
    await another.sync();
    expect(another.logged).toEqual([]);
    expect(rig.store.revision).toBe(revision);
    expect(names(rig)).toEqual([]);
  });

  it('applies what changed, and keeps the last good state where a file is wrong', async () => {
    const rig = new BlueprintRig();
    write('a.yaml', file(group('A')));
    write('b.yaml', file(group('B')));
    const { sync, logged } = node(rig);
    await sync();
    write('a.yaml', file(group('A2'), '  - {model: authentik_core.group}'));
    write('b.yaml', file(group('B2', ', attrs: {nmae: x}')));
    await sync();
    expect(names(rig)).toEqual(['A', 'B', 'B2']);
    expect(fileRecords(rig.store.definitions)).toMatchObject([
      { path: 'a.yaml', status: 'error', message: expect.stringMatching(/^a\.yaml:4:5: identifiers: expected/) },
      { path: 'b.yaml', status: 'warning', message: expect.stringMatching(/^b\.yaml:3:68: nmae .*did you mean name/) },
    ]);
    expect(logged.find((line) => line.startsWith('error'))).toMatch(
      /^error a blueprint was not applied; .* a\.yaml:4:5: identifiers/,
    );
    const { revision } = rig.store;
    await sync();
    expect(rig.store.revision).toBe(revision);
    write('a.yaml', file(group('A3')));
    await sync();
    expect(names(rig)).toContain('A3');
    expect(statuses(rig)).toEqual(['a.yaml successful', 'b.yaml warning']);
  });

  it('tries again what was wrong when another file changes, and at the next start', async () => {
    const rig = new BlueprintRig();
    const child = (parent: string) =>
      group(`Child of ${parent}`, `, attrs: {parent: !Find [authentik_core.group, [name, ${parent}]]}`);
    write('a.yaml', file(meta('path: later.yaml'), child('L')));
    const { sync } = node(rig);
    await sync();
    expect(statuses(rig)).toEqual(['a.yaml error']);
    write('later.yaml', file(group('L')));
    await sync();
    expect(statuses(rig)).toEqual(['a.yaml successful', 'later.yaml successful']);
    write('z.yaml', file(meta('name: Elsewhere')));
    await sync();
    expect(statuses(rig)).toContain('z.yaml error');
    await node(rig).sync();
    expect(statuses(rig)).toContain('z.yaml error');
  });

  it('of nodes with different files none undoes the other over and over', async () => {
    const rig = new BlueprintRig();
    write('a.yaml', file(group('Old')));
    const first = node(rig);
    await first.sync();
    write('a.yaml', file(group('New')));
    await node(rig).sync();
    write('a.yaml', file(group('Old')));
    const { revision } = rig.store;
    await first.sync();
    expect(rig.store.revision).toBe(revision);
  });

  it('forgets a file that was taken away, never what it made', async () => {
    const rig = new BlueprintRig();
    write('a.yaml', file(group('A')));
    const { sync } = node(rig);
    await sync();
    rmSync(join(path, 'a.yaml'));
    await sync();
    expect(names(rig)).toEqual(['A']);
    expect(rig.store.definitions).toEqual([]);
    write('a.yaml', file(group('A')));
    await sync();
    rmSync(join(path, 'a.yaml'));
    await node(rig).sync();
    expect(rig.store.definitions).toEqual([]);
  });

  it('lists a file that says it is not to be applied by itself, and has it for those that apply it', async () => {
    const rig = new BlueprintRig();
    const label = 'blueprints.goauthentik.io/instantiate';
    write('off.yaml', `metadata: {name: Manual, labels: {${label}: "false"}}\n${file(group('O'))}`);
    await node(rig).sync();
    expect(names(rig)).toEqual([]);
    expect(fileRecords(rig.store.definitions)).toMatchObject([{ path: 'off.yaml', name: 'Manual', status: 'off' }]);
    write('on.yaml', file(meta('name: Manual')));
    await node(rig).sync();
    expect(names(rig)).toEqual(['O']);
  });

  it('says so of a circle in every file of it, and of an optional one that is wrong only there', async () => {
    const rig = new BlueprintRig();
    write('a.yaml', file(meta('path: b.yaml')));
    write('b.yaml', file(meta('path: a.yaml')));
    write('broken.yaml', 'entries: [');
    write('c.yaml', file(meta('path: broken.yaml', ', required: no'), group('C')));
    await node(rig).sync();
    expect(statuses(rig)).toEqual(['a.yaml error', 'b.yaml error', 'broken.yaml error', 'c.yaml successful']);
    expect(names(rig)).toEqual(['C']);
  });

  it('follows links, as mounted configuration has them, and refuses what is too large', async () => {
    const rig = new BlueprintRig();
    write('.data/a.yaml', file(group('A')));
    symlinkSync(join('.data', 'a.yaml'), join(path, 'a.yaml'));
    symlinkSync('nowhere', join(path, 'b.yaml'));
    write('large.yaml', `#${' '.repeat(1024 * 1024)}`);
    await node(rig).sync();
    expect(statuses(rig)).toEqual(['a.yaml successful', 'large.yaml error']);
    expect(fileRecords(rig.store.definitions)[1]?.message).toContain('larger than 1 MiB');
  });

  it('does not take an absent database for a fault of a file', async () => {
    const rig = new BlueprintRig();
    write('a.yaml', file(group('A')));
    const { sync } = node(rig);
    rig.store.losses = 100;
    await expect(sync()).rejects.toMatchObject({ code: 'store_unavailable' });
    rig.store.losses = 0;
    await sync();
    expect(statuses(rig)).toEqual(['a.yaml successful']);
  });
});
