import { expect, it } from 'vitest';
import type { PolicyResult } from '../../engine/policy-request.ts';
import type { DeskOptions } from '../../testing/desk.ts';
import { collected, reply } from '../../testing/prompt-rig.ts';

const passes: PolicyResult = {
  ...{ passing: true, failed: false, messages: [], contextPatch: {}, effects: [], decisions: [] },
};
const asked = [{ field_key: 'a' }, { field_key: 'secret', type: 'password' }];
const answers = { a: 'typed', secret: 'a long password' };
const seen = { kind: 'user.seen', id: 1, at: 0 } as const;

async function judged(result: Partial<PolicyResult>, more: DeskOptions = {}) {
  const calls: unknown[] = [];
  const outcome = await reply(asked, answers, {
    ...{ config: { validation_policies: ['one', 'two'] } },
    policies: async (pks, context) => {
      calls.push([pks, Object.fromEntries(context.prompt_data as [string, unknown][])]);
      return { ...passes, ...result };
    },
    ...more,
  });
  return { outcome, calls };
}

function failing(...messages: string[]): PolicyResult['decisions'][number] {
  return { at: 'stage-pk', name: 'policy', passing: false, failed: true, messages };
}

it('valid with policy: they see old and new answers together, and what they say is a notice (PR-8)', async () => {
  const { outcome, calls } = await judged({ messages: ['Welcome'] }, { context: { prompt_data: { old: 1 } } });
  expect(calls).toMatchObject([[['one', 'two'], { old: 1, a: 'typed' }]]);
  expect(outcome).toMatchObject({ kind: 'pass', messages: ['Welcome'] });
  expect(collected(outcome)).toEqual({ old: 1, a: 'typed', secret: 'secret:a long password' });
});

it('what they set in the plan context and ask to be written is kept', async () => {
  const contextPatch = { user_path: 'staff', redirect: undefined };
  const { outcome } = await judged({ contextPatch, effects: [seen] });
  expect(outcome).toMatchObject({ kind: 'pass', context: contextPatch, effects: [seen] });
});

it('invalid policy: every message is a problem of the form, in order; typed values stay, passwords do not', async () => {
  const { outcome } = await judged({ passing: false, messages: ['First', '', 'Second'], effects: [seen] });
  const problems = ['First', 'Second'].map((text) => ({ code: 'invalid', text }));
  expect(outcome).toMatchObject({ kind: 'retry', problems: { non_field_errors: problems }, effects: [seen] });
  expect(JSON.stringify(outcome)).toContain('typed');
  expect(JSON.stringify(outcome)).not.toContain('a long password');
});

it('a refusal without a word still is a problem, never an empty list', async () => {
  for (const messages of [[], ['']])
    expect((await judged({ passing: false, messages })).outcome).toMatchObject({
      ...{ kind: 'retry', problems: { non_field_errors: [{ text: { $text: 'prompt.not_accepted' } }] } },
    });
});

it('policies that could not run deny; where each says why, the visitor may try again (CVE-2024-47070)', async () => {
  const failed = { passing: false, failed: true };
  for (const decisions of [[], [failing()], [failing('Later'), failing()]])
    expect((await judged({ ...failed, messages: ['Other'], decisions })).outcome).toMatchObject({
      ...{ kind: 'deny', message: { $text: 'flow.policy_failed' } },
    });
  expect((await judged({ ...failed, messages: ['Later'], decisions: [failing('Later')] })).outcome).toMatchObject({
    ...{ kind: 'retry', problems: { non_field_errors: [{ text: 'Later' }] } },
  });
});

it('policies are asked last, about answers that are good by themselves (PR-7)', async () => {
  const policies = async (): Promise<PolicyResult> => {
    throw new Error('not to be asked');
  };
  expect(await reply([{ field_key: 'a', required: true }], { a: '' }, { policies })).toMatchObject({ kind: 'retry' });
});
