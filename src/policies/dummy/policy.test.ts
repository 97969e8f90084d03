import { expect, it } from 'vitest';
import { policyDeskFor } from '../../testing/policy-desk.ts';
import { dummy } from './policy.ts';

it.each([true, false])('says %j', async (result) => {
  const verdict = { passing: result, messages: ['dummy'] };
  expect(await dummy.evaluate(policyDeskFor(dummy, { config: { result } }))).toEqual(verdict);
});

it('waits as long as it is told to, and not beyond its time', async () => {
  for (const config of [{ wait_min: 3_600 }, { wait_min: 3_599, wait_max: 3_600 }]) {
    const desk = policyDeskFor(dummy, { config, signal: AbortSignal.abort() });
    await expect(dummy.evaluate(desk)).rejects.toMatchObject({ name: 'AbortError' });
  }
});
