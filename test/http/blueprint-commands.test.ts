import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flowYaml } from '../support/flow-yaml.ts';
import { buildProgram, type Program } from '../support/program.ts';
import { WebClient } from '../support/web-client.ts';

let program: Program;
beforeAll(async () => {
  program = await buildProgram();
});
afterAll(() => program.remove());

function write(name: string, text: string): string {
  writeFileSync(join(program.folder, name), text);
  return name;
}

/** Nobody who watches sees half of it. */
function replace(name: string, text: string): void {
  renameSync(join(program.folder, write('next.yaml', text)), join(program.folder, name));
}

async function done(args: readonly string[], env: Record<string, string> = {}): Promise<Record<string, unknown>> {
  const { code, out, err } = await program.run([...args, '--json'], { env });
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as Record<string, unknown>;
}

const wizard = (title: string, stages = 2) =>
  flowYaml({
    slug: 'wizard',
    attrs: { title },
    stages: [
      { kind: 'prompt', fields: [{ field_key: 'name' }] },
      { kind: 'prompt', fields: [{ field_key: 'email' }] },
      { kind: 'dummy' },
    ].slice(0, stages),
  }).text;

describe('doorward apply', () => {
  it('--plan shows what would change, to people and programs, and changes nothing', async () => {
    const { code, out, err } = await program.run(['apply', '--plan', write('wizard.yaml', wizard('One'))]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^\+ flow wizard\n {4}name: wizard\n/);
    expect(out).toContain('flow wizard: new, version');
    expect(out).toMatch(/Plan: 7 to create, .* Nothing was changed\.\n$/);
    expect(out).not.toContain('\u001b');
    expect(await done(['apply', '--plan', 'wizard.yaml'])).toMatchObject({ plan: true, created: 7 });
    expect(await done(['apply', 'wizard.yaml'])).toMatchObject({ plan: false, created: 7 });
    const changed = write('changed.yaml', wizard('Two\nlines'));
    const second = await program.run(['apply', '--plan', changed]);
    expect(second.out).toMatch(
      /^~ flow wizard\n {4}title:\n {6}- One\n {6}\+ Two\n {6}\+ lines\n\nflow wizard: version \d+ → \d+\n/,
    );
    expect(await done(['apply', '--plan', 'wizard.yaml'])).toMatchObject({
      unchanged: 7,
      changes: [],
      flow_changes: [],
    });
  });

  it('counts visitors under way, lets them finish on their version, or ends their runs when it is told to', async () => {
    await done(['apply', write('wizard.yaml', wizard('One'))]);
    const server = await program.serve();
    const begin = async (): Promise<WebClient> => {
      const client = new WebClient(server.origin);
      await client.open('wizard');
      await client.answer({ name: 'Ada' });
      return client;
    };
    const [stays, goes] = [await begin(), await begin()];
    const plan = await done(['apply', '--plan', write('two.yaml', wizard('Two'))]);
    expect(plan.flow_changes).toMatchObject([{ slug: 'wizard', open_runs: 2 }]);
    const applied = await program.run(['apply', 'two.yaml']);
    expect(applied.out).toContain('2 visitors in it finish on theirs');
    await stays.answer({ email: 'ada@example.com' });
    expect(stays.challenge).toMatchObject({ component: 'xak-flow-redirect' });
    const ended = await program.run(['apply', '--end-runs', write('three.yaml', wizard('Three'))]);
    expect(ended.out).toContain('1 visitor in it start again');
    await goes.answer({ email: 'ada@example.com' });
    expect(goes.challenge).toMatchObject({
      component: 'ak-stage-access-denied',
      error_message: 'This page has changed meanwhile. Please start again.',
    });
    server.signal('SIGTERM');
    expect(await server.ended).toBe(0);
  });

  it('--skip-unsupported leaves out what does not exist here; without it all of that is told at once', async () => {
    const alien = '  - {model: acme.brand, identifiers: {domain: x}}\n';
    const file = write(
      'alien.yaml',
      `version: 1\nentries:\n${alien}${alien}  - {model: authentik_core.group, identifiers: {name: G}}\n`,
    );
    const refused = await program.run(['apply', file]);
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err).toMatch(/alien\.yaml:3:\d+: .*\nalien\.yaml:4:\d+: .*\n.*--skip-unsupported\n$/);
    const skipped = await program.run(['apply', '--skip-unsupported', file]);
    expect(skipped.code).toBe(0);
    expect(skipped.err.match(/this entry was skipped/g)).toHaveLength(2);
    expect(skipped.out).toBe('+ group "G"\n1 created, 0 updated, 0 unchanged, 0 deleted\n');
  });

  it('--files opens a folder to !File, and nothing else does', async () => {
    mkdirSync(join(program.folder, 'texts'), { recursive: true });
    write('texts/motd', 'Hello\n');
    const file = write(
      'file.yaml',
      'entries: [{model: authentik_core.group, identifiers: {name: F}, attrs: {attributes: {motd: !File motd}}}]',
    );
    expect((await program.run(['apply', file])).err).toContain('!File is refused');
    const { changes } = await done(['apply', '--files', 'texts', file]);
    expect(changes).toMatchObject([{ members: [{ name: 'name' }, { name: 'attributes.motd', after: 'Hello' }] }]);
  });
});

describe('doorward export', () => {
  it('writes a flow that applies elsewhere, and here again without a change', async () => {
    await done(['apply', write('wizard.yaml', wizard('One'))]);
    const printed = await program.run(['export', 'wizard']);
    expect([printed.code, printed.err]).toEqual([0, '']);
    expect(await done(['export', 'wizard', '--out', 'exported.yaml'])).toEqual({
      flow: 'wizard',
      file: 'exported.yaml',
    });
    expect(readFileSync(join(program.folder, 'exported.yaml'), 'utf8')).toBe(printed.out);
    expect(await done(['export', 'wizard'])).toEqual({ flow: 'wizard', yaml: printed.out });
    expect(await done(['apply', '--plan', 'exported.yaml'])).toMatchObject({ unchanged: 7, changes: [] });
    const elsewhere = { DOORWARD_DATA_DIR: join(program.folder, 'elsewhere') };
    expect(await done(['apply', 'exported.yaml'], elsewhere)).toMatchObject({ created: 7, warnings: [] });
    expect((await done(['export', 'wizard'], elsewhere)).yaml).toBe(printed.out);
  });

  it('of a flow that is not there, or to where nothing can be written, is refused', async () => {
    expect(await program.run(['export', 'none'])).toMatchObject({
      code: 1,
      err: 'doorward export: there is no flow "none"\n',
    });
    expect(await program.run(['export', 'wizard', '--out', 'no/such/folder'])).toMatchObject({ code: 1 });
    expect((await program.run(['export'])).code).toBe(2);
  });
});

describe('DOORWARD_BLUEPRINTS_DIR', () => {
  it('is applied at start and while the server runs; a broken file keeps nobody from starting', async () => {
    const env = {
      DOORWARD_DATA_DIR: join(program.folder, 'watching'),
      DOORWARD_BLUEPRINTS_DIR: join(program.folder, 'watched'),
    };
    mkdirSync(join(program.folder, 'watched', 'deep'), { recursive: true });
    write('watched/broken.yaml', 'version: 1\nentries:\n  - {model: authentik_core.group}\n');
    write('watched/deep/wizard.yaml', wizard('One'));
    const server = await program.serve(env);
    const title = async () => {
      const client = new WebClient(server.origin);
      await client.open('wizard');
      return (client.challenge.flow_info as { title: string }).title;
    };
    expect(await title()).toBe('One');
    await server.logged(/broken\.yaml:3:5: identifiers: expected/);
    expect((await done(['blueprints', 'list'], env)).files).toMatchObject([
      { path: 'broken.yaml', status: 'error', message: expect.stringContaining('broken.yaml:3:5') },
      { path: 'deep/wizard.yaml', status: 'successful' },
    ]);
    replace('watched/deep/wizard.yaml', wizard('Two'));
    await server.logged(/wizard\.yaml"[\s\S]*wizard\.yaml"/);
    expect(await title()).toBe('Two');
    replace(
      'watched/broken.yaml',
      'version: 1\nentries:\n  - {model: authentik_core.group, identifiers: {name: Mended}}\n',
    );
    await server.logged(/"file":"broken\.yaml"/);
    const listed = await program.run(['blueprints', 'list'], { env });
    expect(listed.out).toMatch(/^successful {2}\S+ {2}broken\.yaml\nsuccessful {2}\S+ {2}deep\/wizard\.yaml\n$/);
    // Entries find the folder's files from the command line, too.
    const named = write(
      'named.yaml',
      'entries: [{model: authentik_blueprints.metaapplyblueprint, attrs: {identifiers: {path: broken.yaml}}}]',
    );
    expect(await done(['apply', named], env)).toMatchObject({ created: 0 });
    server.signal('SIGTERM');
    expect(await server.ended).toBe(0);
    rmSync(join(program.folder, 'watched'), { recursive: true });
    const missing = await program.run(['serve'], { env });
    expect(missing).toMatchObject({ code: 2, err: expect.stringMatching(/DOORWARD_BLUEPRINTS_DIR: .* is no folder/) });
  });
});
