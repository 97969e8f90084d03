import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { DoorwardOptions } from '../../src/index.ts';
import { createRig } from '../../src/testing/rig.ts';
import { emptyDatabase } from '../store/databases.ts';
import { flowYaml } from '../support/flow-yaml.ts';

const blueprintsDir = mkdtempSync(join(tmpdir(), 'doorward-watched-'));
afterAll(() => rmSync(blueprintsDir, { recursive: true, force: true }));

const write = (title: string) =>
  writeFileSync(
    join(blueprintsDir, 'mine.yaml'),
    flowYaml({ slug: 'mine', attrs: { title }, stages: [{ kind: 'dummy' }] }).text,
  );

describe.each(['sqlite', 'postgres'] as const)('a server with a folder of blueprints on %s', (dialect) => {
  it('applies it at start; nodes that start together or later find it done; what changed meanwhile is applied', async () => {
    const { database, remove } = await emptyDatabase(dialect);
    const start = (more: Partial<DoorwardOptions> = {}) => createRig({ database, blueprintsDir, ...more });
    write('One');
    writeFileSync(join(blueprintsDir, 'broken.yaml'), 'version: 1\nentries:\n  - {model: authentik_flows.flow}\n');
    const nodes = await Promise.all([start(), start()]);
    const [first] = nodes;
    const titleOf = async (rig = first) =>
      ((await rig.visitor().open('mine')).flow_info as { readonly title: string }).title;
    expect(await titleOf()).toBe('One');
    const files = await first.auth.flows.files();
    expect(files).toMatchObject([
      { path: 'broken.yaml', status: 'error', message: expect.stringMatching(/^broken\.yaml:3:5: identifiers/) },
      { path: 'mine.yaml', status: 'successful' },
    ]);
    nodes.push(await start());
    expect(await first.auth.flows.files()).toEqual(files);
    await Promise.all(nodes.map((node) => node.close()));
    write('Two');
    const later = await start();
    expect(await titleOf(later)).toBe('Two');
    await later.close();
    await expect(start({ blueprintsDir: join(blueprintsDir, 'nowhere') })).rejects.toMatchObject({
      code: 'configuration',
    });
    await remove();
  });
});
