import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Doorward, Log } from '../../src/index.ts';
import { createRig, type Rig } from '../../src/testing/rig.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { flowOf, identification, login, password } from '../support/proof-rig.ts';

const signIn = { designation: 'authentication' };
const unsafe = (slug: string) => [flowYaml(flowOf([identification, login], signIn, slug))];
const told: (string | undefined)[] = [];
const log: Log = (_level, _message, fields) => void (fields?.code && told.push(String(fields.code)));
let rig: Rig;
let flows: Doorward['flows'];
beforeAll(async () => {
  rig = await createRig({ log, blueprints: unsafe('from-options') });
  flows = rig.auth.flows;
});
afterAll(() => rig.close());

it('an application is warned in the result and in the log, and nothing is refused', async () => {
  expect(told).toEqual(['sign_in_without_proof']);
  const { findings } = await flows.apply(unsafe('warned'));
  expect(findings).toMatchObject([{ code: 'sign_in_without_proof', flow: 'warned', severity: 'error' }]);
  expect(told).toHaveLength(2);
  expect((await flows.apply(unsafe('warned'))).findings).toEqual([]);
});

it('it may have unsafe flows refused, with exceptions, or not looked at', async () => {
  await expect(flows.apply(unsafe('refused'), { proof: 'refuse' })).rejects.toMatchObject({ code: 'blueprint' });
  await expect(flows.versions('refused')).rejects.toMatchObject({ code: 'flow_not_found' });
  const allow = ['sign_in_without_proof'];
  expect((await flows.apply(unsafe('refused'), { proof: 'refuse', allow })).findings).toEqual([]);
  await expect(flows.apply(unsafe('typo'), { allow: ['sign_in'] })).rejects.toMatchObject({ code: 'configuration' });
  expect((await flows.apply(unsafe('unseen'), { proof: 'off' })).findings).toEqual([]);
  const strict = createRig({ proof: 'refuse', blueprints: unsafe('strict') });
  await expect(strict).rejects.toMatchObject({ code: 'blueprint' });
});

it('a check tells of every flow, as it is or would be, and changes nothing', async () => {
  const flow = flowYaml(flowOf([identification, password, login], signIn, 'warned'));
  const before = await flows.versions('warned');
  const about = ({ findings }: Awaited<ReturnType<typeof flows.check>>) => findings.map((finding) => finding.flow);
  expect(about(await flows.check())).toContain('warned');
  expect(about(await flows.check([flow]))).toContain('from-options');
  expect(await flows.versions('warned')).toEqual(before);
});
