import { expect, it } from 'vitest';
import type { DefinitionsChange } from '../../src/engine/definition.ts';
import type { CompiledFlow } from '../../src/engine/flow.ts';
import { commit, ended, group, loadAt, onEachDatabase, run, start } from './databases.ts';

const flow = (version: number): CompiledFlow => ({
  ...{ pk: 'f', slug: 'sign-up', version, name: 'Sign up', title: 'Welcome', designation: 'enrollment' },
  ...{ authentication: 'none', deniedAction: 'message', layout: 'stacked', background: '', bindings: [], objects: {} },
  ...{ policyEngineMode: 'any', policies: [] },
});

const change = (revision: number, more: Partial<DefinitionsChange>): DefinitionsChange => ({
  ...{ revision, put: [], remove: [], flows: [], removedFlows: [], effects: [], ...more },
});

onEachDatabase('definitions', (rig) => {
  it('changes all or nothing, by revision', async () => {
    const { definitions } = rig.store;
    expect(await definitions.all()).toEqual({ revision: 0, definitions: [] });
    const put = ['b', 'a'].map((pk) => ({ pk, model: 'authentik_flows.flow', attrs: { '2': pk, '1': null } }));
    const team = group('team');
    expect(
      await definitions.apply(change(0, { put, flows: [flow(1)], effects: [{ kind: 'group.create', group: team }] })),
    ).toBe('done');
    expect(await definitions.all()).toEqual({ revision: 1, definitions: put.toReversed() });
    expect(await definitions.apply(change(0, { remove: ['a'] }))).toBe('lost');
    const refused = definitions.apply(
      change(1, { remove: ['a'], effects: [{ kind: 'group.create', group: group('team') }] }),
    );
    await expect(refused).rejects.toMatchObject({ code: 'refused', detail: 'group.create: taken (name)' });
    expect((await definitions.all()).definitions).toHaveLength(2);
  });

  it('keeps versions for the runs that began on them, and forgets a removed flow with its runs', async () => {
    const { definitions } = rig.store;
    expect(await definitions.apply(change(1, { flows: [flow(2)] }))).toBe('done');
    expect(await definitions.currentVersions()).toEqual({ 'sign-up': 2 });
    expect(await definitions.flow('sign-up', 1)).toEqual(flow(1));
    expect(await definitions.flow('sign-up', 3)).toBeNull();
    expect((await loadAt(rig.store, 'x', start)).flowVersion).toBe(2);
    await commit(rig.store, [], [{ mode: 'insert', run: run('x') }]);
    const later = start + 8 * 86_400_000;
    expect(await definitions.apply(change(2, { removedFlows: ['sign-up'] }))).toBe('done');
    const left = await loadAt(rig.store, 'x', start);
    expect(left).toMatchObject({ flowVersion: null, signedIn: null, run: { state: { plan: [], context: {} } } });
    expect(left.run?.ended?.outcome).toEqual({ kind: 'denied', message: { $text: 'flow.gone' } });
    for (const version of Array(52).keys())
      expect(await definitions.apply(change(3 + version, { flows: [flow(1 + version)] }))).toBe('done');
    expect(await definitions.keptVersions('sign-up')).toHaveLength(52);
    // The fifty newest stay to be gone back to, and younger ones anyway.
    expect((await rig.store.accounts.purge(start)).flowVersions).toBe(0);
    expect((await rig.store.accounts.purge(later)).flowVersions).toBe(2);
    expect((await definitions.keptVersions('sign-up')).map(({ version }) => version).slice(-2)).toEqual([4, 3]);
    expect(await definitions.flow('sign-up', 2)).toBeNull();
    expect(await definitions.flow('sign-up', 52)).toEqual(flow(52));
  });

  it('counts who is under way in a flow, and ends their runs when it is told to', async () => {
    const { definitions } = rig.store;
    const { revision } = await definitions.all();
    await commit(
      rig.store,
      [],
      [
        { mode: 'insert', run: run('one') },
        { mode: 'insert', run: run('two') },
        { mode: 'insert', run: run('late', { expiresAt: start }) },
        { mode: 'insert', run: run('over', { ended: ended() }) },
        { mode: 'insert', run: run('three', { flow: 'other' }) },
      ],
    );
    expect(await definitions.openRuns(['sign-up', 'other', 'none'])).toEqual({ 'sign-up': 2, other: 1, none: 0 });
    expect(await definitions.openRuns([])).toEqual({});
    await definitions.apply(change(revision, { flows: [flow(99)], endRuns: ['sign-up'] }));
    expect(await definitions.openRuns(['sign-up', 'other'])).toEqual({ 'sign-up': 0, other: 1 });
    const { run: gone } = await loadAt(rig.store, 'one', start);
    expect(gone?.ended?.outcome).toEqual({ kind: 'denied', message: { $text: 'flow.gone' } });
    expect((await loadAt(rig.store, 'over', start)).run?.ended?.outcome).toEqual({ kind: 'done', to: '/' });
  });

  it('tells who is under way in which version', async () => {
    const { definitions } = rig.store;
    await commit(rig.store, [], [{ mode: 'insert', run: run('y', { version: 50 }) }]);
    const [, newest, , third] = await definitions.keptVersions('sign-up');
    expect(newest).toEqual({ version: 52, createdAt: start, openRuns: 0 });
    expect(third).toMatchObject({ version: 50, openRuns: 1 });
    expect(await definitions.keptVersions('nothing')).toEqual([]);
  });
});
