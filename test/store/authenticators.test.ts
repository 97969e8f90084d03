import { expect, it } from 'vitest';
import type { AuthenticatorUse, NewAuthenticator } from '../../src/engine/authenticator.ts';
import type { Effect } from '../../src/engine/effects.ts';
import { newUuid } from '../../src/kernel/ids.ts';
import { Secret } from '../../src/kernel/secrets.ts';
import { openDriver } from '../../src/store/open.ts';
import { sql } from '../../src/store/sql.ts';
import {
  added,
  begin,
  commit,
  counted,
  event,
  given,
  loadAt,
  newerKeys,
  onEachDatabase,
  type Rig,
  start,
} from './databases.ts';

const key = 'JBSWY3DPEHPK3PXP';

function app(userId: number, more: Partial<NewAuthenticator> = {}): NewAuthenticator {
  return {
    ...{ uuid: newUuid(), userId, kind: 'totp', name: 'Phone', createdAt: start, lastUsedAt: null, credential: null },
    ...{ secret: new Secret(key), data: { digits: 6, drift: 0 }, counter: 100, codes: [], ...more },
  };
}

const add = (authenticator: NewAuthenticator): Effect => ({ kind: 'authenticator.add', authenticator });

function use({ uuid, userId }: NewAuthenticator, how: AuthenticatorUse): Effect {
  return { kind: 'authenticator.use', uuid, userId, use: how, at: start + 1 };
}

/** What stands in the columns of one authenticator. */
async function columnsOf({ database }: Rig, uuid: string): Promise<string> {
  const driver = await openDriver(database);
  const rows = await driver.read(sql`SELECT secret, data FROM doorward_authenticator WHERE uuid = ${uuid}`);
  await driver.close();
  return JSON.stringify(rows);
}

onEachDatabase('authenticators', (rig) => {
  it("are their user's alone, the oldest first, and gone with the user", async () => {
    const [ada, bob] = [await added(rig.store, 'app-ada'), await added(rig.store, 'app-bob')];
    const [older, newer, other] = [app(ada.id), app(ada.id, { createdAt: start + 1 }), app(bob.id)];
    await commit(rig.store, [add(newer), add(older), add(other)]);
    const { codes: _, ...kept } = older;
    const found = await rig.store.read.authenticatorsOf(ada.id);
    expect(found.map(({ uuid }) => uuid)).toEqual([older.uuid, newer.uuid]);
    expect(found[0]).toEqual({ ...kept, codesLeft: 0 });
    const foreign: Effect = { kind: 'authenticator.remove', uuid: older.uuid, userId: bob.id };
    expect(counted([await commit(rig.store, [foreign])])).toEqual({ 'refused missing': 1 });
    const renamed: Effect = { kind: 'authenticator.rename', uuid: older.uuid, userId: ada.id, name: 'Old phone' };
    await commit(rig.store, [renamed, { kind: 'authenticator.remove', uuid: newer.uuid, userId: ada.id }]);
    expect((await rig.store.read.authenticatorsOf(ada.id)).map(({ name }) => name)).toEqual(['Old phone']);
    await commit(rig.store, [{ kind: 'user.delete', id: ada.id }]);
    expect(await rig.store.read.authenticatorsOf(ada.id)).toEqual([]);
    expect(await rig.store.read.authenticatorsOf(bob.id)).toHaveLength(1);
  });

  it('have their secret sealed at rest, for their own place, and none when its key is gone', async () => {
    const user = await added(rig.store, 'app-sealed');
    const [one, other] = [app(user.id), app(user.id, { createdAt: start + 1, secret: new Secret('another') })];
    await commit(rig.store, [add(one), add(other)]);
    expect(await columnsOf(rig, one.uuid)).not.toContain(key);
    expect((await rig.store.read.authenticatorsOf(user.id)).map(({ secret }) => secret?.reveal())).toEqual([
      key,
      'another',
    ]);
    const { database } = rig;
    const driver = await openDriver(database);
    await driver.write(sql`
      UPDATE doorward_authenticator SET secret = (SELECT secret FROM doorward_authenticator WHERE uuid = ${other.uuid})
      WHERE uuid = ${one.uuid} RETURNING uuid`);
    await driver.close();
    const [moved, stayed] = await rig.store.read.authenticatorsOf(user.id);
    expect([moved?.secret, stayed?.secret?.reveal()]).toEqual([null, 'another']);
  });

  it('a time step is taken once: of 50 at the same time one wins, and none goes back (HackerOne 3692149)', async () => {
    const user = await added(rig.store, 'app-race');
    const authenticator = app(user.id);
    await commit(rig.store, [add(authenticator)]);
    const data = { digits: 6, drift: 1 };
    const race = Array.from({ length: 50 }, () =>
      commit(rig.store, [use(authenticator, { step: 101, data }), event('stepped')]),
    );
    expect(counted(await Promise.all(race))).toEqual({ done: 1, 'refused used': 49 });
    expect(await rig.store.accounts.listEvents({ action: 'stepped' })).toHaveLength(1);
    expect(await rig.store.read.authenticatorsOf(user.id)).toMatchObject([
      { counter: 101, data, lastUsedAt: start + 1 },
    ]);
    for (const step of [99, 100, 101])
      expect(counted([await commit(rig.store, [use(authenticator, { step, data })])])).toEqual({ 'refused used': 1 });
    expect(counted([await commit(rig.store, [use(authenticator, { step: 102, data })])])).toEqual({ done: 1 });
  });

  it('a recovery code is good once, of 50 at the same time too, and for its own user', async () => {
    const [ada, bob] = [await added(rig.store, 'code-ada'), await added(rig.store, 'code-bob')];
    const codes = app(ada.id, { kind: 'static', secret: null, data: {}, counter: 0, codes: ['hash-1', 'hash-2'] });
    await commit(rig.store, [add(codes)]);
    expect(await rig.store.read.authenticatorsOf(ada.id)).toMatchObject([{ codesLeft: 2, secret: null }]);
    const stolen = use({ ...codes, userId: bob.id }, { code: 'hash-1' });
    expect(counted([await commit(rig.store, [stolen])])).toEqual({ 'refused used': 1 });
    expect(await rig.store.read.recoveryCodes(codes.uuid)).toHaveLength(2);
    const race = Array.from({ length: 50 }, () => commit(rig.store, [use(codes, { code: 'hash-1' })]));
    expect(counted(await Promise.all(race))).toEqual({ done: 1, 'refused used': 49 });
    expect(await rig.store.read.recoveryCodes(codes.uuid)).toEqual(['hash-2']);
    expect(await rig.store.read.authenticatorsOf(ada.id)).toMatchObject([{ codesLeft: 1, lastUsedAt: start + 1 }]);
  });

  it('a passkey is known once, its counter goes up only, or stays at nought', async () => {
    const [ada, bob] = [await added(rig.store, 'key-ada'), await added(rig.store, 'key-bob')];
    const passkey = (userId: number, credential: string, counter: number) =>
      app(userId, { kind: 'webauthn', secret: null, data: { public_key: 'p' }, credential, counter });
    const [counting, synced] = [passkey(ada.id, 'credential-1', 7), passkey(ada.id, 'credential-2', 0)];
    await commit(rig.store, [add(counting), add(synced)]);
    expect(await commit(rig.store, [add(passkey(bob.id, 'credential-1', 0))])).toEqual({
      status: 'refused',
      refusal: { reason: 'taken', effect: 'authenticator.add', field: 'credential' },
    });
    expect(await rig.store.read.authenticatorByCredential('credential-1')).toMatchObject({ userId: ada.id });
    expect(await rig.store.read.authenticatorByCredential('credential-3')).toBeNull();
    const after = async (authenticator: NewAuthenticator, signatures: number) =>
      counted([await commit(rig.store, [use(authenticator, { signatures })])]);
    expect(await after(counting, 7)).toEqual({ 'refused used': 1 });
    expect(await after(counting, 0)).toEqual({ 'refused used': 1 });
    expect(await after(counting, 8)).toEqual({ done: 1 });
    expect(await after(synced, 0)).toEqual({ done: 1 });
  });

  it('need their user', async () => {
    expect(await commit(rig.store, [add(app(987_654))])).toEqual({
      status: 'refused',
      refusal: { reason: 'missing', effect: 'authenticator.add' },
    });
  });

  it('a session notes which were used', async () => {
    const user = await added(rig.store, 'app-session');
    await commit(rig.store, [begin(user.id, 'noted', { factors: ['totp', 'webauthn'] })]);
    expect(given((await loadAt(rig.store, 'noted', start)).signedIn).session.factors).toEqual(['totp', 'webauthn']);
  });

  it('keep their secret while keys are rotated', async () => {
    const user = await added(rig.store, 'app-rotated');
    await commit(rig.store, [add(app(user.id))]);
    const rotated = await rig.open({ secretKey: newerKeys });
    expect((await rotated.read.authenticatorsOf(user.id))[0]?.secret?.reveal()).toBe(key);
    const newer = await rig.open({ secretKey: newerKeys.split(',')[0] ?? '' });
    expect((await newer.read.authenticatorsOf(user.id))[0]?.secret).toBeNull();
  });
});
