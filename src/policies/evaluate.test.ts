import { expect, it } from 'vitest';
import { z } from 'zod';
import type { Bound, PolicyBinding } from '../engine/flow.ts';
import { definePolicy } from '../engine/policy.ts';
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
    return { passing: passing === true, messages: [name], contextPatch: set as JsonObject };
  },
});

const { read, tools, visitor } = deskFor(dummy);
const request: PolicyRequest = {
  ...{ userId: null, context: {}, visitor, flow: { slug: 'flow', designation: 'enrollment', objects: {} } },
};

function binding(order: number, passing: boolean | 'broken', more: Partial<PolicyBinding> = {}): PolicyBinding {
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
