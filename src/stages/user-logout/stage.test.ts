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

test('the event names who acted as the user', async () => {
  const visitor = { user: ada, impersonator: root, session: testSession(1, 'session-hash', 2) };
  const { effects } = await userLogout.enter(deskFor(userLogout, { visitor }));
  expect(effects?.[1]).toMatchObject({ event: { onBehalfOf: { pk: 2, username: 'root' } } });
});

test('LO-1: an anonymous visitor, or a run without a browser, has no session to end', async () => {
  expect(await userLogout.enter(deskFor(userLogout))).toEqual({ kind: 'pass' });
  expect(await userLogout.enter(deskFor(userLogout, { visitor: { user: ada }, unattended: true }))).toEqual({
    kind: 'pass',
  });
});
