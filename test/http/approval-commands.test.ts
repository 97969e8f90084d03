import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { promptFor } from '../support/engine-rig.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { buildProgram, type Program } from '../support/program.ts';
import { WebClient } from '../support/web-client.ts';

let program: Program;
beforeAll(async () => {
  program = await buildProgram();
});
afterAll(() => program.remove());

async function done(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await program.run([...args, '--json']);
  expect([args, code, err]).toEqual([args, 0, '']);
  return JSON.parse(out) as Record<string, unknown>;
}

describe('doorward approvals', () => {
  it('lists, shows, denies and approves beside a server that runs', async () => {
    const fields = promptFor({ field_key: 'username', type: 'username', label: 'Your name here' });
    const approvers = '!Find [authentik_core.group, [name, approvers]]';
    const approval = { kind: 'approval', attrs: { approvers_group: approvers } };
    const write = { kind: 'user_write', attrs: { user_creation_mode: 'always_create' } };
    const { text } = flowYaml({ slug: 'join', stages: [fields, approval, write, { kind: 'user_login' }] });
    writeFileSync(join(program.folder, 'join.yaml'), text);
    await done('group', 'create', 'approvers');
    await done('user', 'create', 'ann', '--no-password', '--group', 'approvers');
    await done('user', 'create', 'cy', '--no-password');
    await done('apply', 'join.yaml');
    expect((await program.run(['approvals', 'list'])).err).toBe('Nothing waits for approval.\n');

    const server = await program.serve();
    const [ada, bea] = [new WebClient(server.origin), new WebClient(server.origin)];
    await ada.fill('/if/flow/join/', { username: 'ada\u001b[31m' });
    await bea.fill('/if/flow/join/', { username: 'bea' });
    const listed = await program.run(['approvals', 'list']);
    expect(listed.out.split('\n')).toHaveLength(3);
    expect(listed.out).not.toContain('\u001b');
    const { requests } = (await done('approvals', 'list', '--for', 'ann')) as {
      requests: { id: string; facts: { value: string }[] }[];
    };
    const idOf = (name: string) => requests.find(({ facts }) => facts[0]?.value.startsWith(name))?.id ?? '';
    expect(await done('approvals', 'list', '--for', 'cy')).toEqual({ requests: [] });
    const shown = await program.run(['approvals', 'show', idOf('bea')]);
    expect(shown.out).toMatch(/^Your name here {2}bea$/m);

    const forbidden = await program.run(['approvals', 'approve', idOf('bea'), '--by', 'cy']);
    expect([forbidden.code, forbidden.err]).toEqual([1, expect.stringContaining('cy does not decide this')]);
    for (const wrong of [['deny', idOf('ada'), '--by', 'ann'], ['approve', idOf('ada')], ['show']])
      expect([wrong, (await program.run(['approvals', ...wrong])).code]).toEqual([wrong, 2]);
    expect((await program.run(['approvals', 'show', 'nothing'])).code).toBe(1);
    const unknown = await program.run(['approvals', 'list', '--for', 'nobody']);
    expect([unknown.code, unknown.err]).toEqual([1, 'doorward approvals list: there is no user "nobody"\n']);

    const denied = await program.run(['approvals', 'deny', idOf('ada'), '--by', 'ann', '--reason', 'Not you.']);
    expect(denied.out).toBe(`Denied ${idOf('ada')} in the name of ann\n`);
    expect((await ada.request('/if/flow/join/')).text).toContain('Not you.');
    const status = (await done('approvals', 'approve', idOf('bea'), '--by', 'ann')).status;
    expect(status).toBe('approved');
    expect((await bea.request('/if/flow/join/')).status).toBe(303);
    expect(await bea.whoAmI()).toBe('bea');
    const repeated = await program.run(['approvals', 'approve', idOf('bea'), '--by', 'ann']);
    expect([repeated.code, repeated.err]).toEqual([1, expect.stringContaining('said something before')]);
  });
});
