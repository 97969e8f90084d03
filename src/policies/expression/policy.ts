import { z } from 'zod';
import { definePolicy } from '../../engine/policy.ts';

/** Runs an administrator's code in the runner process. */
export const expression = definePolicy({
  kind: 'expression',
  model: 'authentik_policies_expression.expressionpolicy',
  component: 'ak-policy-expression-form',
  description: 'Passes when your expression says so.',
  config: z.object({ expression: z.string().min(1), execution_logging: z.boolean().default(false) }),
  async evaluate() {
    throw new Error('expressions cannot run here');
  },
});
