import * as z from 'zod';
import { definePolicy, type PolicyDesk, type PolicyVerdict } from '../../engine/policy.ts';

/** What a function of a flow in code says. */
export type FunctionVerdict = (desk: Pick<PolicyDesk, 'request' | 'read' | 'tools'>) => Promise<PolicyVerdict>;

export const functionModel = 'doorward_policies_function.functionpolicy';

/**
 * Runs a function of the application, which stands in this process alone. Another process that lacks it, or has
 * another one in its place, cannot run the policy, and so it denies.
 */
export function functionPolicy(functions: ReadonlyMap<string, FunctionVerdict>) {
  return definePolicy({
    kind: 'function',
    model: functionModel,
    component: 'doorward-policy-function-form',
    description: 'Passes when a function of your application says so.',
    config: z.object({
      function: z.string().min(1).describe('Its place in the flow, and a fingerprint of its source.'),
    }),
    async evaluate({ config, ...desk }) {
      const known = functions.get(config.function);
      if (known === undefined)
        throw new Error(`this process has no function ${config.function}; its flow comes from other code`);
      return known(desk);
    },
  });
}
