import { expect, it } from 'vitest';
import type { Effect } from '../../src/engine/effects.ts';
import type { Run } from '../../src/engine/run.ts';
import type { RunKey } from '../../src/engine/run-key.ts';
import { added, commit, counted, event, onEachDatabase, run, start } from './databases.ts';

function key(hash: string, of: Run, more: Partial<RunKey> = {}): RunKey {
  return {
    ...{ hash, codeHash: `code of ${hash}`, purpose: 'email', flow: of.flow, version: of.version, run: of.id },
    ...{ binding: 'binding', userId: null, address: 'ada@example.com', takesOver: true, expiresAt: start + 1_000 },
    asked: { agent: 'agent', address: '192.0.2.1', locale: 'de', at: start },
    ...more,
  };
}

const make = (one: RunKey): Effect => ({ kind: 'run_key.make', key: one });

onEachDatabase('keys to waiting runs', (rig) => {
  async function waitingRun(name: string): Promise<Run> {
    const waiting = run(name);
    await commit(rig.store, [], [{ mode: 'insert', run: waiting }]);
    return waiting;
  }

  it('are kept with the run that they open, in the very commit that makes it', async () => {
    const waiting = run('with-key');
    const made = key('first', waiting);
    expect((await commit(rig.store, [make(made)], [{ mode: 'insert', run: waiting }])).status).toBe('done');
    expect(await rig.store.read.runKey('first')).toEqual(made);
    expect(await rig.store.waiting('first')).toEqual({ key: made, run: waiting });
    expect([await rig.store.waiting('made up'), await rig.store.read.runKey('made up')]).toEqual([null, null]);
  });

  it('EM-5: a newer one of the same step voids the older ones, and no others', async () => {
    const [one, two] = [await waitingRun('voids-1'), await waitingRun('voids-2')];
    await commit(rig.store, [
      make(key('old', one)),
      make(key('elsewhere', one, { binding: 'later' })),
      make(key('other', two)),
    ]);
    await commit(rig.store, [make(key('new', one))]);
    const found = await Promise.all(['old', 'new', 'elsewhere', 'other'].map((hash) => rig.store.read.runKey(hash)));
    expect(found.map((one) => one?.hash)).toEqual([undefined, 'new', 'elsewhere', 'other']);
  });

  it('HackerOne 3692149: of 50 who use one at the same time one does, and only that one writes', async () => {
    await commit(rig.store, [make(key('race', await waitingRun('raced')))]);
    const use: Effect = { kind: 'run_key.use', hash: 'race', at: start };
    const answers = await Promise.all(Array.from({ length: 50 }, () => commit(rig.store, [use, event('key_used')])));
    expect(counted(answers)).toEqual({ done: 1, 'refused used': 49 });
    expect(await rig.store.accounts.listEvents({ action: 'key_used' })).toHaveLength(1);
  });

  it('are not used when their time is over, and are purged then', async () => {
    await commit(rig.store, [make(key('late', await waitingRun('late'), { expiresAt: start + 5 }))]);
    const use: Effect = { kind: 'run_key.use', hash: 'late', at: start + 5 };
    expect(await commit(rig.store, [use])).toMatchObject({ status: 'refused', refusal: { reason: 'used' } });
    expect((await rig.store.accounts.purge(start + 5)).runKeys).toBe(1);
    expect(await rig.store.read.runKey('late')).toBeNull();
  });

  it('go with their run and with the user whom they are about', async () => {
    const user = await added(rig.store, 'key-owner');
    const [one, two] = [await waitingRun('goes-1'), await waitingRun('goes-2')];
    await commit(rig.store, [make(key('of-user', one, { userId: user.id })), make(key('of-run', two))]);
    await commit(rig.store, [{ kind: 'user.delete', id: user.id }]);
    await commit(rig.store, [{ kind: 'run.drop', session: two.session }]);
    expect([await rig.store.read.runKey('of-user'), await rig.store.read.runKey('of-run')]).toEqual([null, null]);
  });
});
