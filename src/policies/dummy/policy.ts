import { randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import * as z from 'zod';
import { definePolicy } from '../../engine/policy.ts';

const seconds = z.int().min(0).max(3_600).default(0);

/** Says what it is told to, to try a flow out. It waits only when it is asked to; the reference does by itself. */
export const dummy = definePolicy({
  kind: 'dummy',
  model: 'authentik_policies_dummy.dummypolicy',
  component: 'ak-policy-dummy-form',
  description: 'Passes or not, as you say; for tests.',
  config: z.object({
    result: z.boolean().default(false),
    wait_min: seconds.describe('Waits at least so many seconds.'),
    wait_max: seconds.describe('Waits at most so many seconds; not longer than wait_min if that is more.'),
  }),
  async evaluate({ config, signal }) {
    const { result, wait_min: least, wait_max: most } = config;
    const forMs = most > least ? randomInt(least * 1000, most * 1000) : least * 1000;
    if (forMs > 0) await wait(forMs, undefined, { signal });
    return { passing: result, messages: ['dummy'] };
  },
});
