import { expect, it } from 'vitest';
import { policyDeskFor } from '../../testing/policy-desk.ts';
import { eventMatcher } from './policy.ts';

const event = {
  ...{ action: 'login_failed', client_ip: '192.0.2.1', app: 'authentik.stages.password' },
  context: { model: { app: 'authentik_core', model_name: 'user' } },
};

async function judged(config: Readonly<Record<string, string | null>>, context: object = { event }): Promise<boolean> {
  return (await eventMatcher.evaluate(policyDeskFor(eventMatcher, { config, context: { ...context } }))).passing;
}

it.each([
  ['action', 'login_failed', 'login'],
  ['client_ip', '192.0.2.1', '192.0.2.2'],
  ['app', 'authentik.stages.password', 'authentik.stages'],
  ['model', 'authentik_core.user', 'authentik_core.group'],
])('%s: %s matches, %s does not', async (criterion, right, wrong) => {
  expect(await judged({ [criterion]: right })).toBe(true);
  expect(await judged({ [criterion]: wrong })).toBe(false);
});

it('none set passes; an empty one is none', async () => {
  expect(await judged({})).toBe(true);
  expect(await judged({ action: '', app: null })).toBe(true);
});

it('multiple: all that are set must match', async () => {
  expect(await judged({ action: 'login_failed', client_ip: '192.0.2.1' })).toBe(true);
  expect(await judged({ action: 'login_failed', client_ip: '192.0.2.2' })).toBe(false);
});

it('missing event: does not pass, whatever is set; nor what an event lacks', async () => {
  for (const context of [{}, { event: null }, { event: 'login_failed' }]) {
    expect(await judged({}, context)).toBe(false);
    expect(await judged({ action: 'login_failed' }, context)).toBe(false);
  }
  expect(await judged({ model: 'authentik_core.user' }, { event: { action: 'login_failed' } })).toBe(false);
});
