import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { flowYaml } from '../support/flow-yaml.ts';
import { buildProgram, type Program } from '../support/program.ts';

let program: Program;
beforeAll(async () => {
  program = await buildProgram();
  await apply(['username'], 'Join');
  await apply(['username', 'name'], 'Join us');
});
afterAll(() => program.remove());

async function apply(keys: readonly string[], title: string): Promise<void> {
  const fields = keys.map((key) => ({ field_key: key }));
  const stages = [
    { kind: 'prompt', fields },
    { kind: 'user_write', attrs: { user_creation_mode: 'always_create' } },
  ];
  writeFileSync(join(program.folder, 'join.yaml'), flowYaml({ slug: 'join', attrs: { title }, stages }).text);
  expect((await program.run(['apply', 'join.yaml'])).code).toBe(0);
}

async function done(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, out } = await program.run([...args, '--json']);
  expect([args, code]).toEqual([args, 0]);
  return JSON.parse(out) as Record<string, unknown>;
}

interface Versions {
  readonly versions: readonly { readonly version: number; readonly isCurrent: boolean; readonly created: string }[];
}

it('lists flows and the versions of one, with what changed in a line', async () => {
  const { flows } = (await done('flow', 'list')) as { flows: { slug: string }[] };
  expect(flows.map(({ slug }) => slug)).toEqual(expect.arrayContaining(['default-authentication-flow', 'join']));
  const { versions } = (await done('flow', 'versions', 'join')) as unknown as Versions;
  expect(versions.map(({ isCurrent }) => isCurrent)).toEqual([true, false]);
  expect(Date.parse(versions[0]?.created ?? '')).toBeGreaterThan(0);
  const { out } = await program.run(['flow', 'versions', 'join']);
  expect(out).toMatch(
    /^\* +\d+ {2}\S+ {2}0 under way {2}~ flow join, \+ prompt .*\n +\d+ .* the oldest that is kept\n$/,
  );
});

it('shows the difference, goes back, and says so', async () => {
  const difference = await program.run(['flow', 'diff', 'join']);
  expect(difference.code).toBe(0);
  expect(difference.out).toContain('title: Join → Join us');
  const back = await program.run(['flow', 'rollback', 'join']);
  expect(back.code).toBe(0);
  expect(back.out).toMatch(/flow join is now version \d+, which is what version \d+ was\n$/);
  const { versions } = (await done('flow', 'versions', 'join')) as unknown as Versions;
  expect(versions).toHaveLength(3);
  const [newest, , oldest] = versions.map(({ version }) => String(version)) as [string, string, string];
  expect(await done('flow', 'diff', 'join', oldest, newest)).toMatchObject({ changes: [] });
  const again = await program.run(['flow', 'rollback', 'join', oldest]);
  expect([again.code, again.err]).toEqual([1, expect.stringContaining('already')]);
});

it('draws a flow as text, and as a picture into a file', async () => {
  const { out } = await program.run(['diagram', 'join']);
  expect(out).toMatch(/^flowchart TD\n[\s\S]*user write/);
  const drawn = await program.run(['diagram', 'join', '--out', 'join.svg']);
  expect([drawn.code, drawn.out]).toEqual([0, '']);
  expect(readFileSync(join(program.folder, 'join.svg'), 'utf8')).toMatch(/^<svg /);
});

it.each([
  [['flow', 'versions', 'nothing'], 1],
  [['flow', 'diff', 'join', 'one'], 2],
  [['flow', 'rollback', 'join', '999'], 1],
  [['diagram', 'nothing'], 1],
  [['diagram', 'join', '--format', 'pdf'], 2],
])('%j ends with %i', async (args, code) => {
  expect((await program.run(args)).code).toBe(code);
});
