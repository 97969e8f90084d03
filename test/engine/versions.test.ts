import { afterAll, expect, it } from 'vitest';
import { createRig } from '../../src/testing/rig.ts';
import { emptyDatabase } from '../store/databases.ts';
import { dummy, fieldsOf, groupPolicy, login, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';

const start = 'authentik_flows.flow';

onBothDatabases('versions of a flow', (rig) => {
  const walk = async (slug: string): Promise<readonly unknown[]> => {
    const visitor = rig.visitor();
    return fieldsOf(await visitor.open(slug));
  };
  const titles = async (slug: string) => {
    const visitor = rig.visitor();
    return (await visitor.open(slug)).flow_info?.title;
  };

  it('are listed with what each changed and who is under way in it', async () => {
    await rig.flow('join', [promptFor('username', 'name'), write(), login]);
    const underWay = rig.visitor();
    await rig.flow('join', [promptFor('username', 'name'), dummy, write(), login]);
    await underWay.open('join');
    await underWay.answer({ username: 'ada' });
    underWay.expectAsk('ak-stage-dummy');
    await rig.flow('join', [promptFor('username'), write()], { attrs: { title: 'Join us' } });
    const versions = await rig.auth.flows.versions('join');
    const [third, second, first] = versions;
    expect(versions.map(({ isCurrent, openRuns }) => [isCurrent, openRuns])).toEqual([
      [true, 0],
      [false, 1],
      [false, 0],
    ]);
    expect(first?.changes).toBeNull();
    expect(second?.changes?.some(({ action, label }) => action === 'added' && label.includes('dummy'))).toBe(true);
    expect(third?.changes).toContainEqual(
      expect.objectContaining({ action: 'changed', label: 'flow join', members: expect.anything() }),
    );
    // Who is under way finishes on the version that they began.
    await underWay.answer();
    underWay.expectEnd();
  });

  it('are compared, by default the current one with the one before', async () => {
    const { from, to, changes } = await rig.auth.flows.diff('join');
    const versions = (await rig.auth.flows.versions('join')).map(({ version }) => version);
    expect([to, from]).toEqual(versions.slice(0, 2));
    const title = changes.find(({ label }) => label === 'flow join')?.members.find(({ name }) => name === 'title');
    expect(title?.after).toBe('Join us');
    expect((await rig.auth.flows.diff('join', to, to)).changes).toEqual([]);
    await expect(rig.auth.flows.diff('join', 999)).rejects.toMatchObject({ code: 'not_found' });
    await expect(rig.auth.flows.diff('nothing')).rejects.toMatchObject({ code: 'flow_not_found' });
  });

  it('are gone back to as a new version, and forth again', async () => {
    const before = await rig.auth.flows.versions('join');
    const [newest = 0, , oldest = 0] = before.map(({ version }) => version);
    expect(await walk('join')).toEqual(['username']);
    const done = await rig.auth.flows.rollback('join', oldest);
    expect(done).toMatchObject({ version: newest + 1, to: oldest, alsoChanged: [] });
    expect(await walk('join')).toEqual(['username', 'name']);
    expect((await rig.auth.flows.diff('join', oldest, newest + 1)).changes).toEqual([]);
    const visitor = rig.visitor();
    await visitor.open('join');
    await visitor.answer({ username: `back-${rig.dialect}`, name: 'Back' });
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe(`back-${rig.dialect}`);
    await rig.auth.flows.rollback('join');
    expect(await walk('join')).toEqual(['username']);
    expect(await titles('join')).toBe('Join us');
    await expect(rig.auth.flows.rollback('join', newest)).rejects.toMatchObject({ code: 'refused' });
  });

  it('takes flows along that share what changed, and says which', async () => {
    const shared = (message: string) => `entries:
  - {model: authentik_stages_deny.denystage, id: deny, identifiers: {name: shared-deny}, attrs: {deny_message: ${message}}}
  - {model: ${start}, id: a, identifiers: {slug: one}, attrs: {name: One, title: One, designation: recovery}}
  - {model: ${start}, id: b, identifiers: {slug: two}, attrs: {name: Two, title: Two, designation: recovery}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf a, stage: !KeyOf deny, order: 0}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf b, stage: !KeyOf deny, order: 0}}`;
    await rig.auth.flows.apply(shared('early'));
    await rig.auth.flows.apply(shared('late'));
    const [two] = await rig.auth.flows.versions('two');
    const done = await rig.auth.flows.rollback('one');
    expect(done.alsoChanged).toEqual([{ slug: 'two', version: (two?.version ?? 0) + 1 }]);
    const visitor = rig.visitor();
    await visitor.open('two');
    visitor.expectDenied('early');
  });

  it('brings policies back, and refuses what refers to something that is gone', async () => {
    await rig.auth.groups.create({ name: 'passing' });
    await rig.flow('gated', [dummy]);
    await rig.flow('gated', [{ ...dummy, policies: [groupPolicy('passing')] }]);
    const shown = async (): Promise<string> => (await rig.visitor().open('gated')).component;
    expect(await shown()).toBe('xak-flow-redirect');
    const [gated = 0, open = 0] = (await rig.auth.flows.versions('gated')).map(({ version }) => version);
    await rig.auth.flows.rollback('gated', open);
    expect(await shown()).toBe('ak-stage-dummy');
    const { changes } = await rig.auth.flows.rollback('gated', gated);
    expect(changes.map(({ label }) => label).join()).toContain('group "passing"');
    expect(await shown()).toBe('xak-flow-redirect');
    await rig.auth.flows.rollback('gated', open);
    const passing = (await rig.auth.groups.list()).find(({ name }) => name === 'passing');
    await rig.auth.groups.delete(passing?.pk ?? '');
    const failed = rig.auth.flows.rollback('gated', gated);
    await expect(failed).rejects.toMatchObject({
      code: 'blueprint',
      detail: expect.stringContaining('cannot go back'),
    });
    expect(await shown()).toBe('ak-stage-dummy');
  });

  it('the shipped flow that was rolled back stays so at the next start', async () => {
    const slug = 'default-authentication-flow';
    await rig.auth.flows.apply(`entries:
  - {model: ${start}, identifiers: {slug: ${slug}}, attrs: {title: Changed}}`);
    expect(await titles(slug)).toBe('Changed');
    await rig.auth.flows.rollback(slug);
    const after = await rig.auth.flows.versions(slug);
    const again = await rig.another({ probes: true });
    expect(await again.auth.flows.versions(slug)).toEqual(after);
    expect(await titles(slug)).not.toBe('Changed');
  });
});

const database = await emptyDatabase('sqlite');
afterAll(() => database.remove());

it('a flow in code that was rolled back stays so until its code changes', async () => {
  const { defineFlow, deny } = await import('../../src/index.ts');
  const edition = (message: string) =>
    defineFlow({ slug: 'told', designation: 'authorization', stages: [deny({ message })] });
  const said = async (message: string, rollback = false): Promise<unknown> => {
    const rig = await createRig({ ...database, flows: [edition(message)] });
    try {
      if (rollback) await rig.auth.flows.rollback('told');
      const visitor = rig.visitor();
      return (await visitor.open('told')).error_message;
    } finally {
      await rig.auth.close();
    }
  };
  expect(await said('one')).toBe('one');
  expect(await said('two')).toBe('two');
  expect(await said('two', true)).toBe('one');
  expect(await said('two')).toBe('one');
  expect(await said('three')).toBe('three');
});
