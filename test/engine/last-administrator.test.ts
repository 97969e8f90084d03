import { expect, it } from 'vitest';
import type { EngineRig } from '../support/engine-rig.ts';
import { onBothDatabases, promptFor, write } from '../support/engine-rig.ts';

const administrators = 'Doorward Admins';
const refused = { code: 'last_administrator', status: 409 };
const told = 'Nobody would be left who may administer. Make somebody else an administrator first, then try again.';

async function active({ auth, store }: EngineRig) {
  return store.read.membersWithin((await auth.groups.get({ name: administrators }))?.pk ?? '');
}

/** Makes them the only active administrators, whoever the tests before left. */
async function soleAdministrators(rig: EngineRig, ...usernames: readonly string[]) {
  const { users } = rig.auth;
  const former = await active(rig);
  const made = await Promise.all(usernames.map((username) => rig.user(username, { groups: [administrators] })));
  for (const { id } of former) await users.delete(id);
  return made;
}

onBothDatabases('the last administrator (decision 19)', (rig) => {
  it('is not needed where there never was one', async () => {
    const { groups, users } = rig.auth;
    const ada = await rig.user('ada');
    await users.deactivate(ada.id);
    const empty = await groups.create({ name: 'empty superusers', isSuperuser: true });
    await groups.update(empty.pk, { isSuperuser: false });
    await groups.delete(empty.pk);
    await users.delete(ada.id);
    expect(await rig.find('ada')).toBeNull();
  });

  it('is neither deleted, deactivated nor taken out of their group, and nothing of it all is written', async () => {
    const { users, groups } = rig.auth;
    const [root] = await soleAdministrators(rig, 'root');
    const id = root?.id ?? 0;
    const group = await groups.get({ name: administrators });
    const pk = group?.pk ?? '';
    const locked = await rig.user('locked', { groups: [administrators], isActive: false });
    const before = (await rig.events('model_deleted')).length;
    const ways = [
      () => users.delete(id),
      () => users.deactivate(id),
      () => users.update(id, { isActive: false, name: 'Gone' }),
      () => users.leave(id, administrators),
      () => groups.update(pk, { isSuperuser: false }),
      () => groups.delete(pk),
    ];
    for (const way of ways) await expect(way()).rejects.toMatchObject(refused);
    expect(await rig.find('root')).toMatchObject({ isActive: true, name: '', version: root?.version });
    expect(await groups.get({ pk })).toEqual(group);
    expect(await rig.events('model_deleted')).toHaveLength(before);
    const visitor = await rig.signedIn('root');
    await users.update(id, { name: 'Root' });
    await users.delete(locked.id);
    expect(await visitor.whoAmI()).toBe('root');
    await rig.user('second', { groups: [administrators] });
    await users.delete(id);
    expect(await rig.find('root')).toBeNull();
  });

  it('stays one by a group below, so that group keeps its parent', async () => {
    const { users, groups } = rig.auth;
    const [root] = await soleAdministrators(rig, 'above');
    const below = await groups.create({ name: 'below', parent: administrators });
    await users.join(root?.id ?? 0, 'below');
    await users.leave(root?.id ?? 0, administrators);
    await expect(groups.update(below.pk, { parent: null })).rejects.toMatchObject(refused);
    await expect(groups.delete(below.pk)).rejects.toMatchObject(refused);
    await groups.update(below.pk, { isSuperuser: true });
    await groups.update(below.pk, { parent: null });
    await groups.update(below.pk, { parent: administrators });
    await groups.update(below.pk, { isSuperuser: false });
  });

  it('remains when all of ten delete one another at once, and when they leave', async () => {
    const { users } = rig.auth;
    const names = Array.from({ length: 10 }, (_, index) => `each-${index}`);
    const all = await soleAdministrators(rig, ...names);
    await users.join((await rig.user('helper')).id, administrators);
    const answers = await Promise.allSettled([
      ...all.map(({ id }, index) => (index % 2 === 0 ? users.delete(id) : users.deactivate(id))),
      users.leave((await rig.find('helper'))?.id ?? 0, administrators),
    ]);
    const failed = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
    expect(failed).toMatchObject([refused]);
    expect(await active(rig)).toHaveLength(1);
  });

  it('does not leave by a flow, nor lock themselves out in one', async () => {
    await soleAdministrators(rig, 'leaver');
    const visitor = await rig.signedIn('leaver');
    await visitor.open('default-unenrollment-flow');
    await visitor.answer({ password: 'leaver password' });
    await visitor.answer();
    visitor.expectDenied(told);
    const asked = promptFor({ field_key: 'is_active', type: 'checkbox' });
    const attrs = { authentication: 'require_authenticated' };
    await rig.flow('lock-out', [asked, write({ writable_fields: ['is_active'] })], { attrs });
    await visitor.open('lock-out');
    await visitor.answer({ is_active: false });
    visitor.expectProblem('is_active', 'last_administrator');
    expect(await visitor.whoAmI()).toBe('leaver');
  });

  it('is not taken by a blueprint', async () => {
    const text = `version: 1
entries:
  - model: authentik_core.group
    identifiers: { name: ${administrators} }
    attrs: { is_superuser: false }
`;
    await expect(rig.auth.flows.apply([{ name: 'groups.yaml', text }])).rejects.toMatchObject(refused);
    expect(await rig.auth.groups.get({ name: administrators })).toMatchObject({ isSuperuser: true });
  });
});
