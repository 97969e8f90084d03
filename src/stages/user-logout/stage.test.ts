import { expect, test } from 'vitest';
import { testSession } from '../../../test/support/user-write-rig.ts';
import { deskFor, testUser } from '../../testing/desk.ts';
import { userLogout } from './stage.ts';

const ada = testUser({ id: 1, username: 'ada' });
const root = testUser({ id: 2, username: 'root' });

test("LO-1: ends the visitor's session, tells it and goes on", async () => {
  const visitor = { user: ada, session: testSession(1, 'session-hash') };
  expect(await userLogout.enter(deskFor(userLogout, { visitor }))).toMatchObject({
    kind: 'pass',
    session: { kind: 'end' },
    effects: [
      { kind: 'session.end', tokenHash: 'session-hash' },
      { kind: 'event', event: { action: 'logout', user: { pk: 1, username: 'ada' }, flow: 'test-flow' } },
    ],
  });
});

test('an administrator who acts as the user is signed out too, and named by the events (UW-53)', async () => {
  const session = { ...testSession(1, 'session-hash', 2), returnsTo: 'own-session' };
  const { effects } = await userLogout.enter(
    deskFor(userLogout, { visitor: { user: ada, impersonator: root, session } }),
  );
  const both = { user: { pk: 2, username: 'root' }, onBehalfOf: { pk: 1, username: 'ada' } };
  expect(effects).toMatchObject([
    { kind: 'session.end', tokenHash: 'session-hash' },
    { kind: 'session.end', tokenHash: 'own-session' },
    { event: { action: 'impersonation_ended', ...both } },
    { event: { action: 'logout', ...both } },
  ]);
});

test('LO-1: an anonymous visitor, or a run without a browser, has no session to end', async () => {
  expect(await userLogout.enter(deskFor(userLogout))).toEqual({ kind: 'pass' });
  expect(await userLogout.enter(deskFor(userLogout, { visitor: { user: ada }, unattended: true }))).toEqual({
    kind: 'pass',
  });
});
