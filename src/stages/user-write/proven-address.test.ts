import { describe, expect, test } from 'vitest';
import { runUserWrite } from '../../../test/support/user-write-rig.ts';
import { type DeskOptions, deskTime, testUser } from '../../testing/desk.ts';

const email = 'ada@example.com';
const ada = testUser({ id: 1, username: 'ada', email, emailVerifiedAt: 5 });
const bob = testUser({ id: 2, username: 'bob', email: 'bob@example.com' });
const signedIn: DeskOptions = { users: [ada, bob], visitor: { user: ada } };
const generic = 'Failed to update user. Please try again later.';

describe('CONTRACT 1: the address that a run proved', () => {
  const proven = { 'doorward/proven_email': 'new@example.com' };

  test('is marked as verified where it is written, for a new user and for one who had another', async () => {
    const prompt_data = { username: 'new', email: 'new@example.com' };
    const made = await runUserWrite({ context: { ...proven, prompt_data } });
    expect(made.accounts.user('new')).toMatchObject({ email: 'new@example.com', emailVerifiedAt: deskTime });
    expect(made.outcome).toMatchObject({
      effects: expect.arrayContaining([
        expect.objectContaining({
          kind: 'hook.user_write',
          written: expect.objectContaining({
            changes: expect.objectContaining({ email_verified: { before: false, after: true } }),
          }),
        }),
      ]),
    });
    const moved = await runUserWrite({
      ...signedIn,
      context: { ...proven, prompt_data: { email: 'new@example.com' } },
    });
    expect(moved.accounts.user('ada')).toMatchObject({ email: 'new@example.com', emailVerifiedAt: deskTime });
  });

  test('marks no other address, and none that stays as it is', async () => {
    const other = { ...proven, prompt_data: { username: 'new', email: 'other@example.com' } };
    expect((await runUserWrite({ context: other })).message).toBe(generic);
    const none = await runUserWrite({ context: { ...proven, prompt_data: { username: 'new' } } });
    expect(none.accounts.user('new')).toMatchObject({ email: '', emailVerifiedAt: null });
    const context = { 'doorward/proven_email': 'bob@example.com', prompt_data: { name: 'Bob' } };
    const kept = await runUserWrite({ ...signedIn, visitor: { user: bob }, context });
    expect(kept.accounts.user('bob')).toMatchObject({ name: 'Bob', emailVerifiedAt: null });
  });

  test('an address that nobody proved takes the mark away, the same one in other letters does not', async () => {
    const write = async (address: string) =>
      (await runUserWrite({ ...signedIn, context: { prompt_data: { email: address } } })).accounts.user('ada');
    expect(await write('ada@example.org')).toMatchObject({ email: 'ada@example.org', emailVerifiedAt: null });
    expect(await write('')).toMatchObject({ email: '', emailVerifiedAt: null });
    for (const same of ['ADA@EXAMPLE.COM', 'ａｄａ@example.com'])
      expect(await write(same)).toMatchObject({ email: same, emailVerifiedAt: 5 });
  });
});

describe('W11c: email_verified', () => {
  const said = (email_verified: unknown, more: object = {}) => ({
    'doorward/trusted_addresses': true,
    prompt_data: { username: 'new', email, email_verified, ...more },
  });

  test.each([
    [true, deskTime],
    ['true', deskTime],
    [false, null],
    ['false', null],
  ])('%j counts in an unattended run with trusted addresses', async (value, emailVerifiedAt) => {
    const { accounts, report } = await runUserWrite({ context: said(value) as never, unattended: true });
    expect(accounts.user('new')).toMatchObject({ email, emailVerifiedAt });
    expect(report).toMatchObject({
      discarded: [],
      written: expect.arrayContaining([{ key: 'email_verified', field: 'email_verified' }]),
    });
    expect(accounts.user('new')?.attributes).toEqual({});
  });

  test('W31: said again of an address that is marked writes nothing', async () => {
    const { outcome, accounts } = await runUserWrite({
      ...{ users: [ada], unattended: true },
      context: { ...(said(true, { username: 'ada' }) as object), pending_user: { ref: ada.id } } as never,
    });
    expect(outcome).not.toMatchObject({
      effects: expect.arrayContaining([expect.objectContaining({ kind: 'user.update' })]),
    });
    expect(accounts.user('ada')).toMatchObject({ emailVerifiedAt: 5, version: 1 });
  });

  test('W21: says nothing anywhere else, and is an attribute where it is asked as one', async () => {
    const attended = await runUserWrite({ context: said(true) as never });
    const untrusted = { unattended: true, context: { prompt_data: said(true).prompt_data } } as never;
    for (const { accounts, report } of [attended, await runUserWrite(untrusted)]) {
      expect(report?.discarded).toEqual([{ key: 'email_verified', reason: 'unknown' }]);
      expect(accounts.user('new')?.emailVerifiedAt).toBeNull();
    }
    const prompt_data = { 'attributes.email_verified': true, email_verified_at: 1, emailVerifiedAt: 1 };
    const asAttribute = await runUserWrite({ ...signedIn, visitor: { user: bob }, context: { prompt_data } });
    expect(asAttribute.accounts.user('bob')).toMatchObject({
      attributes: { email_verified: true },
      emailVerifiedAt: null,
    });
  });

  test.each([['yes'], [1], [null], [{}]])('%j refuses the write', async (value) => {
    expect((await runUserWrite({ context: said(value) as never, unattended: true })).message).toBe(generic);
  });

  test.each([[''], ['ada']])(
    'of the address %j refuses the write: it would name its user before a username does',
    async (address) => {
      const context = said(true, { email: address }) as never;
      expect((await runUserWrite({ context, unattended: true })).message).toBe(generic);
    },
  );
});

describe('W32, CVE-2026-19607: a username that is somebody else’s address', () => {
  const claimed = testUser({ id: 3, username: 'claims', email });
  const wish = (user: typeof ada, users: readonly (typeof ada)[]) =>
    runUserWrite({ users, visitor: { user }, context: { prompt_data: { username: email.toUpperCase() } } });

  test('is taken, whether or not they verified it', async () => {
    for (const owner of [ada, { ...ada, emailVerifiedAt: null }]) {
      const { accounts, message } = await wish(bob, [owner, bob]);
      expect([message, accounts.user('bob')?.version]).toEqual([generic, 1]);
    }
  });

  test('is free to who verified it, though others claim it; not where another one verified it, too', async () => {
    expect((await wish(ada, [claimed, ada])).accounts.user(email.toUpperCase())?.id).toBe(1);
    expect((await wish(ada, [{ ...claimed, emailVerifiedAt: 6 }, ada])).message).toBe(generic);
    expect((await wish(claimed, [claimed, ada])).message).toBe(generic);
  });
});
