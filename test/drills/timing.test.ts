import { afterAll, beforeAll, expect, it } from 'vitest';
import { emptyDatabase } from '../store/databases.ts';
import { bundled } from './bundle.ts';
import { timings } from './timing.ts';
import { timingTable } from './timing-table.ts';

/* No time is judged here: `npm run drill -- timing` does that. This is whether it still measures what it says. */
let built = '';
let removeBundle = (): void => undefined;
beforeAll(async () => {
  const bundle = await bundled();
  built = bundle.built;
  removeBundle = bundle.remove;
});
afterAll(() => removeBundle());

it('the drill of times walks every step of sign-in, recovery and sign-up with each kind of name', async () => {
  const { database, remove } = await emptyDatabase('sqlite');
  const all = await timings({ built, dialect: 'sqlite', database, pairs: 3, leak: null, say: () => undefined });
  await remove();
  const steps = [
    ...['sign-in, name', 'sign-in, wrong password'],
    ...['recovery, name', 'recovery, wrong code'],
    ...['sign-up, address', 'sign-up, wrong code'],
  ];
  expect(all.map(({ step, state }) => [step, state])).toEqual(
    steps.flatMap((step) => [
      [step, 'present'],
      [step, 'inactive'],
    ]),
  );
  expect(all.every(({ pairs, base }) => pairs === 3 && base > 0)).toBe(true);
  expect(timingTable(all).split('\n').length).toBeGreaterThan(all.length);
});
