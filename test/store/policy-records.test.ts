import { expect, it } from 'vitest';
import type { Effect } from '../../src/engine/effects.ts';
import { longestHistory } from '../../src/engine/ports.ts';
import { reputationKeptMs } from '../../src/engine/reputation.ts';
import { added, commit, counted, create, draft, onEachDatabase, start } from './databases.ts';

const set = (userId: number, hash: string, at = start): Effect => ({ kind: 'password.set', userId, hash, at });
const add = (subject: string, address: string, by: -1 | 1, at = start): Effect => ({
  ...{ kind: 'reputation.add', subject, address, by, at },
});

onEachDatabase('password history', (rig) => {
  it('has the present password and the former ones, the newest first, however they were set', async () => {
    const user = await draft(rig.store, 'historian', { passwordChangedAt: start });
    await commit(rig.store, [create(user, 'first')]);
    expect(await rig.store.read.passwordHistory(user.id, 5)).toEqual(['first']);
    await commit(rig.store, [set(user.id, 'second', start + 1)]);
    await commit(rig.store, [set(user.id, 'third', start + 2)]);
    expect(await rig.store.read.passwordHistory(user.id, 5)).toEqual(['third', 'second', 'first']);
    expect(await rig.store.read.passwordHistory(user.id, 2)).toEqual(['third', 'second']);
    expect(await rig.store.read.passwordHash(user.id)).toBe('third');
  });

  it('a renewed hash is the same password: it adds nothing, and the outdated hash is gone', async () => {
    const user = await draft(rig.store, 'renewed', { passwordChangedAt: start });
    await commit(rig.store, [create(user, 'weak')]);
    await commit(rig.store, [{ kind: 'password.renew', userId: user.id, from: 'weak', to: 'strong' }]);
    expect(await rig.store.read.passwordHistory(user.id, 5)).toEqual(['strong']);
  });

  it('keeps so many and no more, and ends with its user', async () => {
    const user = await added(rig.store, 'changes often');
    for (let turn = 1; turn <= longestHistory + 5; turn += 1)
      await commit(rig.store, [set(user.id, `hash ${turn}`, start + turn)]);
    const newest = Array.from({ length: longestHistory }, (_, index) => `hash ${longestHistory + 5 - index}`);
    expect(await rig.store.read.passwordHistory(user.id, 100)).toEqual(newest);
    await commit(rig.store, [{ kind: 'user.delete', id: user.id }]);
    expect(await rig.store.read.passwordHistory(user.id, 100)).toEqual([]);
  });

  it('is written with the password or not at all', async () => {
    const user = await added(rig.store, 'in one commit', { passwordChangedAt: start });
    await commit(rig.store, [set(user.id, 'kept')]);
    const gone: Effect = { kind: 'token.revoke', uuid: 'no such token' };
    expect(await commit(rig.store, [set(user.id, 'rolled back', start + 1), gone])).toMatchObject({
      status: 'refused',
    });
    expect(await rig.store.read.passwordHistory(user.id, 5)).toEqual(['kept']);
  });
});

onEachDatabase('reputation', (rig) => {
  it('ip, user, update: the sum over a subject or an address, each row once', async () => {
    await commit(rig.store, [add('user:1', '192.0.2.1', -1)]);
    await commit(rig.store, [add('user:1', '192.0.2.2', -1)]);
    await commit(rig.store, [add('user:2', '192.0.2.1', -1)]);
    await commit(rig.store, [add('user:2', '192.0.2.1', -1)]);
    const { read } = rig.store;
    expect(await read.reputation('user:1', null)).toBe(-2);
    expect(await read.reputation(null, '192.0.2.1')).toBe(-3);
    expect(await read.reputation('user:1', '192.0.2.1')).toBe(-4);
    await commit(rig.store, [add('user:2', '192.0.2.1', 1)]);
    expect(await read.reputation('user:2', null)).toBe(-1);
    expect(await read.reputation(null, null)).toBe(0);
    expect(await read.reputation('user:404', '198.51.100.1')).toBe(0);
  });

  it('limits: a score stays within its bounds, with many at once', async () => {
    for (const [by, bound] of [
      [-1, -5],
      [1, 5],
    ] as const) {
      const answers = await Promise.all(
        Array.from({ length: 30 }, () => commit(rig.store, [add(`bounded ${by}`, '192.0.2.9', by)])),
      );
      expect(counted(answers)).toEqual({ done: 30 });
      expect(await rig.store.read.reputation(`bounded ${by}`, null)).toBe(bound);
    }
  });

  it('is forgotten after a day without news: it counts no more, starts anew, and is purged', async () => {
    const later = start + reputationKeptMs;
    await commit(rig.store, [add('forgotten', '192.0.2.7', -1)]);
    await commit(rig.store, [add('renewed', '192.0.2.7', -1)]);
    rig.clock.advance(reputationKeptMs);
    expect(await rig.store.read.reputation('forgotten', null)).toBe(0);
    await commit(rig.store, [add('renewed', '192.0.2.7', -1, later)]);
    expect(await rig.store.read.reputation('renewed', null)).toBe(-1);
    expect((await rig.store.accounts.purge(later)).reputations).toBeGreaterThan(0);
    expect(await rig.store.read.reputation('renewed', null)).toBe(-1);
    expect((await rig.store.accounts.purge(later)).reputations).toBe(0);
  });
});
