import { expect, it } from 'vitest';
import { dummy } from '../stages/dummy/stage.ts';
import { deskFor } from '../testing/desk.ts';
import { askPolicies } from './admit.ts';
import type { CompiledFlow } from './flow.ts';

it('a policy sets no member of the product’s own', async () => {
  const { visitor, read } = deskFor(dummy);
  const ask = (contextPatch: Readonly<Record<string, unknown>>) =>
    askPolicies(
      {
        evaluate: async () => ({
          passing: true,
          failed: false,
          messages: [],
          contextPatch,
          effects: [],
          decisions: [],
        }),
      },
      { pk: 'bound', policyEngineMode: 'any', policies: [] },
      { flow: {} as CompiledFlow, visitor, context: {} },
      read,
    );
  expect(await ask({ user_path: 'staff' })).toMatchObject({ passing: true, contextPatch: { user_path: 'staff' } });
  for (const key of ['doorward/made', 'doorward/setup'])
    expect(await ask({ user_path: 'staff', [key]: {} })).toMatchObject({
      ...{ passing: false, failed: true, contextPatch: {} },
    });
});
