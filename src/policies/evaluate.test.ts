import { expect, it } from 'vitest';
import type { Bound, PolicyBinding } from '../engine/flow.ts';
import { dummy } from '../stages/dummy/stage.ts';
import { deskFor } from '../testing/desk.ts';
import { createPolicies } from './evaluate.ts';
import type { Policy } from './index.ts';

/** A policy that says its own name, and passes, fails or breaks as it is told. */
const saying: Policy = {
  kind: 'saying',
  async evaluate({ name, passing }) {
    if (passing === 'broken') throw new Error('division by zero');
    return { passing: passing === true, messages: [String(name)] };
  },
};

const { read } = deskFor(dummy);

function binding(order: number, passing: boolean | 'broken', more: Partial<PolicyBinding> = {}): PolicyBinding {
  const name = `policy ${order}`;
  return {
    ...{ pk: name, order, enabled: true, negate: false, timeout: 30, failureResult: false, group: null, user: null },
    policy: { pk: name, kind: 'saying', name, config: { name, passing } },
    ...more,
  };
}

async function evaluate(policyEngineMode: 'any' | 'all', ...policies: readonly PolicyBinding[]) {
  const bound: Bound = { pk: 'bound', policyEngineMode, policies };
  const broken: string[] = [];
  const engine = createPolicies([saying], (at, error) => broken.push(`${at.pk}: ${String(error)}`));
  const result = await engine.evaluate(bound, { userId: null, context: {}, address: '' }, read);
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
