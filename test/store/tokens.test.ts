import { describe, expect, it } from 'vitest';
import type { Effect } from '../../src/engine/effects.ts';
import type { Token } from '../../src/engine/user.ts';
import { newUuid } from '../../src/kernel/ids.ts';
import { added, begin, commit, counted, event, loadAt, onEachDatabase, start } from './databases.ts';

function token(userId: number, hash: string, more: Partial<Token> = {}): Token {
  return {
    ...{ hash, uuid: newUuid(), purpose: 'recovery', flow: 'a-flow', userId, createdAt: start },
    ...{ expiresAt: start + 1000, description: '', ...more },
  };
}

function make(userId: number, hash: string, more: Partial<Token> = {}): Effect {
  return { kind: 'token.create', token: token(userId, hash, more) };
}

onEachDatabase('tokens', (rig) => {
  describe('a one-time link', () => {
    it('takes the place of the older one of the same user and purpose, and of no other', async () => {
      const [ada, bob] = [await added(rig.store, 'link-ada'), await added(rig.store, 'link-bob')];
      await commit(rig.store, [make(ada.id, 'ada-1'), make(bob.id, 'bob-1')]);
      await commit(rig.store, [make(ada.id, 'ada-other', { purpose: 'verification' })]);
      const newer = token(ada.id, 'ada-2', { flow: 'other-flow', expiresAt: start + 5, description: 'newer' });
      await commit(rig.store, [{ kind: 'token.create', token: newer }]);
      expect(await rig.store.read.token('ada-1')).toBeNull();
      expect(await rig.store.read.token('ada-2')).toEqual(newer);
      expect(await rig.store.read.token('bob-1')).not.toBeNull();
      expect(await rig.store.read.token('ada-other')).not.toBeNull();
    });

    it('is used once: of 50 at the same time one wins, and only that one writes', async () => {
      const user = await added(rig.store, 'link-race');
      await commit(rig.store, [make(user.id, 'race')]);
      const claims = Array.from({ length: 50 }, () =>
        commit(rig.store, [
          { kind: 'password.set', userId: user.id, hash: 'h', at: start },
          { kind: 'token.claim', hash: 'race', at: start },
          event('claimed'),
        ]),
      );
      expect(counted(await Promise.all(claims))).toEqual({ done: 1, 'refused used': 49 });
      expect(await rig.store.accounts.listEvents({ action: 'claimed' })).toHaveLength(1);
    });

    it('is refused once it has expired, and purged', async () => {
      const user = await added(rig.store, 'link-late');
      await commit(rig.store, [make(user.id, 'late')]);
      const claim: Effect = { kind: 'token.claim', hash: 'late', at: start + 1000 };
      expect(await commit(rig.store, [claim])).toEqual({
        status: 'refused',
        refusal: { reason: 'used', effect: 'token.claim' },
      });
      await rig.store.accounts.purge(start + 1000);
      expect(await rig.store.read.token('late')).toBeNull();
    });
  });

  it('programs have as many as they like; they go one by one, or with their user', async () => {
    const user = await added(rig.store, 'program');
    const api = { purpose: 'api', flow: null } as const;
    const second = token(user.id, 'api-2', { ...api, createdAt: start + 1, description: 'nightly' });
    await commit(rig.store, [make(user.id, 'api-1', api)]);
    await commit(rig.store, [{ kind: 'token.create', token: second }]);
    const listed = await rig.store.accounts.listTokens('api');
    expect(listed).toMatchObject([{ description: 'nightly', username: 'program' }, { username: 'program' }]);
    expect(listed.every((one) => !('hash' in one))).toBe(true);
    expect(await commit(rig.store, [{ kind: 'token.revoke', uuid: second.uuid }])).toEqual({ status: 'done' });
    expect(await commit(rig.store, [{ kind: 'token.revoke', uuid: second.uuid }])).toMatchObject({ status: 'refused' });
    await commit(rig.store, [{ kind: 'user.delete', id: user.id }]);
    expect(await rig.store.accounts.listTokens('api')).toEqual([]);
    expect(await commit(rig.store, [make(999_999, 'nobody')])).toMatchObject({
      refusal: { reason: 'missing', effect: 'token.create' },
    });
  });

  describe('a session in which an administrator acts as a user', () => {
    it('ends with the session that it leads back to, and follows its new id', async () => {
      const [root, ada] = [await added(rig.store, 'acting-root'), await added(rig.store, 'acted-ada')];
      await commit(rig.store, [begin(root.id, 'own')]);
      const acting = { impersonatorId: root.id, returnsTo: 'own' };
      await commit(rig.store, [begin(ada.id, 'acting', acting)]);
      await commit(rig.store, [{ kind: 'session.renew', from: 'own', to: 'own-2' }]);
      const loaded = await loadAt(rig.store, 'acting', start);
      expect(loaded.signedIn).toMatchObject({
        user: { id: ada.id },
        impersonator: { id: root.id },
        session: { returnsTo: 'own-2' },
      });
      await commit(rig.store, [{ kind: 'session.end_all', userId: root.id, except: null }]);
      expect((await loadAt(rig.store, 'acting', start)).signedIn).toBeNull();
      expect(await commit(rig.store, [begin(ada.id, 'too-late', acting)])).toMatchObject({
        refusal: { reason: 'missing', effect: 'session.begin' },
      });
    });
  });

  it('events are found by who did them and on whose behalf, from, until and after (UW-53)', async () => {
    const [root, ada] = [await added(rig.store, 'event-root'), await added(rig.store, 'event-ada')];
    const of = ({ id, username }: typeof ada) => ({ pk: id, username });
    await commit(rig.store, [event('find', { user: of(ada), at: start + 1 })]);
    await commit(rig.store, [event('find', { user: of(root), onBehalfOf: of(ada), at: start + 2 })]);
    await commit(rig.store, [event('find', { user: of(root), at: start + 3 })]);
    const times = async (filter: object): Promise<readonly number[]> =>
      (await rig.store.accounts.listEvents({ action: 'find', ...filter })).map(({ at }) => at - start);
    expect(await times({})).toEqual([3, 2, 1]);
    expect(await times({ userId: ada.id })).toEqual([2, 1]);
    expect(await times({ userId: root.id })).toEqual([3, 2]);
    expect(await times({ since: start + 2, until: start + 3 })).toEqual([2]);
    expect(await times({ limit: 1, offset: 1 })).toEqual([2]);
    expect(await rig.store.accounts.countEvents({ action: 'find', userId: ada.id })).toBe(2);
    const [newest] = await rig.store.accounts.listEvents({ action: 'find' });
    expect(await times({ after: newest?.id ?? 0 })).toEqual([]);
    expect(await times({ after: (newest?.id ?? 0) - 1 })).toEqual([3]);
  });
});
