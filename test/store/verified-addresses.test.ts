import { describe, expect, it } from 'vitest';
import type { Effect } from '../../src/engine/effects.ts';
import type { IdentifierField } from '../../src/engine/identifier.ts';
import type { User } from '../../src/engine/user.ts';
import { added, commit, create, draft, given, onEachDatabase, start } from './databases.ts';

const verified = { emailVerifiedAt: start };
const taken = (effect: Effect['kind']) => ({
  status: 'refused',
  refusal: { reason: 'taken', effect, field: 'username' },
});
const proof = (id: number, email: string, at = start + 1): Effect => ({ kind: 'user.email_verified', id, email, at });

onEachDatabase('verified addresses', (rig) => {
  const now = async ({ id }: User): Promise<User> => given(await rig.store.read.user(id));
  const update = async (user: User, set: Extract<Effect, { kind: 'user.update' }>['set']) => {
    const { version } = await now(user);
    return commit(rig.store, [{ kind: 'user.update', id: user.id, version, set }]);
  };
  const named = async (typed: string, fields: readonly IdentifierField[] = ['username', 'email'], exact = false) =>
    (await rig.store.read.userByIdentifier(fields, typed, exact))?.username ?? null;

  describe('whom an address means (decision 17, CONTRACT: Store)', () => {
    it('the one who verified it, however many others claim it', async () => {
      const email = 'ada@example.com';
      await added(rig.store, 'ada-before', { email });
      await added(rig.store, 'ada', { email, ...verified });
      for (const count of [1, 2, 3]) await added(rig.store, `ada-after-${count}`, { email: email.toUpperCase() });
      for (const typed of [email, 'ADA@example.com', 'ａｄａ@example.com']) expect(await named(typed)).toBe('ada');
      expect(await named(email, ['email'], true)).toBe('ada');
      expect(await named('ADA@example.com', ['email'], true)).toBeNull();
      expect((await rig.store.read.usersByEmail(email))[0]?.username).toBe('ada');
    });

    it('nobody, where several verified it; their own usernames are still theirs', async () => {
      const email = 'office@example.com';
      await added(rig.store, 'office-1', { email, ...verified });
      await added(rig.store, 'office-2', { email, ...verified });
      await added(rig.store, 'office-3', { email });
      expect(await named(email)).toBeNull();
      expect(await named('office-2')).toBe('office-2');
    });

    it('before anybody called like it; but whoever is called like it and verified it comes first', async () => {
      const email = 'bea@example.com';
      const thief = await added(rig.store, email, { email: 'thief@example.com', attributes: { upn: email } });
      expect(await named(email)).toBe(email);
      const bea = await added(rig.store, 'bea', { email, ...verified });
      expect(await named(email)).toBe('bea');
      expect(await named(email, ['upn', 'email', 'username'])).toBe('bea');
      expect(await named(email, ['username'])).toBe(email);
      await update(bea, { email: 'bea@example.org' });
      await update(thief, { email, emailVerifiedAt: start });
      await added(rig.store, 'bea-too', { email, ...verified });
      expect(await named(email)).toBe(email);
    });

    it('who is called like it, then its only holder, while nobody verified it', async () => {
      const email = 'cleo@example.com';
      await added(rig.store, 'cleo', { email });
      expect(await named(email)).toBe('cleo');
      await added(rig.store, email, {});
      expect(await named(email)).toBe(email);
      expect(await named(email, ['email'])).toBe('cleo');
      await added(rig.store, 'cleo-2', { email });
      expect(await named(email, ['email'])).toBeNull();
    });
  });

  describe('the mark', () => {
    it('goes with its address: another one has none, the same one in other letters keeps it', async () => {
      const user = await added(rig.store, 'dora', { email: 'dora@example.com', ...verified });
      await update(user, { name: 'Dora', email: 'DORA@example.com' });
      expect(await now(user)).toMatchObject({ email: 'DORA@example.com', emailVerifiedAt: start });
      await update(user, { name: 'D' });
      expect((await now(user)).emailVerifiedAt).toBe(start);
      await update(user, { email: 'dora@example.org' });
      expect((await now(user)).emailVerifiedAt).toBeNull();
      await update(user, { email: 'dora@example.net', emailVerifiedAt: start + 5 });
      expect((await now(user)).emailVerifiedAt).toBe(start + 5);
      await update(user, { email: '' });
      expect((await now(user)).emailVerifiedAt).toBeNull();
    });

    it('is set by a proof of the address that is the user’s now, and stays as old as the first proof', async () => {
      const user = await added(rig.store, 'eva', { email: 'Eva@example.com' });
      await commit(rig.store, [proof(user.id, 'other@example.com')]);
      expect((await now(user)).emailVerifiedAt).toBeNull();
      expect(await commit(rig.store, [proof(user.id, 'eva@EXAMPLE.com')])).toEqual({ status: 'done' });
      expect(await now(user)).toEqual({ ...user, emailVerifiedAt: start + 1 });
      await commit(rig.store, [proof(user.id, 'eva@example.com', start + 9)]);
      expect((await now(user)).emailVerifiedAt).toBe(start + 1);
    });

    it('is written with a sign-in, a new password and an update of the same commit', async () => {
      const user = await added(rig.store, 'fay', { email: 'fay@example.com' });
      const { id } = user;
      expect(
        await commit(rig.store, [
          proof(id, user.email),
          { kind: 'user.seen', id, at: start + 2 },
          { kind: 'password.set', userId: id, hash: 'one', at: start + 3 },
        ]),
      ).toEqual({ status: 'done' });
      const times = { lastLogin: start + 2, passwordChangedAt: start + 3 };
      expect(await now(user)).toMatchObject({ ...times, emailVerifiedAt: start + 1, version: 1 });
      const other = await added(rig.store, 'gil', { email: 'gil@example.com', isActive: false });
      const wake: Effect = { kind: 'user.update', id: other.id, version: 1, set: { isActive: true } };
      expect(await commit(rig.store, [proof(other.id, other.email), wake])).toEqual({ status: 'done' });
      expect(await now(other)).toMatchObject({ isActive: true, emailVerifiedAt: start + 1 });
      const moved = await added(rig.store, 'hal', { email: 'hal@example.com' });
      const set = { email: 'hal@example.org' };
      const move: Effect = { kind: 'user.update', id: moved.id, version: 1, set };
      await commit(rig.store, [proof(moved.id, moved.email), move]);
      expect(await now(moved)).toMatchObject({ ...set, emailVerifiedAt: null });
    });

    it('stays with who verified the address first', async () => {
      const email = 'ida@example.com';
      const [owner, other] = [await added(rig.store, 'ida', { email }), await added(rig.store, 'ida-2', { email })];
      await commit(rig.store, [proof(owner.id, email)]);
      expect(await commit(rig.store, [proof(other.id, email)])).toEqual({ status: 'done' });
      expect((await now(other)).emailVerifiedAt).toBeNull();
      expect(await named(email)).toBe('ida');
    });
  });

  describe('CVE-2026-19607 a username that is an address', () => {
    it('is refused in the commit where somebody else verified it, and free to who did', async () => {
      const email = 'Jo@example.com';
      const jo = await added(rig.store, 'jo', { email, ...verified });
      const thief = await added(rig.store, 'jo-thief');
      for (const username of [email, 'JO@EXAMPLE.COM', 'ｊｏ@example.com', 'jo＠example.com']) {
        expect(await update(thief, { username })).toEqual(taken('user.update'));
        const made = create(await draft(rig.store, username, { email: 'thief@example.com' }), 'hash');
        expect(await commit(rig.store, [made])).toEqual(taken('user.create'));
      }
      expect(await now(thief)).toMatchObject({ username: 'jo-thief', version: 1 });
      expect(await update(jo, { username: 'jo@example.com' })).toEqual({ status: 'done' });
      expect(await now(jo)).toMatchObject({ username: 'jo@example.com', version: 2 });
    });

    it('of which nobody verified the address is free', async () => {
      await added(rig.store, 'kim', { email: 'kim@example.com' });
      const user = await added(rig.store, 'kim-2');
      expect(await update(user, { username: 'kim@example.com' })).toEqual({ status: 'done' });
    });

    it('that somebody had before the address was verified may be written with them again', async () => {
      const email = 'lea@example.com';
      const before = await added(rig.store, email);
      await added(rig.store, 'lea', { email, ...verified });
      expect(await update(before, { username: email.toUpperCase(), name: 'Lea' })).toEqual({ status: 'done' });
      expect(await update(before, { username: 'lea-before' })).toEqual({ status: 'done' });
      expect(await update(before, { username: email })).toEqual(taken('user.update'));
    });

    it('means the owner however a proof and the taking of the name meet', async () => {
      const second = await rig.open();
      for (let round = 0; round < 8; round += 1) {
        const email = `lou-${round}@example.com`;
        const owner = await added(rig.store, `lou-${round}`, { email });
        const thief = await added(rig.store, `thief-${round}`);
        const set = { username: email };
        const taking: Effect = { kind: 'user.update', id: thief.id, version: 1, set };
        const maker = create(await draft(second, email.toUpperCase()), 'hash');
        const answers = await Promise.all([
          commit(second, [taking]),
          commit(rig.store, [proof(owner.id, email)]),
          commit(second, [maker]),
        ]);
        expect(answers[1]).toEqual({ status: 'done' });
        for (const answer of [answers[0], answers[2]]) expect(['done', 'refused']).toContain(answer.status);
        for (const fields of [['username', 'email'], ['email', 'username'], ['email']] as const)
          expect(await named(email, fields)).toBe(owner.username);
      }
    });
  });
});
