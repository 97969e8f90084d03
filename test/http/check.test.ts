import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { codes } from '../../src/blueprints/proof/codes.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { buildProgram, type Program } from '../support/program.ts';
import { flowOf, identification, login, password } from '../support/proof-rig.ts';

let program: Program;
const away = { env: { DATABASE_URL: 'postgres://127.0.0.1:1/x', DOORWARD_SECRET_KEY: 'x'.repeat(32) } };
const signIn = { designation: 'authentication' };
const unsafe = flowYaml(flowOf([identification, login], signIn, 'unsafe')).text;

beforeAll(async () => {
  program = await buildProgram();
  write('unsafe.yaml', unsafe);
  write('safe.yaml', flowYaml(flowOf([identification, password, login], signIn, 'safe')).text);
  write(
    'allowed.yaml',
    unsafe.replace(
      'version: 1',
      'version: 1\nmetadata: {name: x, labels: {x-doorward-allow: [sign_in_without_proof]}}',
    ),
  );
});
afterAll(() => program.remove());

function write(name: string, text: string): void {
  writeFileSync(join(program.folder, name), text);
}

it('files are proved without a database, and the path is drawn at the place in the file', async () => {
  const { code, out, err } = await program.run(['check', 'safe.yaml', 'unsafe.yaml'], away);
  expect([code, err]).toEqual([1, '']);
  expect(out).toMatch(/^error\[sign_in_without_proof\] unsafe\.yaml:\d+:\d+ \(flow unsafe\)$/m);
  expect(out).toMatch(
    /an anonymous visitor\n.*flow begins\n.*identification\) +visited\n.*╰─● .*user_login\) +visited\n/,
  );
  expect(out).toMatch(/^ {2}→ Put a stage that proves it/m);
  expect(out).toMatch(/: 1 error\n$/);
});

it('what is clean ends with 0, and the level is chosen', async () => {
  write('warned.yaml', flowYaml(flowOf([], {}, 'warned')).text);
  expect((await program.run(['check', 'safe.yaml'], away)).code).toBe(0);
  expect((await program.run(['check', 'warned.yaml'], away)).code).toBe(0);
  expect((await program.run(['check', 'warned.yaml', '--severity', 'warning'], away)).code).toBe(1);
  expect((await program.run(['check', 'safe.yaml', '--severity', 'none'])).code).toBe(2);
  expect((await program.run(['check', 'nowhere.yaml'])).code).toBe(1);
  expect((await program.run(['check'], away)).code).toBe(3);
});

it('JSON and SARIF tell programs the same', async () => {
  const json = JSON.parse((await program.run(['check', 'unsafe.yaml', '--json'], away)).out);
  expect(json.findings[0]).toMatchObject({
    code: 'sign_in_without_proof',
    severity: 'error',
    flow: 'unsafe',
    visitor: 'anonymous',
  });
  const { code, out } = await program.run(['check', 'unsafe.yaml', '--sarif'], away);
  expect(code).toBe(1);
  const log = JSON.parse(out);
  expect(log).toMatchObject({ version: '2.1.0', $schema: expect.stringContaining('sarif-2.1.0') });
  const [{ tool, results }] = log.runs;
  expect(tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(Object.keys(codes));
  const [result] = results;
  expect(tool.driver.rules[result.ruleIndex].id).toBe(result.ruleId);
  const { artifactLocation, region } = result.locations[0].physicalLocation;
  expect(artifactLocation.uri).toBe('unsafe.yaml');
  const { line, column } = json.findings[0].place;
  expect(region).toEqual({ startLine: line, startColumn: column });
  const steps = result.codeFlows[0].threadFlows[0].locations;
  expect(steps).toHaveLength(json.findings[0].path.length);
  expect(steps.at(-1).location.message.text).toContain('visited');
});

it('an apply refuses an unsafe flow as a whole; a code, a label or a mode lets it through, and the database tells', async () => {
  const refused = await program.run(['apply', 'safe.yaml', 'unsafe.yaml']);
  expect(refused.code).toBe(1);
  expect(refused.err).toMatch(/unsafe\.yaml:\d+:\d+: error\[sign_in_without_proof\]/);
  expect((await program.run(['check'])).out).not.toContain('unsafe');
  expect((await program.run(['apply', 'unsafe.yaml', '--allow', 'nonsense'])).code).toBe(2);
  expect((await program.run(['apply', 'unsafe.yaml', '--proof', 'nonsense'])).code).toBe(2);
  const plan = await program.run(['apply', 'unsafe.yaml', '--plan']);
  expect([plan.code, plan.err]).toEqual([0, expect.stringContaining('error[sign_in_without_proof]')]);
  const warned = await program.run(['apply', 'unsafe.yaml', '--proof', 'warn']);
  expect([warned.code, warned.err]).toEqual([0, expect.stringContaining('error[sign_in_without_proof]')]);
  // What stands there already does not keep another file from being applied.
  expect(await program.run(['apply', 'safe.yaml'])).toMatchObject({ code: 0, err: '' });
  const { code, out } = await program.run(['check']);
  expect([code, out]).toEqual([1, expect.stringContaining('flow unsafe, stage')]);
  const fresh = { env: { DOORWARD_DATA_DIR: join(program.folder, 'other') } };
  expect((await program.run(['apply', 'allowed.yaml'], fresh)).code).toBe(0);
  const again = { env: { DOORWARD_DATA_DIR: join(program.folder, 'third') } };
  expect((await program.run(['apply', 'unsafe.yaml', '--allow', 'sign_in_without_proof'], again)).code).toBe(0);
});
