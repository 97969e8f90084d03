/*
 * What every policy of the table keeps, without a line here of its own: a new policy is asked in every situation. Only
 * what a policy cannot do without is said here.
 */
import { describe, expect, it } from 'vitest';
import { BlueprintRig } from '../../src/blueprints/blueprint-rig.ts';
import type { Bound, PolicyBinding } from '../../src/engine/flow.ts';
import { type AnyPolicy, guardedKeys, type PolicyVerdict } from '../../src/engine/policy.ts';
import type { Reads, Tools } from '../../src/engine/ports.ts';
import { isPlainObject, type JsonObject } from '../../src/kernel/json.ts';
import { createPolicies } from '../../src/policies/evaluate.ts';
import { policies } from '../../src/policies/index.ts';
import { de } from '../../src/protocol/texts/de.ts';
import { en } from '../../src/protocol/texts/en.ts';
import { type PolicyDeskOptions, policyDeskFor, type TestPolicyDesk } from '../../src/testing/policy-desk.ts';
import { situations as everyStages, typedSecret } from './situations.ts';

/** The least configuration of the policies that cannot do without one. */
const least: Readonly<Record<string, JsonObject>> = {
  expression: { expression: 'return True' },
  password_expiry: { days: 30 },
};

/** More configurations that are worth a question; each is taken with the least one. */
const others: Readonly<Record<string, readonly JsonObject[]>> = {
  dummy: [{ result: true }],
  event_matcher: [{ action: 'login_failed', model: 'authentik_core.user' }],
  password: [
    { length_min: 200, amount_uppercase: 1, amount_lowercase: 1, amount_digits: 1, amount_symbols: 1 },
    { length_min: 200, error_message: 'Longer.' },
    { check_zxcvbn: true },
    { check_have_i_been_pwned: true },
    { check_have_i_been_pwned: true, breach_check_failure: 'allow' },
  ],
  password_expiry: [{ days: 0, deny_only: true }],
  reputation: [{ threshold: 5 }, { check_ip: false }, { check_username: false }],
  unique_password: [{ num_historical_passwords: 30 }],
};

const event = { action: 'login_failed', context: { model: { app: 'authentik_core', model_name: 'user' } } };
const world: PolicyDeskOptions = {
  passwordScore: async () => 3,
  outbound: { send: async () => ({ status: 200, headers: {}, text: '' }) },
  formerPasswords: { ada: [typedSecret] },
  reputation: [{ subject: 'user:7', address: '192.0.2.1', score: -5 }],
};
const situations = everyStages.map(({ context, ...situation }) => ({
  ...{ ...world, ...situation, context: { event, ...context } },
}));

it.each(['kind', 'model', 'component'] as const)('no two policies have the same %s', (member) => {
  const names = policies.map((policy) => policy[member].toLowerCase());
  expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
});

describe.each(policies.map((policy) => [policy.kind, policy] as const))('the policy %s', (kind, policy) => {
  const smallest = least[kind] ?? {};
  const configs = [{}, ...(others[kind] ?? [])].map((more) => policy.config.parse({ ...smallest, ...more }));
  const desks = configs.flatMap((config) => situations.map((situation) => ({ ...situation, config })));

  it('is declared in full: names as on the wire, and words', () => {
    expect(policy.kind).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(policy.model).toMatch(/^[a-z0-9_]+\.[a-z0-9_]+$/);
    expect(policy.component).toMatch(/^[a-z][a-z0-9-]*$/);
    expect(policy.description).not.toBe('');
  });

  it('fills in what its configuration leaves out, and takes what it filled in', () => {
    const config = policy.config.parse(smallest);
    expect(policy.config.parse(config)).toEqual(config);
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
  });

  it('refuses a wrong configuration, and names the member', () => {
    for (const nothing of [null, 'text', 7]) expect(policy.config.safeParse(nothing).success).toBe(false);
    for (const member of Object.keys(policy.config.parse(smallest))) {
      const { error } = policy.config.safeParse({ ...smallest, [member]: {} });
      expect(error?.issues.map(({ path }) => path[0])).toContain(member);
    }
  });

  it('comes out of a blueprint as it went in, and applying that again changes nothing', async () => {
    for (const config of configs) {
      const rig = new BlueprintRig();
      await rig.apply(blueprintOf(policy, config));
      expect(rig.flow('conforming').policies[0]?.policy).toMatchObject({ kind, config });
      const { summary } = await rig.apply(blueprintOf(policy, config));
      expect(summary).toMatchObject({ created: 0, updated: 0, deleted: 0 });
    }
  });

  it('decides by what lies on its desk alone, and changes nothing of it', async () => {
    for (const options of desks)
      expect(await saidBy(policy, frozenDesk(policy, options))).toEqual(
        await saidBy(policy, frozenDesk(policy, options)),
      );
  });

  it('says what can be kept, in texts that are in every catalogue, and not what was typed in confidence', async () => {
    for (const options of desks) {
      const desk = frozenDesk(policy, options);
      const verdict = await saidBy(policy, desk);
      expect(JSON.stringify([verdict, desk.logged])).not.toContain(typedSecret);
      if (verdict === 'threw') continue;
      expect(verdict.passing).toBeTypeOf('boolean');
      const { contextPatch: _, ...kept } = verdict;
      expect(JSON.parse(JSON.stringify(kept))).toEqual(kept);
      expect(
        Object.keys(verdict.contextPatch ?? {}).filter((key) => guardedKeys.some((guarded) => guarded === key)),
      ).toEqual([]);
      for (const message of verdict.messages) if (typeof message === 'object') expectTranslated(message);
    }
  });

  it.each(['throws', 'never answers'] as const)(
    'where all that it asks %s, it denies, negated or not, or it did not need to ask (CVE-2024-47070)',
    async (how) => {
      for (const options of how === 'throws' ? desks : desks.slice(0, 12)) {
        const desk = frozenDesk(policy, options);
        const sound = await saidBy(policy, desk);
        const broken = brokenWorld(desk, how);
        for (const negate of [false, true]) {
          const result = await evaluated(policy, desk, broken, negate);
          if (result.failed) expect(result.passing).toBe(false);
          else expect(result.passing).toBe(sound !== 'threw' && sound.passing !== negate);
        }
      }
    },
  );
});

async function saidBy(policy: AnyPolicy, desk: TestPolicyDesk<JsonObject>): Promise<PolicyVerdict | 'threw'> {
  return policy.evaluate(desk).catch(() => 'threw' as const);
}

/** Bound by itself, in a world where only time and the log still work. */
function evaluated(
  policy: AnyPolicy,
  { config, request }: TestPolicyDesk<JsonObject>,
  { read, tools }: { readonly read: Reads; readonly tools: Tools },
  negate: boolean,
) {
  const binding: PolicyBinding = {
    ...{ pk: 'binding', order: 0, enabled: true, negate, timeout: 0.01, failureResult: false, writableContext: [] },
    ...{ policy: { pk: 'policy', kind: policy.kind, name: policy.kind, config }, group: null, user: null },
  };
  const bound: Bound = { pk: 'bound', policyEngineMode: 'any', policies: [binding] };
  return createPolicies({ table: [policy], tools }).evaluate(bound, request, read);
}

function brokenWorld({ read, tools }: TestPolicyDesk<JsonObject>, how: 'throws' | 'never answers') {
  const broken = async (): Promise<never> => {
    if (how === 'throws') throw new Error('away');
    return new Promise(() => {});
  };
  const breakAll = <T extends object>(whole: T): T =>
    Object.fromEntries(Object.keys(whole).map((name) => [name, broken])) as unknown as T;
  const { now, log, hashToken, profile, breachCheckUrl } = tools;
  return {
    read: breakAll(read),
    tools: {
      ...tools,
      ...{ ...breakAll(tools), now, log, hashToken, profile, breachCheckUrl },
      ...{ outbound: { send: broken }, expressions: { ...tools.expressions, evaluate: broken } },
    },
  };
}

/** A desk on which nothing can be changed. */
function frozenDesk(policy: AnyPolicy, options: PolicyDeskOptions): TestPolicyDesk<JsonObject> {
  const desk = policyDeskFor(policy, options);
  for (const part of [desk.config, desk.request, options]) deepFreeze(part);
  return desk;
}

function deepFreeze(value: unknown): void {
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
}

function expectTranslated(message: object): void {
  if (!('$text' in message)) return;
  const params = 'params' in message && isPlainObject(message.params) ? message.params : {};
  for (const catalogue of [en, de]) {
    const template = (catalogue as Readonly<Record<string, string>>)[String(message.$text)] ?? '{missing}';
    const wanted = [...template.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
    expect(Object.keys(params)).toEqual(expect.arrayContaining(wanted));
  }
}

function blueprintOf(policy: AnyPolicy, config: JsonObject): string {
  const flow = { name: 'C', title: 'C', designation: 'enrollment' };
  const binding = { target: '!KeyOf flow', policy: '!KeyOf policy', order: 0 };
  const entries = [
    { model: 'authentik_flows.flow', id: 'flow', identifiers: { slug: 'conforming' }, attrs: flow },
    { model: policy.model, id: 'policy', identifiers: { name: 'conforming-policy' }, attrs: config },
    { model: 'authentik_policies.policybinding', id: 'binding', identifiers: binding },
  ].map((one) => `  - ${JSON.stringify(one).replace(/"(!KeyOf [^"]+)"/g, '$1')}`);
  return `version: 1\nentries:\n${entries.join('\n')}\n`;
}
