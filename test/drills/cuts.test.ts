import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { given } from '../store/databases.ts';
import { type FreshDatabase, freshDatabase } from '../support/postgres.ts';
import { CutRig } from './cuts.ts';

vi.setConfig({ testTimeout: 300_000 });

describe('the connection to PostgreSQL cut at each message of the commit in turn (CONTRACT: Outcomes)', () => {
  let database: FreshDatabase | null = null;
  let rig: CutRig | null = null;
  beforeAll(async () => {
    database = await freshDatabase({ url: inject('postgresUrl') });
    rig = await CutRig.open(database.url);
  });
  afterAll(async () => {
    await rig?.close();
    await database?.drop();
  });

  it.each([
    { commit: 'statement', run: 'insert', kind: 'connection' },
    { commit: 'statement', run: 'insert', kind: 'database' },
    { commit: 'statement', run: 'update', kind: 'connection' },
    { commit: 'statement', run: 'update', kind: 'database' },
    { commit: 'transaction', run: 'insert', kind: 'connection', stride: 3 },
    { commit: 'transaction', run: 'update', kind: 'database', stride: 5 },
  ] as const)('$commit, run $run, $kind away: one user, whole, who gets through', async (order) => {
    const { findings, cuts, messages, unnoticed, sentAgain } = await given(rig).sweep(order);
    expect(findings).toEqual([]);
    expect(cuts).toBeGreaterThan(5);
    expect(messages).toBeGreaterThan(5);
    expect(order.kind === 'database' ? sentAgain : unnoticed).toBeGreaterThan(0);
  });
});
