import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { emptyDatabase, given } from '../store/databases.ts';
import { bundled } from './bundle.ts';
import { Cluster } from './cluster.ts';
import { doubleSubmits, edits, type Place, sameName } from './concurrency.ts';
import { kills } from './kills.ts';

vi.setConfig({ testTimeout: 300_000 });

/* The suite's share; `npm run drill` does the same with many more. On PostgreSQL there are two server processes. */
let built = '';
let removeBundle = (): void => undefined;
beforeAll(async () => {
  const bundle = await bundled();
  built = bundle.built;
  removeBundle = bundle.remove;
});
afterAll(() => removeBundle());

describe.each(['sqlite', 'postgres'] as const)('server processes on %s', (dialect) => {
  let place: Place | null = null;
  let remove = async (): Promise<void> => undefined;
  beforeAll(async () => {
    const empty = await emptyDatabase(dialect);
    remove = empty.remove;
    const cluster = await Cluster.start(built, empty.database, { size: dialect === 'postgres' ? 2 : 1 });
    place = { cluster, database: empty.database };
  });
  afterAll(async () => {
    await place?.cluster.stop();
    await remove();
  });

  it('W32: 200 want one username at once; one gets it, and the others get through under another one', async () => {
    const { findings, endings } = await sameName(given(place), 200);
    expect(findings).toEqual([]);
    expect(endings).toEqual({ done: 1, taken: 199 });
  });

  it('W34: 40 visitors send each step twice at once; each is one user with one event', async () => {
    const { findings, endings } = await doubleSubmits(given(place), 40);
    expect(findings).toEqual([]);
    expect(endings).toEqual({ done: 40 });
  });

  it('killed at random moments while people sign up: nothing is there by half, and everybody gets through', async () => {
    const { findings, endings, kills: killed } = await kills(given(place), { writes: 200, visitors: 8, every: 130 });
    expect(findings).toEqual([]);
    expect(endings).toEqual({ done: 200 });
    expect(killed).toBeGreaterThan(0);
  });

  // Last, since its user has more than one event.
  it('W31: a profile edited in 20 browsers at once loses nothing but what conflicted, and that is said', async () => {
    const { findings, endings } = await edits(given(place), 19);
    expect(findings).toEqual([]);
    expect(endings).toEqual({ done: 19, conflict: 1 });
  });
});
