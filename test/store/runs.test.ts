import { expect, it } from 'vitest';
import { newUuid } from '../../src/kernel/ids.ts';
import { Secret } from '../../src/kernel/secrets.ts';
import {
  added,
  begin,
  commit,
  counted,
  create,
  draft,
  ended,
  event,
  loadAt,
  newerKeys,
  onEachDatabase,
  run,
  start,
} from './databases.ts';

onEachDatabase('loading', (rig) => {
  it('brings nothing for a visitor nobody knows', async () => {
    expect(await loadAt(rig.store, 'nobody', start)).toEqual({ flowVersion: null, signedIn: null, run: null });
  });

  it('brings session, user and administrator until the session expires', async () => {
    const user = await added(rig.store, 'visitor', { attributes: { '2': 1, '1': 'ä' } });
    const admin = await added(rig.store, 'admin');
    const times = { expiresAt: start + 1000, impersonatorId: admin.id };
    await commit(rig.store, [begin(user.id, 'expiring', times)]);
    const { signedIn } = await loadAt(rig.store, 'expiring', start + 999);
    expect(signedIn).toMatchObject({ session: times, user, impersonator: admin });
    expect((await loadAt(rig.store, 'expiring', start + 1000)).signedIn).toBeNull();
  });

  it('does not bring a session that was unused for too long', async () => {
    const user = await added(rig.store, 'idler', { isActive: false });
    await commit(rig.store, [begin(user.id, 'idle', { idleTimeout: 500 })]);
    expect((await loadAt(rig.store, 'idle', start + 499)).signedIn?.user.isActive).toBe(false);
    expect((await loadAt(rig.store, 'idle', start + 500)).signedIn).toBeNull();
    await commit(rig.store, [{ kind: 'session.touch', tokenHash: 'idle', at: start + 500, address: '192.0.2.9' }]);
    expect((await loadAt(rig.store, 'idle', start + 900)).signedIn?.session.address).toBe('192.0.2.9');
  });

  it('brings the newest run of the session, or of the session before its sign-in, by flow and variant', async () => {
    const first = run('before', { ended: ended() });
    const second = run('after', { createdAt: start + 1, originSession: 'before', ended: ended('/app') });
    const other = run('before', { variant: 'invitation' });
    const runs = [first, second, other].map((each) => ({ mode: 'insert', run: each }) as const);
    await commit(rig.store, [], runs);
    expect((await loadAt(rig.store, 'before', start)).run).toEqual(second);
    expect((await loadAt(rig.store, 'after', start)).run).toEqual(second);
    expect((await loadAt(rig.store, 'before', start, { variant: 'invitation' })).run).toEqual(other);
    expect((await loadAt(rig.store, 'before', start, { flow: 'sign-in' })).run).toBeNull();
  });

  it('keeps typed secrets sealed, answers in their order and any text', async () => {
    const pairs = [
      ['2', 'zwei'],
      ['1', 'eins'],
      ['password', new Secret('hunter2 ✓')],
      ['odd', '\u0000 \ud800 😀'],
    ] as const;
    const kept = run('sealed', { state: { ...run('').state, context: { prompt_data: pairs } } });
    await commit(rig.store, [], [{ mode: 'insert', run: kept }]);
    const loaded = await loadAt(rig.store, 'sealed', start);
    expect(loaded.run?.state.context.prompt_data).toEqual(pairs);
    const other = await rig.open({ secretKey: newerKeys });
    expect((await loadAt(other, 'sealed', start)).run?.state.context.prompt_data).toEqual(pairs);
  });

  it('drops a run whose secrets do not open, so that a fresh one can begin', async () => {
    const context = { prompt_data: [['password', new Secret('typed')]] as const };
    const kept = run('rotated', { state: { ...run('').state, context } });
    const newer = await rig.open({ secretKey: newerKeys });
    await commit(newer, [], [{ mode: 'insert', run: kept }]);
    expect((await loadAt(rig.store, 'rotated', start)).run).toBeNull();
    expect(rig.logged).toContain('a run cannot be read and is ended');
    expect(await commit(rig.store, [], [{ mode: 'insert', run: run('rotated') }])).toEqual({ status: 'done' });
  });

  it('finds nothing by a text that cannot be stored', async () => {
    expect(await loadAt(rig.store, 'x', start, { flow: 'a\0b' })).toEqual({
      flowVersion: null,
      signedIn: null,
      run: null,
    });
    expect(await rig.store.read.userByIdentifier(['username'], 'visitor\0', false)).toBeNull();
  });
});

onEachDatabase('steps of runs', (rig) => {
  it('lets one of 50 requests begin a run (W34)', async () => {
    const one = run('race');
    const user = await draft(rig.store, 'raced');
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () =>
        commit(rig.store, [create({ ...user, uuid: newUuid() })], [{ mode: 'insert', run: one }]),
      ),
    );
    expect(counted(answers)).toEqual({ done: 1, lost: 49 });
  });

  it('keeps one open run per session, flow and variant', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => commit(rig.store, [], [{ mode: 'insert', run: run('tabs') }])),
    );
    expect(counted(answers)).toEqual({ done: 1, lost: 19 });
    expect(await commit(rig.store, [], [{ mode: 'insert', run: run('tabs', { variant: 'x' }) }])).toEqual({
      status: 'done',
    });
  });

  it('lets one of 50 answers move a run, with its effects (W34)', async () => {
    const one = run('moving');
    await commit(rig.store, [], [{ mode: 'insert', run: one }]);
    const moved = { ...one, seq: 2, ended: ended() };
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        commit(rig.store, [event('moved', { requestId: String(index) })], [{ mode: 'update', run: moved }]),
      ),
    );
    expect(counted(answers)).toEqual({ done: 1, lost: 49 });
    expect(await rig.store.accounts.listEvents({ action: 'moved' })).toHaveLength(1);
    expect(await commit(rig.store, [], [{ mode: 'update', run: { ...moved, seq: 3 } }])).toEqual({ status: 'lost' });
  });

  it('replaces an open run that can no longer be used', async () => {
    const [old, fresh] = [run('replacing'), run('replacing', { createdAt: start + 1 })];
    await commit(rig.store, [], [{ mode: 'insert', run: old }]);
    const replace = { mode: 'insert', run: fresh, replaces: old.id } as const;
    expect(await commit(rig.store, [event('replaced')], [replace])).toEqual({ status: 'done' });
    expect((await loadAt(rig.store, 'replacing', start)).run?.id).toBe(fresh.id);
    const late = { ...replace, run: run('replacing') };
    expect(await commit(rig.store, [event('replaced')], [late])).toEqual({ status: 'lost' });
    expect(await rig.store.accounts.listEvents({ action: 'replaced' })).toHaveLength(1);
  });

  it('ends one run and begins that of another flow in one step (jump)', async () => {
    const one = run('jumping');
    await commit(rig.store, [], [{ mode: 'insert', run: one }]);
    const there = run('jumping', { flow: 'sign-in' });
    const runs = [
      { mode: 'update', run: { ...one, seq: 2, ended: ended() } },
      { mode: 'insert', run: there },
    ] as const;
    expect(await commit(rig.store, [], runs)).toEqual({ status: 'done' });
    expect((await loadAt(rig.store, 'jumping', start, { flow: 'sign-in' })).run).toEqual(there);
  });

  it('ends the open runs of an ended session, but not the one that ends it', async () => {
    const user = await added(rig.store, 'leaver');
    await commit(rig.store, [begin(user.id, 'leaving')]);
    const [own, other] = [run('leaving', { flow: 'sign-out' }), run('leaving')];
    await commit(
      rig.store,
      [],
      [own, other].map((each) => ({ mode: 'insert', run: each }) as const),
    );
    const step = { mode: 'update', run: { ...own, seq: 2 } } as const;
    expect(await commit(rig.store, [{ kind: 'session.end', tokenHash: 'leaving' }], [step])).toEqual({
      status: 'done',
    });
    expect((await loadAt(rig.store, 'leaving', start)).run).toBeNull();
    const left = await loadAt(rig.store, 'leaving', start, { flow: 'sign-out' });
    expect(left).toMatchObject({ signedIn: null, run: { seq: 2 } });
  });
});
