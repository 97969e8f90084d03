import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../kernel/clock.ts';
import { Keyring, newSecretKey } from '../kernel/secrets.ts';
import { policies } from '../policies/index.ts';
import { stages } from '../stages/index.ts';
import { type OpenStore, openStore } from '../store/open.ts';
import { applyBlueprints } from './apply.ts';
import { groupModel } from './models.ts';
import { applyShipped } from './shipped.ts';
import { shippedFiles } from './shipped-files.ts';

describe('blueprints on a database', () => {
  let folder: string;
  let store: OpenStore;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'doorward-blueprints-'));
    const keyring = new Keyring(newSecretKey());
    store = await openStore({ database: { sqlite: join(folder, 'test.sqlite') }, keyring, clock: systemClock });
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const base = () => ({ stages, policies, definitions: store.definitions, read: store.read });
  const apply = (text: string) => applyBlueprints({ ...base(), files: [{ name: 'test.yaml', text }] });

  it('the shipped flows are made once, and applying their files again changes nothing', async () => {
    expect((await applyShipped(base()))?.flows).toHaveLength(shippedFiles.length);
    const before = await store.definitions.all();
    expect(await applyShipped(base())).toBeNull();
    const again = await applyBlueprints({ ...base(), files: shippedFiles });
    expect(again.summary).toMatchObject({ created: 0, updated: 0, deleted: 0, flows: [] });
    expect(await store.definitions.all()).toEqual(before);
    expect(await store.definitions.currentVersions()).toEqual(
      Object.fromEntries(shippedFiles.map(({ name }) => [name, 1])),
    );
  });

  it('nodes that start together on an empty database make the flows once', async () => {
    await Promise.all([applyShipped(base()), applyShipped(base()), applyShipped(base())]);
    const { definitions } = await store.definitions.all();
    expect(definitions.filter(({ model }) => model === 'authentik_flows.flow')).toHaveLength(shippedFiles.length);
    expect(new Set(Object.values(await store.definitions.currentVersions()))).toEqual(new Set([1]));
  });

  it('a group is made and changed with the accounts, and a deleted flow is gone', async () => {
    await apply(`entries:
  - {model: ${groupModel}, id: staff, identifiers: {name: Staff}, attrs: {is_superuser: no, attributes: {a: [1]}}}
  - {model: authentik_flows.flow, id: flow, identifiers: {slug: a}, attrs: {name: A, title: A, designation: recovery}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf flow, order: 0}, attrs: {group: !KeyOf staff}}`);
    const [staff] = await store.read.groups(['Staff']);
    expect(staff).toMatchObject({ isSuperuser: false, attributes: { a: [1] } });
    expect((await store.definitions.flow('a', 1))?.policies).toMatchObject([{ group: staff?.pk }]);
    await apply(`entries:
  - {model: ${groupModel}, identifiers: {name: Staff}, attrs: {is_superuser: yes}}
  - {model: authentik_flows.flow, state: absent, identifiers: {slug: a}}`);
    expect(await store.read.groups(['Staff'])).toMatchObject([
      { pk: staff?.pk, isSuperuser: true, attributes: { a: [1] } },
    ]);
    expect(await store.definitions.currentVersions()).toEqual({});
    expect((await store.definitions.all()).definitions).toEqual([]);
  });
});
