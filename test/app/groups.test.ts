import { expect, it } from 'vitest';
import { dummy, groupPolicy, onBothDatabases } from '../support/engine-rig.ts';

onBothDatabases('groups by the library (CONTRACT: Library)', (rig) => {
  const names = (groups: readonly { readonly name: string }[]): string[] => groups.map(({ name }) => name);

  it('are made with a parent by name or pk and with attributes, found, changed and deleted', async () => {
    const { groups } = rig.auth;
    const staff = await groups.create({ name: 'staff', isSuperuser: true, attributes: { floor: 3 } });
    const nurses = await groups.create({ name: 'nurses', parent: 'staff' });
    const night = await groups.create({ name: 'night nurses', parent: nurses.pk });
    expect(await groups.get({ name: 'staff' })).toEqual({ ...staff, attributes: { floor: 3 } });
    expect(await groups.get({ pk: night.pk })).toMatchObject({ parent: nurses.pk, isSuperuser: false });
    expect(await groups.get({ name: 'doctors' })).toBeNull();
    expect(await groups.update(nurses.pk, { name: 'carers', attributes: { a: [1] } })).toEqual({
      ...{ pk: nurses.pk, name: 'carers', isSuperuser: false, parent: staff.pk, attributes: { a: [1] } },
    });
    expect(await groups.update(nurses.pk, { parent: null })).toMatchObject({ name: 'carers', parent: null });
    await groups.delete(nurses.pk);
    expect(await groups.get({ pk: nurses.pk })).toBeNull();
    expect(await groups.get({ pk: night.pk })).toMatchObject({ parent: null });
  });

  it('gain and lose members, who count at once in policies', async () => {
    const { groups, users } = rig.auth;
    const club = await groups.create({ name: 'club' });
    await groups.create({ name: 'board', parent: 'club' });
    const ada = await rig.user('member of the board');
    await rig.flow('for-the-club', [dummy], { policies: [groupPolicy('club')], attrs: { denied_action: 'message' } });
    const visitor = await rig.signedIn('member of the board');
    await visitor.open('for-the-club');
    visitor.expectDenied();
    await users.join(ada.id, 'board');
    await users.join(ada.id, 'board');
    expect(await groups.members(club.pk)).toEqual([]);
    await visitor.open('for-the-club');
    visitor.expectAsk('ak-stage-dummy');
    await users.join(ada.id, 'club');
    expect((await groups.members(club.pk)).map(({ username }) => username)).toEqual(['member of the board']);
    for (const group of ['club', 'board']) await users.leave(ada.id, group);
    await rig.visitor().open('for-the-club');
    expect(await groups.members(club.pk)).toEqual([]);
    expect(names(await rig.store.read.groupsOf(ada.id))).toEqual([]);
    expect((await rig.events('group_leave', 'member of the board')).map(({ context }) => context.group)).toEqual([
      'board',
      'club',
    ]);
  });

  it('tell each change by an event, which commits with it', async () => {
    const { groups } = rig.auth;
    const made = await groups.create({ name: 'told' }, { via: 'api', address: '192.0.2.1', requestId: 'r1' });
    await groups.update(made.pk, { name: 'told twice' });
    await groups.delete(made.pk);
    const found = ['model_created', 'model_updated', 'model_deleted'].map(async (action) =>
      (await rig.events(action)).filter(({ context }) => context.pk === made.pk),
    );
    expect(await Promise.all(found)).toMatchObject([
      [{ context: { model: 'group', name: 'told', via: 'api' }, address: '192.0.2.1', requestId: 'r1' }],
      [{ context: { model: 'group', name: 'told twice', via: 'library' } }],
      [{ context: { model: 'group', name: 'told twice' } }],
    ]);
    await groups.create({ name: 'taken' });
    const before = (await rig.events('model_created')).length;
    await expect(groups.create({ name: 'taken' })).rejects.toMatchObject({ code: 'refused' });
    expect(await rig.events('model_created')).toHaveLength(before);
  });

  it('refuse what cannot be', async () => {
    const { groups } = rig.auth;
    const top = await groups.create({ name: 'top' });
    const middle = await groups.create({ name: 'middle', parent: 'top' });
    await groups.create({ name: 'bottom', parent: middle.pk });
    const wrong = [
      [() => groups.create({ name: '' }), 'invalid_request'],
      [() => groups.create({ name: 'x'.repeat(151) }), 'invalid_request'],
      [() => groups.create({ name: 'nul\0' }), 'invalid_request'],
      [() => groups.create({ name: 'orphan', parent: 'nowhere' }), 'refused'],
      [() => groups.update(top.pk, { parent: 'bottom' }), 'refused'],
      [() => groups.update(top.pk, { parent: top.pk }), 'refused'],
      [() => groups.update(middle.pk, { name: 'top' }), 'refused'],
      [() => groups.update('nowhere', { name: 'x' }), 'not_found'],
      [() => groups.delete('nowhere'), 'not_found'],
    ] as const;
    for (const [refused, code] of wrong) await expect(refused()).rejects.toMatchObject({ code });
    expect(names(await groups.list())).not.toContain('orphan');
  });
});
