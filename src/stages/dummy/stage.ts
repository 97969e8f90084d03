import * as z from 'zod';
import { defineStage } from '../../engine/stage.ts';

/** Shows its name and passes with any answer; for trying out flows. */
export const dummy = defineStage({
  kind: 'dummy',
  model: 'authentik_stages_dummy.dummystage',
  component: 'ak-stage-dummy-form',
  description: 'Does nothing but wait for a click; for trying out flows.',
  config: z.object({ throw_error: z.boolean().default(false).describe('Fail on arrival, to see how failures look.') }),
  needs: [],
  gives: [],
  proof: ({ throw_error }) => (throw_error ? { denies: true } : { asks: true }),
  enter: async ({ config, stage }) => {
    if (config.throw_error) throw new Error('dummy stage');
    return { kind: 'ask', challenge: { component: 'ak-stage-dummy', name: stage.name } };
  },
  answer: async () => ({ kind: 'pass' }),
  unattended: () => ({}),
});
