import { expect, it } from 'vitest';
import type { Effect } from '../../src/engine/effects.ts';
import {
  added,
  begin,
  commit,
  counted,
  create,
  draft,
  event,
  given,
  group,
  loadAt,
  onEachDatabase,
  run,
  start,
} from './databases.ts';

const limits = { limit: 5, windowMs: 1000 };
const fail = (bucket: string, at = start): Effect => ({ kind: 'attempt.fail', bucket, at, ...limits });
const succeed = (bucket: string, at = start): Effect => ({ kind: 'attempt.succeed', bucket, at, ...limits });
const limited = (effect: Effect['kind']) => ({ status: 'refused', refusal: { reason: 'limited', effect } });

onEachDatabase('attempts', (rig) => {
  it('counts as many of 50 at once as are allowed, and commits nothing of the others', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => commit(rig.store, [event('failed'), fail('many')])),
    );
    expect(counted(answers)).toEqual({ done: 5, 'refused limited': 45 });
    expect(await rig.store.accounts.listEvents({ action: 'failed' })).toHaveLength(5);
    expect(await rig.store.read.attempts('many', 1000, start + 999)).toBe(5);
    expect(await rig.store.read.attempts('many', 1000, start + 1000)).toBe(0);
  });

  it('counts the same buckets in any order at once', async () => {
    const roomy = (bucket: string): Effect => ({ kind: 'attempt.fail', bucket, at: start, limit: 100, windowMs: 1000 });
    const pairs = Array.from({ length: 60 }, (_, index) => (index % 2 ? ['ip', 'name'] : ['name', 'ip']));
    const answers = await Promise.all(pairs.map((pair) => commit(rig.store, pair.map(roomy))));
    expect(counted(answers)).toEqual({ done: 60 });
    expect(await rig.store.read.attempts('ip', 1000, start)).toBe(60);
  });

  it('commits at last where two lock rows in opposite order', async () => {
    const [one, two] = [await added(rig.store, 'lock-1'), await added(rig.store, 'lock-2')];
    const seen = (id: number): Effect => ({ kind: 'user.seen', id, at: start + id });
    const orders = Array.from({ length: 8 }, (_, index) => (index % 2 ? [one.id, two.id] : [two.id, one.id]));
    const answers = await Promise.all(orders.map((ids) => commit(rig.store, ids.map(seen))));
    expect(counted(answers)).toEqual({ done: 8 });
  });

  it('discloses no success once the limit is reached', async () => {
    expect(await commit(rig.store, [succeed('many')])).toEqual(limited('attempt.succeed'));
    expect(await commit(rig.store, [fail('many', start + 1000)])).toEqual({ status: 'done' });
    expect(await rig.store.read.attempts('many', 1000, start + 1000)).toBe(1);
    expect(await commit(rig.store, [succeed('many', start + 1001)])).toEqual({ status: 'done' });
    expect(await rig.store.read.attempts('many', 1000, start + 1001)).toBe(0);
    expect(await commit(rig.store, [succeed('fresh')])).toEqual({ status: 'done' });
    const kept: Effect = { kind: 'attempt.succeed', bucket: 'kept', at: start, ...limits, keepsCount: true };
    expect(await commit(rig.store, [kept, fail('kept')])).toEqual({ status: 'done' });
    expect(await commit(rig.store, [kept])).toEqual({ status: 'done' });
    expect(await rig.store.read.attempts('kept', 1000, start)).toBe(1);
    await commit(
      rig.store,
      [1, 2, 3, 4].map(() => fail('kept')),
    );
    expect(await commit(rig.store, [kept])).toEqual(limited('attempt.succeed'));
    expect(await commit(rig.store, [fail('both'), fail('both'), fail('other')])).toEqual({ status: 'done' });
    expect(await rig.store.read.attempts('both', 1000, start)).toBe(2);
  });
});

onEachDatabase('sessions', (rig) => {
  it('renews the own one and ends the others, an administrator acting as the user excepted (W36)', async () => {
    const [user, admin] = [await added(rig.store, 'changer'), await added(rig.store, 'helper')];
    await commit(rig.store, [
      ...['own', 'phone', 'laptop'].map((hash) => begin(user.id, hash)),
      begin(user.id, 'acting', { impersonatorId: admin.id }),
    ]);
    await commit(rig.store, [], [{ mode: 'insert', run: run('phone') }]);
    const own = run('own', { flow: 'password' });
    await commit(rig.store, [], [{ mode: 'insert', run: own }]);
    const answer = await commit(
      rig.store,
      [
        { kind: 'password.set', userId: user.id, hash: 'x', at: start },
        { kind: 'session.renew', from: 'own', to: 'renewed' },
        { kind: 'session.end_all', userId: user.id, except: 'own' },
      ],
      [{ mode: 'update', run: { ...own, session: 'renewed', originSession: 'own', seq: 2 } }],
    );
    expect(answer).toEqual({ status: 'done' });
    const left = (await rig.store.read.sessionsOf(user.id)).map(({ tokenHash }) => tokenHash).sort();
    expect(left).toEqual(['acting', 'renewed']);
    expect((await loadAt(rig.store, 'phone', start)).run).toBeNull();
    expect((await loadAt(rig.store, 'own', start, { flow: 'password' })).run?.session).toBe('renewed');
    const again = await commit(rig.store, [{ kind: 'session.renew', from: 'own', to: 'thrice' }]);
    expect(again).toEqual({ status: 'refused', refusal: { reason: 'used', effect: 'session.renew' } });
  });

  it('ends all sessions but the one that begins', async () => {
    const user = await added(rig.store, 'terminator');
    await commit(rig.store, [begin(user.id, 't1'), begin(user.id, 't2')]);
    await commit(rig.store, [begin(user.id, 't3'), { kind: 'session.end_all', userId: user.id, except: 't3' }]);
    const listed = await rig.store.accounts.listSessions(user.id, 't3');
    expect(listed.map(({ current, address }) => [current, address])).toEqual([[true, '192.0.2.1']]);
    expect(JSON.stringify(listed)).not.toContain('t3');
    const found = await rig.store.accounts.findSession(given(listed[0]).uuid);
    expect(found?.tokenHash).toBe('t3');
  });

  it('purges what has expired and keeps the rest', async () => {
    const user = await added(rig.store, 'purged');
    await commit(rig.store, [
      begin(user.id, 'old', { expiresAt: start + 1 }),
      begin(user.id, 'idle', { idleTimeout: 1 }),
      begin(user.id, 'kept'),
      fail('purge'),
    ]);
    await commit(rig.store, [], [{ mode: 'insert', run: run('old', { expiresAt: start - 3_600_000 }) }]);
    const purged = await rig.store.accounts.purge(start + 1000);
    expect(purged).toMatchObject({
      sessions: 2,
      runs: 1,
      attempts: 1,
      reputations: 0,
      tokens: 0,
      messages: 0,
      flowVersions: 0,
      events: 0,
    });
    expect((await rig.store.read.sessionsOf(user.id)).map(({ tokenHash }) => tokenHash)).toEqual(['kept']);
  });

  it('keeps the audit record, runs and messages for as long as it is told', async () => {
    const day = 86_400_000;
    const old = Array.from({ length: 1_001 }, (_, at) => event('aged', { requestId: String(at), at: start - 3 * day }));
    await commit(rig.store, old);
    await commit(rig.store, [event('aged', { requestId: 'new', at: start - day })]);
    const aged = async (): Promise<number> => rig.store.accounts.countEvents({ action: 'aged' });
    const forEver = Number.POSITIVE_INFINITY;
    const kept = { events: forEver, runs: forEver, outbox: forEver };
    expect(await rig.store.accounts.purge(start, kept)).toMatchObject({ events: 0, runs: 0, messages: 0 });
    expect(await aged()).toBe(1_002);
    expect((await rig.store.accounts.purge(start, { ...kept, events: 2 * day })).events).toBe(1_001);
    expect(await aged()).toBe(1);
    await commit(rig.store, [], [{ mode: 'insert', run: run('expired', { expiresAt: start - 2 * day }) }]);
    expect((await rig.store.accounts.purge(start, { ...kept, runs: 3 * day })).runs).toBe(0);
    expect((await rig.store.accounts.purge(start, { ...kept, runs: day })).runs).toBe(1);
  });
});

onEachDatabase('the initial setup', (rig) => {
  it('can be claimed once, and not by the secret before', async () => {
    expect(await rig.store.accounts.ensureSetupSecret('first')).toBe(true);
    expect(await rig.store.accounts.ensureSetupSecret('second')).toBe(true);
    expect(await rig.store.read.setupSecret()).toBe('second');
    const admins = group('admins', { isSuperuser: true });
    await commit(rig.store, [{ kind: 'group.create', group: admins }]);
    const claim = async (username: string, secretHash: string): Promise<Effect[]> => {
      const user = await draft(rig.store, username);
      return [
        create(user),
        { kind: 'group.join', group: admins.pk, userId: user.id },
        { kind: 'setup.claim', secretHash },
      ];
    };
    const refusal = { status: 'refused', refusal: { reason: 'used', effect: 'setup.claim' } };
    expect(await commit(rig.store, await claim('early', 'first'))).toEqual(refusal);
    const claims = await Promise.all(Array.from({ length: 10 }, (_, index) => claim(`admin-${index}`, 'second')));
    const answers = await Promise.all(claims.map((effects) => commit(rig.store, effects)));
    expect(counted(answers)).toEqual({ done: 1, 'refused used': 9 });
    expect((await rig.store.accounts.membersOf(admins.pk)).length).toBe(1);
    expect(await rig.store.accounts.ensureSetupSecret('third')).toBe(false);
    expect(await rig.store.read.setupSecret()).toBeNull();
  });
});
