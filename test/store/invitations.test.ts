import { expect, it } from 'vitest';
import type { Effect } from '../../src/engine/effects.ts';
import type { Invitation } from '../../src/engine/invitation.ts';
import { newUuid } from '../../src/kernel/ids.ts';
import { added, commit, counted, draft, event, given, onEachDatabase, start } from './databases.ts';

function invitation(more: Partial<Invitation> = {}): Invitation {
  return {
    ...{ uuid: newUuid(), name: 'friends', flow: 'sign-up', fixedData: {}, singleUse: false, createdBy: null },
    ...{ createdAt: start, expiresAt: start + 1_000, uses: 0, ...more },
  };
}

function make(hash: string, made: Invitation): Effect {
  return { kind: 'invitation.make', hash, invitation: made };
}

const used = { status: 'refused', refusal: { reason: 'used', effect: 'invitation.use' } };

onEachDatabase('invitations', (rig) => {
  it('are found by the hash of their secret, and by nothing else', async () => {
    const made = invitation({ fixedData: { email: 'ada@example.com', attributes: { team: ['a'] } } });
    await commit(rig.store, [make('found', made)]);
    expect(await rig.store.read.invitation('found')).toEqual(made);
    expect(await rig.store.read.invitation(made.uuid)).toBeNull();
  });

  it('IN-6: one that is good once is used by one of 50 writes at the same time, and the others leave nothing', async () => {
    const made = invitation({ singleUse: true });
    await commit(rig.store, [make('race', made)]);
    const writers = await Promise.all(Array.from({ length: 50 }, (_, index) => draft(rig.store, `invited-${index}`)));
    const answers = await Promise.all(
      writers.map((user) =>
        commit(rig.store, [
          { kind: 'user.create', user, passwordHash: null },
          { kind: 'invitation.use', uuid: made.uuid },
          event('raced'),
        ]),
      ),
    );
    expect(counted(answers)).toEqual({ done: 1, 'refused used': 49 });
    expect((await rig.store.accounts.listUsers({ search: 'invited-' })).total).toBe(1);
    expect(await rig.store.accounts.countEvents({ action: 'raced' })).toBe(1);
    expect((await rig.store.read.invitation('race'))?.uses).toBe(1);
  });

  it('others count how often they were used', async () => {
    const made = invitation();
    await commit(rig.store, [make('many', made)]);
    const uses = Array.from({ length: 20 }, () => commit(rig.store, [{ kind: 'invitation.use', uuid: made.uuid }]));
    expect(counted(await Promise.all(uses))).toEqual({ done: 20 });
    expect((await rig.store.read.invitation('many'))?.uses).toBe(20);
  });

  it('IN-3: are refused and purged once they have expired', async () => {
    const [late, lasting] = [invitation({ expiresAt: start }), invitation({ expiresAt: start + 1 })];
    await commit(rig.store, [make('late', late), make('lasting', lasting)]);
    expect(await commit(rig.store, [{ kind: 'invitation.use', uuid: late.uuid }])).toEqual(used);
    await rig.store.accounts.purge(start);
    expect(await rig.store.read.invitation('late')).toBeNull();
    expect(await rig.store.read.invitation('lasting')).toEqual(lasting);
    expect(await commit(rig.store, [{ kind: 'invitation.use', uuid: late.uuid }])).toEqual(used);
  });

  it('are changed member by member, and revoked', async () => {
    const made = invitation({ name: 'before', fixedData: { name: 'Ada' } });
    await commit(rig.store, [make('changed', made)]);
    const change = (set: Extract<Effect, { kind: 'invitation.change' }>['set']) =>
      commit(rig.store, [{ kind: 'invitation.change', uuid: made.uuid, set }]);
    await change({ flow: null, singleUse: true });
    expect(await rig.store.read.invitation('changed')).toEqual({ ...made, flow: null, singleUse: true });
    const rest = { name: 'after', fixedData: {}, expiresAt: start + 2_000 };
    await change(rest);
    expect(await rig.store.read.invitation('changed')).toEqual({ ...made, flow: null, singleUse: true, ...rest });
    const revoke: Effect = { kind: 'invitation.revoke', uuid: made.uuid };
    expect(await commit(rig.store, [revoke])).toEqual({ status: 'done' });
    expect(await commit(rig.store, [revoke])).toMatchObject({ refusal: { reason: 'missing' } });
    expect(await change({ name: 'gone' })).toMatchObject({ refusal: { reason: 'missing' } });
    expect(await rig.store.accounts.findInvitation(made.uuid)).toBeNull();
  });

  it('are listed by name and flow, those that expire last first, and outlive who made them', async () => {
    const ada = await added(rig.store, 'inviting-ada');
    const own = { name: 'listed_50%', createdBy: ada.id } as const;
    const first = invitation({ ...own, expiresAt: start + 10 });
    const second = invitation({ ...own, expiresAt: start + 20, flow: null });
    await commit(rig.store, [make('listed-1', first), make('listed-2', second)]);
    await commit(rig.store, [make('listed-3', invitation({ name: 'listed_50x' }))]);
    const { accounts } = rig.store;
    const filter = { search: 'LISTED_50%' };
    expect(await accounts.listInvitations(filter)).toEqual([
      { ...second, creator: 'inviting-ada' },
      { ...first, creator: 'inviting-ada' },
    ]);
    expect(await accounts.listInvitations({ ...filter, limit: 1, offset: 1 })).toMatchObject([{ uuid: first.uuid }]);
    expect(await accounts.countInvitations({ ...filter, flow: 'sign-up' })).toBe(1);
    expect(await accounts.countInvitations({ name: 'listed_50x' })).toBe(1);
    await commit(rig.store, [{ kind: 'user.delete', id: ada.id }]);
    expect(given(await accounts.findInvitation(first.uuid))).toEqual({ ...first, createdBy: null, creator: null });
    expect(await commit(rig.store, [make('orphan', invitation({ createdBy: 999_999 }))])).toMatchObject({
      refusal: { reason: 'missing', effect: 'invitation.make' },
    });
  });
});
