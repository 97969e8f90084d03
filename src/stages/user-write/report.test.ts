import { describe, expect, test } from 'vitest';
import { runUserWrite, testSession } from '../../../test/support/user-write-rig.ts';
import { hashToken } from '../../kernel/ids.ts';
import { masked, Secret } from '../../kernel/secrets.ts';
import { type DeskOptions, deskTime, testUser } from '../../testing/desk.ts';
import { maskValue } from './report.ts';

const ada = testUser({ id: 1, username: 'ada' });
const bob = testUser({ id: 2, username: 'bob' });
const administrator = testUser({ id: 3, username: 'root' });
const users = [ada, bob, administrator];

describe('W35: the event', () => {
  test('tells who was written, what, where and by which source, secrets masked', async () => {
    const { accounts } = await runUserWrite({
      users,
      visitor: { user: ada },
      stage: { pk: 'pk-1', name: 'profile-write' },
      flow: { slug: 'profile', designation: 'stage_configuration' },
      context: {
        prompt_data: [
          ['name', 'Countess'],
          ['password', new Secret('n3w')],
          ['attributes.pin', new Secret('1234')],
          ['attributes.api', { a: 1 }],
          ['password_repeat', new Secret('n3w')],
        ],
        'goauthentik.io/sources/connection': { source: 'corp', identifier: '42', isNew: false },
      },
    });
    expect(accounts.events).toEqual([
      {
        action: 'user_write',
        user: { pk: 1, username: 'ada' },
        context: {
          user: { pk: 1, username: 'ada' },
          created: false,
          written: [
            { key: 'name', field: 'name' },
            { key: 'password', field: 'password' },
            { key: 'attributes.pin', field: 'attributes.pin' },
            { key: 'attributes.api', field: 'attributes.api' },
          ],
          discarded: [{ key: 'password_repeat', reason: 'unknown' }],
          groups_added: [],
          session_renewed: true,
          sessions_ended: 0,
          stage: { pk: 'pk-1', name: 'profile-write' },
          source: 'corp',
          data: { name: 'Countess', password: masked, 'attributes.pin': masked, 'attributes.api': masked },
        },
        address: '192.0.2.1',
        requestId: 'request-1',
        flow: 'profile',
        at: deskTime,
      },
    ]);
  });

  test.each(['API', 'author', 'refresh_token', 'keyboard', 'client_secret', 'passport', 'signature'])(
    'masks values by the name %s, also inside a value',
    (name) => {
      expect(maskValue(name, 'x')).toBe(masked);
      expect(maskValue('plain', [{ [name]: 'x', other: 'y' }])).toEqual([{ [name]: masked, other: 'y' }]);
    },
  );

  test('names the visitor where they wrote another user', async () => {
    const context = { pending_user: { ref: 2 }, prompt_data: { name: 'Robert' } };
    const { accounts } = await runUserWrite({ users, visitor: { user: ada }, context });
    expect(accounts.events[0]).toMatchObject({ user: { pk: 2 }, context: { authenticated_as: { pk: 1 } } });
  });

  test('W37, UW-53: names the impersonator, and on whose behalf', async () => {
    const context = { prompt_data: { name: 'Countess' } };
    const { accounts } = await runUserWrite({ users, visitor: { user: ada, impersonator: administrator }, context });
    expect(accounts.events[0]).toMatchObject({
      user: { pk: 3, username: 'root' },
      onBehalfOf: { pk: 1 },
      context: { user: { pk: 1 } },
    });
  });
});

describe('W36, D-15: a password written to an existing user', () => {
  const sessions = [
    testSession(1, 'own'),
    testSession(1, 'phone'),
    testSession(1, 'tablet'),
    testSession(1, 'acted-as', 3),
    testSession(2, "bob's"),
  ];
  const own = sessions[0] ?? null;
  const write = (options: DeskOptions, data: object = { password: 'n3w' }) =>
    runUserWrite({ users, sessions, ...options, context: { ...options.context, prompt_data: data as never } });
  const hashes = (ended: Awaited<ReturnType<typeof write>>) =>
    ended.accounts.sessions.map(({ tokenHash }) => tokenHash);

  test('ends their other sessions and renews their own under a new token', async () => {
    const ended = await write({ visitor: { user: ada, session: own } });
    const token =
      ended.outcome.kind === 'pass' && ended.outcome.session?.kind === 'renew' ? ended.outcome.session.token : '';
    expect(hashes(ended)).toEqual([hashToken(token), 'acted-as', "bob's"]);
    expect(ended.report).toMatchObject({ session_renewed: true, sessions_ended: 2 });
  });

  test('the same password again counts too', async () => {
    const ended = await write({ visitor: { user: ada, session: own }, passwords: { ada: 'n3w' } });
    expect(ended.report).toMatchObject({ session_renewed: true, sessions_ended: 2 });
  });

  test('by somebody else ends them all, and leaves that visitor alone', async () => {
    const visitor = { user: bob, session: sessions[4] ?? null };
    const ended = await write({ visitor, context: { pending_user: { ref: 1 } } });
    expect(hashes(ended)).toEqual(['acted-as', "bob's"]);
    expect(ended.report).toMatchObject({ session_renewed: false, sessions_ended: 3 });
    expect(ended.outcome).not.toHaveProperty('session');
  });

  test('by an anonymous visitor who recovers the account ends them all', async () => {
    const ended = await write({ context: { pending_user: { ref: 1 } } });
    expect(hashes(ended)).toEqual(['acted-as', "bob's"]);
  });

  test('W37: while impersonating no session of the impersonator is touched', async () => {
    const ended = await write({ visitor: { user: ada, impersonator: administrator, session: sessions[3] ?? null } });
    expect(hashes(ended)).toEqual(['acted-as', "bob's"]);
    expect(ended.report).toMatchObject({ session_renewed: false, sessions_ended: 3 });
  });

  test('without a browser the report says what would happen to the session', async () => {
    const ended = await write({ visitor: { user: ada, session: null }, unattended: true });
    expect(ended.report?.session_renewed).toBe(true);
    expect(ended.outcome).not.toHaveProperty('session');
  });

  test('no other key touches a session', async () => {
    const data = { name: 'N', password_repeat: 'x', 'attributes.password_hint': 'y' };
    expect(hashes(await write({ visitor: { user: ada, session: own } }, data))).toHaveLength(5);
  });

  test('W38, D-15: enrollment renews none', async () => {
    const ended = await write({}, { username: 'new', password: 'n3w' });
    expect(hashes(ended)).toHaveLength(5);
    expect(ended.report).toMatchObject({ created: true, session_renewed: false, sessions_ended: 0 });
  });
});

test('W39: the report goes with the outcome', async () => {
  const { outcome } = await runUserWrite({ context: { prompt_data: { username: 'new', x: 1 } } });
  expect(outcome).toMatchObject({
    kind: 'pass',
    report: {
      user: { pk: 1, username: 'new' },
      created: true,
      written: [{ key: 'username', field: 'username' }],
      discarded: [{ key: 'x', reason: 'unknown' }],
      groups_added: [],
      session_renewed: false,
      sessions_ended: 0,
    },
  });
});
