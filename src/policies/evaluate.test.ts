import { expect, it } from 'vitest';
import * as z from 'zod';
import type { Bound, PolicyBinding } from '../engine/flow.ts';
import { definePolicy, type PolicyVerdict } from '../engine/policy.ts';
import type { PolicyRequest } from '../engine/policy-request.ts';
import type { JsonObject } from '../kernel/json.ts';
import { dummy } from '../stages/dummy/stage.ts';
import { deskFor } from '../testing/desk.ts';
import { createPolicies } from './evaluate.ts';

/** A policy that says its own name, and passes, fails or breaks as it is told. */
const saying = definePolicy({
  ...{ kind: 'saying', model: 'test.saying', component: '', description: '', config: z.record(z.string(), z.json()) },
  async evaluate({ name, config: { passing, set = {} } }) {
    if (passing === 'broken') throw new Error('division by zero');
    if (passing === 'never') return new Promise(() => {});
    if (passing === 'silent') return { messages: [] } as unknown as PolicyVerdict;
    if (passing === 'unknown') return { passing: true, failed: true, messages: [name] };
    return { passing: passing === true, messages: [name], contextPatch: set as JsonObject };
  },
});

type Said = boolean | 'broken' | 'never' | 'silent' | 'unknown';

const { read, tools, visitor } = deskFor(dummy);
const request: PolicyRequest = {
  ...{ userId: null, context: {}, visitor, flow: { slug: 'flow', designation: 'enrollment', objects: {} } },
};

function binding(order: number, passing: Said, more: Partial<PolicyBinding> = {}): PolicyBinding {
  const name = `policy ${order}`;
  return {
    ...{ pk: name, order, enabled: true, negate: false, timeout: 30, failureResult: false, group: null, user: null },
    writableContext: [],
    policy: { pk: name, kind: 'saying', name, config: { name, passing } },
    ...more,
  };
}

async function evaluate(policyEngineMode: 'any' | 'all', ...policies: readonly PolicyBinding[]) {
  const bound: Bound = { pk: 'bound', policyEngineMode, policies };
  const broken: string[] = [];
  const onError = (at: PolicyBinding, error: unknown) => broken.push(`${at.pk}: ${String(error)}`);
  const result = await createPolicies({ table: [saying], tools, onError }).evaluate(bound, request, read);
  return { ...result, broken };
}

it('messages come in the order of the bindings, of those that pass and those that do not', async () => {
  const { messages } = await evaluate('any', binding(2, false), binding(0, true), binding(1, false));
  expect(messages).toEqual(['policy 0', 'policy 1', 'policy 2']);
});

it('a disabled binding neither counts nor speaks', async () => {
  expect(await evaluate('all', binding(0, false, { enabled: false }))).toMatchObject({ passing: true, messages: [] });
});

it.each([
  ['any', [false, true], true],
  ['any', [false, false], false],
  ['all', [false, true], false],
  ['all', [true, true], true],
] as const)('%s of %j is %s', async (mode, results, passing) => {
  expect(await evaluate(mode, ...results.map((result, order) => binding(order, result)))).toMatchObject({ passing });
});

it('a policy that breaks is a failure, not an answer: it denies, negated or not, and is reported', async () => {
  for (const negate of [false, true])
    expect(await evaluate('any', binding(0, 'broken', { negate }))).toMatchObject({
      ...{ passing: false, failed: true, messages: [] },
      broken: ['policy 0: Error: division by zero'],
    });
});

it('a failure counts only where it could have decided', async () => {
  expect(await evaluate('any', binding(0, 'broken'), binding(1, true))).toMatchObject({ passing: true, failed: false });
  expect(await evaluate('all', binding(0, 'broken'), binding(1, true))).toMatchObject({ passing: false, failed: true });
});

it('failure_result is the word for a failure, and is not negated', async () => {
  for (const negate of [false, true])
    expect(await evaluate('all', binding(0, 'broken', { failureResult: true, negate }))).toMatchObject({
      ...{ passing: true, failed: false },
    });
});

it('a kind of policy that is not installed is a failure', async () => {
  const policy = { pk: 'p', kind: 'geoip', name: 'p', config: {} };
  expect(await evaluate('any', binding(0, true, { policy }))).toMatchObject({ passing: false, failed: true });
});

it('what a policy sets is seen by the next one and goes on, whether it passes or not', async () => {
  const policy = { pk: 'p', kind: 'saying', name: 'p', config: { passing: false, set: { user_path: 'staff' } } };
  expect(await evaluate('any', binding(0, false, { policy }), binding(1, true))).toMatchObject({
    ...{ passing: true, contextPatch: { user_path: 'staff' } },
  });
});

it('who somebody is may be set only where the binding allows it (CONTRACT: Outcomes)', async () => {
  const set = { pending_user: { ref: 1 } };
  const policy = { pk: 'p', kind: 'saying', name: 'p', config: { passing: true, set } };
  expect(await evaluate('all', binding(0, true, { policy }))).toMatchObject({
    ...{ passing: false, failed: true, contextPatch: {} },
  });
  expect(await evaluate('all', binding(0, true, { policy, writableContext: ['pending_user'] }))).toMatchObject({
    ...{ passing: true, contextPatch: set },
  });
});

it('no policy sets a member of the product’s own, whatever its binding allows', async () => {
  for (const key of ['doorward/made', 'doorward/setup']) {
    const policy = {
      pk: 'p',
      kind: 'saying',
      name: 'p',
      config: { passing: true, set: { user_path: 'x', [key]: {} } },
    };
    const { broken, ...result } = await evaluate('any', binding(0, true, { policy, writableContext: [key] }));
    expect(result).toMatchObject({ passing: false, failed: true, contextPatch: {} });
    expect(broken).toEqual([expect.stringContaining(key)]);
  }
});

it('engine: empty passes, simple passes, negate turns the answer and not the words', async () => {
  for (const mode of ['any', 'all'] as const)
    expect(await evaluate(mode)).toMatchObject({ passing: true, messages: [] });
  expect(await evaluate('any', binding(0, true))).toMatchObject({ passing: true });
  const words = { messages: ['policy 0'] };
  expect(await evaluate('any', binding(0, true, { negate: true }))).toMatchObject({ passing: false, ...words });
  expect(await evaluate('any', binding(0, false, { negate: true }))).toMatchObject({ passing: true, ...words });
});

it('a policy that could not find out denies, negated or not, in its own words', async () => {
  for (const negate of [false, true])
    expect(await evaluate('any', binding(0, 'unknown', { negate }))).toMatchObject({
      ...{
        passing: false,
        failed: true,
        messages: ['policy 0'],
        decisions: [{ failed: true, messages: ['policy 0'] }],
      },
    });
  expect(await evaluate('any', binding(0, 'unknown', { failureResult: true }))).toMatchObject({
    ...{ passing: true, failed: false, messages: [] },
  });
});

it('what is no answer is a failure, not the opposite of one', async () => {
  expect(await evaluate('any', binding(0, 'silent', { negate: true }))).toMatchObject({ passing: false, failed: true });
});

it('a policy that takes longer than its timeout has failed, and no timer is left of any', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  expect(await evaluate('any', binding(0, 'never', { timeout: 0.01 }))).toMatchObject({
    ...{ passing: false, failed: true },
    broken: ["policy 0: Error: it took longer than the 0.01 seconds of its binding's timeout"],
  });
  expect(await evaluate('all', binding(0, 'never', { timeout: 0.01, failureResult: true }))).toMatchObject({
    ...{ passing: true, failed: false },
  });
  await evaluate('all', binding(0, true), binding(1, 'broken'), binding(2, true, { timeout: 10_000_000 }));
  expect(timers()).toBe(before);
});

it('process: a failure is an event that names the policy, and not the words of its error', async () => {
  const { effects } = await evaluate('any', binding(0, 'broken'), binding(1, true));
  expect(effects).toMatchObject([
    {
      kind: 'event',
      event: { action: 'policy_exception', context: { binding: 'policy 0', policy: 'policy "policy 0"' } },
    },
  ]);
  expect(JSON.stringify(effects)).not.toContain('division');
});

it.each([
  ['any', 'one', true],
  ['all', 'one', false],
  ['any', 'none', false],
  ['all', 'all', true],
] as const)('1000 static bindings, %s, %s of them hold: the groups are asked once', async (mode, hold, passing) => {
  const asked: number[] = [];
  const group = { pk: 'in', name: 'in', isSuperuser: false, parent: null, attributes: {} };
  const groupsOf = async (id: number) => {
    asked.push(id);
    return [group];
  };
  const held = (index: number): boolean => hold === 'all' || (hold === 'one' && index === 998);
  const policies = Array.from({ length: 1000 }, (_, index): PolicyBinding => {
    const to = index % 2 === 0 ? { group: held(index) ? 'in' : 'out' } : { user: held(index) ? 7 : 8 };
    return binding(index, true, { policy: null, ...to });
  });
  const bound: Bound = { pk: 'bound', policyEngineMode: mode, policies };
  const result = await createPolicies({ table: [], tools }).evaluate(
    bound,
    { ...request, userId: 7 },
    { ...read, groupsOf },
  );
  expect([result.passing, asked]).toEqual([passing, [7]]);
});

it('all of two groups is not satisfied by one of them', async () => {
  const group = { pk: 'one', name: 'one', isSuperuser: false, parent: null, attributes: {} };
  const members = { ...read, groupsOf: async () => [group] };
  const policies = ['one', 'two'].map((pk, order) => binding(order, true, { policy: null, group: pk }));
  for (const [policyEngineMode, passing] of [
    ['any', true],
    ['all', false],
  ] as const) {
    const bound: Bound = { pk: 'bound', policyEngineMode, policies };
    const result = await createPolicies({ table: [], tools }).evaluate(bound, { ...request, userId: 7 }, members);
    expect(result.passing).toBe(passing);
  }
});
