import { expect, it } from 'vitest';
import type { Effect } from '../../src/engine/effects.ts';
import { newUuid } from '../../src/kernel/ids.ts';
import { usernameKey } from '../../src/kernel/text.ts';
import {
  added,
  begin,
  commit,
  counted,
  create,
  draft,
  event,
  group,
  loadAt,
  onEachDatabase,
  run,
  start,
} from './databases.ts';

onEachDatabase('users', (rig) => {
  it('gives a username to one of 50 who ask for it in any case, and leaves nothing of the others (W29, W32)', async () => {
    const spellings = ['grüße', 'GRÜßE', 'Grüße', 'gru\u0308ße', 'ｇrüße'];
    const users = await Promise.all(
      Array.from({ length: 50 }, (_, index) => draft(rig.store, spellings[index % spellings.length] ?? '')),
    );
    const answers = await Promise.all(
      users.map((user) =>
        commit(rig.store, [begin(user.id, `race ${user.id}`), create(user, 'hash'), event('created')]),
      ),
    );
    expect(counted(answers)).toEqual({ done: 1, 'refused taken': 49 });
    const refused = answers.find((answer) => answer.status === 'refused');
    expect(refused?.refusal).toEqual({ reason: 'taken', effect: 'user.create', field: 'username' });
    expect((await rig.store.accounts.listUsers({})).total).toBe(1);
    expect(await rig.store.accounts.listEvents({ action: 'created' })).toHaveLength(1);
    const winner = await rig.store.read.userByUsername(usernameKey('GRÜßE'));
    expect(await rig.store.read.passwordHash(winner?.id ?? 0)).toBe('hash');
    expect(await rig.store.read.sessionsOf(winner?.id ?? 0)).toHaveLength(1);
  });

  it('updates by version, only what is set, and a name in other case is free to its owner (W31, W32)', async () => {
    const user = await added(rig.store, 'Ada', { email: 'ada@example.com', attributes: { a: 1 } });
    rig.clock.advance(10);
    const update = {
      kind: 'user.update',
      id: user.id,
      version: 1,
      set: { username: 'ADA', lastLogin: start },
    } as const;
    expect(await commit(rig.store, [update])).toEqual({ status: 'done' });
    const { lastUpdated, ...rest } = { ...user, username: 'ADA', lastLogin: start, version: 2 };
    expect(await rig.store.read.user(user.id)).toEqual({ ...rest, lastUpdated: lastUpdated + 10 });
    const stale = await commit(rig.store, [update, event('stale')]);
    expect(stale).toEqual({ status: 'refused', refusal: { reason: 'changed', effect: 'user.update' } });
    expect(await rig.store.accounts.listEvents({ action: 'stale' })).toEqual([]);
  });

  it('refuses to update to a taken username', async () => {
    await added(rig.store, 'first');
    const { id, version } = await added(rig.store, 'second');
    const answer = await commit(rig.store, [{ kind: 'user.update', id, version, set: { username: 'FIRST' } }]);
    expect(answer).toEqual({
      status: 'refused',
      refusal: { reason: 'taken', effect: 'user.update', field: 'username' },
    });
  });

  it('writes nothing at all when the last effect is refused (W29), in one statement or in several', async () => {
    const before = await rig.store.accounts.listUsers({});
    const gone: Effect = { kind: 'session.renew', from: 'gone', to: 'new' };
    for (const more of [[], [{ kind: 'session.touch', tokenHash: 'x', at: start, address: '' } as const]]) {
      const user = await draft(rig.store, 'never');
      const one = run(`never ${user.id}`);
      const answer = await commit(
        rig.store,
        [create(user, 'hash'), event('never'), ...more, gone],
        [{ mode: 'insert', run: one }],
      );
      expect(answer).toEqual({ status: 'refused', refusal: { reason: 'used', effect: 'session.renew' } });
      expect((await loadAt(rig.store, one.session, start)).run).toBeNull();
      expect(await rig.store.read.passwordHash(user.id)).toBeNull();
    }
    expect(await rig.store.accounts.listUsers({})).toEqual(before);
    expect(await rig.store.accounts.listEvents({ action: 'never' })).toEqual([]);
  });

  it('does the same in one statement as in several', async () => {
    const [folded, unfolded] = [await draft(rig.store, 'folded'), await draft(rig.store, 'unfolded')];
    const effects = (user: typeof folded): Effect[] => [
      create(user),
      { kind: 'password.set', userId: user.id, hash: 'set', at: start + 5 },
      { kind: 'user.seen', id: user.id, at: start + 6 },
      begin(user.id, `session of ${user.username}`),
      event('same', { user: { pk: user.id, username: user.username } }),
    ];
    const twice: Effect = { kind: 'session.touch', tokenHash: 'nobody', at: start, address: '' };
    expect(await commit(rig.store, effects(folded))).toEqual({ status: 'done' });
    expect(await commit(rig.store, [...effects(unfolded), twice, twice])).toEqual({ status: 'done' });
    const [a, b] = [await rig.store.read.user(folded.id), await rig.store.read.user(unfolded.id)];
    expect(a).toEqual({ ...folded, lastLogin: start + 6, passwordChangedAt: start + 5 });
    expect(b).toEqual({ ...unfolded, lastLogin: start + 6, passwordChangedAt: start + 5 });
    for (const { id, username } of [folded, unfolded]) {
      expect(await rig.store.read.passwordHash(id)).toBe('set');
      expect((await rig.store.accounts.listEvents({ userId: id })).map(({ user }) => user)).toEqual([
        { pk: id, username },
      ]);
    }
  });

  it('writes an update, a new password and the sign-in together', async () => {
    const { id } = await added(rig.store, 'several');
    const effects: Effect[] = [
      { kind: 'user.seen', id, at: start + 1 },
      { kind: 'password.set', userId: id, hash: 'one', at: start + 2 },
      { kind: 'user.update', id, version: 1, set: { name: 'A' } },
      { kind: 'user.update', id, version: 2, set: { name: 'B' } },
    ];
    expect(await commit(rig.store, effects)).toEqual({ status: 'done' });
    const user = await rig.store.read.user(id);
    expect(user).toMatchObject({ name: 'B', version: 3, lastLogin: start + 1, passwordChangedAt: start + 2 });
    await commit(rig.store, [{ kind: 'password.renew', userId: id, from: 'other', to: 'wrong' }]);
    expect(await rig.store.read.passwordHash(id)).toBe('one');
    await commit(rig.store, [{ kind: 'password.renew', userId: id, from: 'one', to: 'two' }]);
    expect(await rig.store.read.passwordHash(id)).toBe('two');
    expect(await rig.store.read.hashToCompare(id, 4_000_000_000)).toEqual({ hash: 'two', isOwn: true });
    for (const nobody of [null, 4_000_000])
      expect(await rig.store.read.hashToCompare(nobody, 4_000_000_000)).toMatchObject({ isOwn: false });
  });

  it('keeps any text as it is, and refuses NUL and half a surrogate pair', async () => {
    const name = '𝒟oor — שלום 👩‍👩‍👧 "quoted" \' ? $1 \\';
    const user = await added(rig.store, 'unicode', { name, attributes: { [name]: [name, '\u0000'] } });
    expect(await rig.store.read.user(user.id)).toEqual(user);
    for (const bad of ['a\0b', 'a\ud800b']) {
      const answer = await commit(rig.store, [event('nul'), create(await draft(rig.store, 'nul', { name: bad }))]);
      expect(answer).toEqual({ status: 'refused', refusal: { reason: 'constraint', effect: 'user.create' } });
    }
    expect(await rig.store.accounts.listEvents({ action: 'nul' })).toEqual([]);
  });

  it('says what is missing', async () => {
    const { id } = await added(rig.store, 'joiner');
    const cases: [Effect, string][] = [
      [{ kind: 'group.join', group: newUuid(), userId: id }, 'group.join'],
      [begin(987_654, 'nobody'), 'session.begin'],
      [{ kind: 'password.set', userId: 987_654, hash: 'x', at: start }, 'password.set'],
      [{ kind: 'group.create', group: group('orphan', { parent: newUuid() }) }, 'group.create'],
      [{ kind: 'user.delete', id: 987_654 }, 'user.delete'],
    ];
    for (const [effect, kind] of cases)
      expect(await commit(rig.store, [event('missing'), effect])).toEqual({
        status: 'refused',
        refusal: { reason: 'missing', effect: kind },
      });
    expect(await rig.store.accounts.listEvents({ action: 'missing' })).toEqual([]);
  });

  it('deletes a user with all that is theirs, their open runs too', async () => {
    const user = await added(rig.store, 'leaving');
    const team = group('leaving team');
    const effects: Effect[] = [
      { kind: 'group.create', group: team },
      { kind: 'group.join', group: team.pk, userId: user.id },
    ];
    await commit(
      rig.store,
      [...effects, begin(user.id, 'leaver')],
      [{ mode: 'insert', run: run('leaver', { userId: user.id }) }],
    );
    expect(await commit(rig.store, [{ kind: 'user.delete', id: user.id }, event('deleted')])).toEqual({
      status: 'done',
    });
    expect(await loadAt(rig.store, 'leaver', start)).toMatchObject({ signedIn: null, run: null });
    expect(await rig.store.accounts.membersOf(team.pk)).toEqual([]);
  });

  it('links an identity of a source to one user only (W27)', async () => {
    const [one, two] = [await added(rig.store, 'linked'), await added(rig.store, 'thief')];
    const link = (userId: number): Effect => ({ kind: 'connection.save', userId, source: 'acme', identifier: 'x1' });
    expect(await commit(rig.store, [link(one.id)])).toEqual({ status: 'done' });
    expect(await commit(rig.store, [link(one.id)])).toEqual({ status: 'done' });
    const refusal = { reason: 'taken', effect: 'connection.save', field: 'identifier' };
    expect(await commit(rig.store, [link(two.id)])).toEqual({ status: 'refused', refusal });
  });

  it('hands out every id once, to two processes as well', async () => {
    const second = await rig.open();
    const ids = await Promise.all(
      Array.from({ length: 500 }, (_, index) => (index % 2 ? second : rig.store).newUserId()),
    );
    expect(new Set(ids).size).toBe(500);
  });
});

onEachDatabase('finding users', (rig) => {
  it('takes a username first, and an address only when one user has it', async () => {
    const plain = await added(rig.store, 'Plain', { email: 'Plain@Example.com', attributes: { upn: 'plain@corp' } });
    const address = await added(rig.store, 'plain@example.com', { email: 'other@example.com' });
    await added(rig.store, 'twin-1', { email: 'twin@example.com' });
    await added(rig.store, 'twin-2', { email: 'TWIN@example.com' });
    const find = (fields: ('username' | 'email' | 'upn')[], typed: string, exact = false) =>
      rig.store.read.userByIdentifier(fields, typed, exact);
    expect(await find(['username', 'email'], 'PLAIN')).toEqual(plain);
    expect(await find(['username', 'email'], 'PLAIN', true)).toBeNull();
    expect(await find(['email'], 'plain@example.com')).toEqual(plain);
    expect(await find(['email'], 'plain@example.com', true)).toBeNull();
    expect(await find(['email', 'username'], 'PLAIN@example.com')).toEqual(address);
    expect(await find(['email'], 'twin@example.com')).toBeNull();
    const named = (users: readonly { username: string }[]) => users.map(({ username }) => username);
    expect(named(await rig.store.read.usersByEmail('twin@example.com'))).toEqual(['twin-1', 'twin-2']);
    expect(await rig.store.read.usersByEmail('')).toEqual([]);
    expect(await find(['upn'], 'PLAIN@corp')).toEqual(plain);
    expect(await find(['username'], 'plain@corp')).toBeNull();
    expect(await find(['username', 'email', 'upn'], '')).toBeNull();
    await commit(rig.store, [{ kind: 'user.update', id: plain.id, version: 1, set: { email: '', attributes: {} } }]);
    expect(await find(['email', 'upn'], 'plain@corp')).toBeNull();
    expect(await find(['email'], 'Plain@Example.com')).toBeNull();
  });

  it('lists by search, state and page', async () => {
    const { users } = await rig.store.accounts.listUsers({});
    const names = users.map(({ username }) => username);
    expect(names).toEqual(['Plain', 'plain@example.com', 'twin-1', 'twin-2']);
    const page = await rig.store.accounts.listUsers({ page: 2, pageSize: 3 });
    expect([page.total, page.users.map(({ username }) => username)]).toEqual([4, ['twin-2']]);
    expect((await rig.store.accounts.listUsers({ search: 'TWIN@' })).total).toBe(2);
    expect((await rig.store.accounts.listUsers({ search: '%' })).total).toBe(0);
    expect((await rig.store.accounts.listUsers({ search: 'plain', isActive: false })).total).toBe(0);
    expect((await rig.store.accounts.findUser({ username: 'PLAIN' }))?.username).toBe('Plain');
  });
});

onEachDatabase('groups', (rig) => {
  it('counts a member of a child as one of all its ancestors, and stands cycles', async () => {
    const [top, middle, leaf] = [group('top'), group('middle'), group('leaf')];
    const chain = [{ ...leaf, parent: middle.pk }, { ...middle, parent: top.pk }, top];
    // The child comes first: its parent is made in the same commit.
    expect(
      await commit(
        rig.store,
        chain.map((each) => ({ kind: 'group.create', group: each })),
      ),
    ).toEqual({ status: 'done' });
    const user = await added(rig.store, 'member');
    const join: Effect = { kind: 'group.join', group: leaf.pk, userId: user.id };
    expect(await commit(rig.store, [join, join])).toEqual({ status: 'done' });
    const names = async () => (await rig.store.read.groupsOf(user.id)).map(({ name }) => name);
    expect(await names()).toEqual(['leaf', 'middle', 'top']);
    await commit(rig.store, [{ kind: 'group.update', pk: top.pk, set: { parent: leaf.pk } }]);
    expect(await names()).toEqual(['leaf', 'middle', 'top']);
    const inherited = async () =>
      (await rig.store.read.groupsOf(user.id)).filter((each) => each.inherited === true).map(({ name }) => name);
    expect(await inherited()).toEqual(['middle', 'top']);
    await commit(rig.store, [{ kind: 'group.join', group: top.pk, userId: user.id }]);
    expect(await inherited()).toEqual(['middle']);
    await commit(rig.store, [{ kind: 'group.leave', group: top.pk, userId: user.id }]);
    expect(await rig.store.accounts.hasAdministrator()).toBe(false);
    await commit(rig.store, [{ kind: 'group.update', pk: top.pk, set: { parent: null, isSuperuser: true } }]);
    expect(await rig.store.accounts.hasAdministrator()).toBe(true);
    expect(await rig.store.read.groups(['top', 'nobody', leaf.pk])).toEqual([
      { ...top, isSuperuser: true },
      null,
      { ...leaf, parent: middle.pk },
    ]);
    const other = await added(rig.store, 'another administrator');
    await commit(rig.store, [{ kind: 'group.join', group: top.pk, userId: other.id }]);
    await commit(rig.store, [{ kind: 'group.leave', group: leaf.pk, userId: user.id }]);
    expect(await names()).toEqual([]);
    const taken = await commit(rig.store, [{ kind: 'group.create', group: group('top') }]);
    expect(taken).toEqual({ status: 'refused', refusal: { reason: 'taken', effect: 'group.create', field: 'name' } });
    await commit(rig.store, [{ kind: 'group.delete', pk: middle.pk }]);
    expect(await rig.store.read.groups(['leaf'])).toEqual([leaf]);
  });
});
