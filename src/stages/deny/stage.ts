import * as z from 'zod';
import { defineStage } from '../../engine/stage.ts';

/** Ends the flow with a refusal (DN-1): the plan context's `deny_message`, else the configured one, else a general one. */
export const deny = defineStage({
  kind: 'deny',
  model: 'authentik_stages_deny.denystage',
  component: 'ak-stage-deny-form',
  description: 'Denies access, always.',
  config: z.object({
    deny_message: z.string().default('').describe('What the visitor reads; the plan context may hold another text.'),
  }),
  needs: [],
  gives: [],
  proof: () => ({ denies: true }),
  enter: async ({ config, context }) => ({
    kind: 'deny',
    message: (context.deny_message ?? config.deny_message) || null,
  }),
});
