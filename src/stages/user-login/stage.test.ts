import { describe, expect, test } from 'vitest';
import { testSession } from '../../../test/support/user-write-rig.ts';
import type { Outcome } from '../../engine/stage.ts';
import { hashToken } from '../../kernel/ids.ts';
import { type DeskOptions, deskFor, deskTime, testUser } from '../../testing/desk.ts';
import { browserSessionIdleMs, browserSessionMs, userLogin } from './stage.ts';

const ada = testUser({ id: 1, username: 'ada' });
const pending: DeskOptions = { users: [ada], context: { pending_user: { ref: 1 } } };
const hour = 3_600_000;

const enter = (options: DeskOptions) => userLogin.enter(deskFor(userLogin, options));

async function answer(options: DeskOptions, remember: unknown): Promise<Outcome> {
  const outcome = await userLogin.answer?.(deskFor(userLogin, options), { remember_me: remember as boolean });
  if (outcome === undefined) throw new Error('the stage takes no answer');
  return outcome;
}

function sessionOf(outcome: Outcome) {
  return outcome.effects?.find((effect) => effect.kind === 'session.begin')?.session;
}

function changeOf(outcome: Outcome) {
  return outcome.kind === 'pass' && outcome.session?.kind === 'begin' ? outcome.session : null;
}

describe('UL-1, UL-2: nobody is signed in', () => {
  test.each([
    ['nobody pending', { context: {} }],
    ['a stand-in', { context: { pending_user: { decoy: true, typed: 'eve' } } } as const],
    ['a user who is gone', { context: { pending_user: { ref: 9 } } }],
    ['an inactive user', { users: [{ ...ada, isActive: false }] }],
    ['somebody signed in but not pending', { context: {}, visitor: { user: ada } }],
  ])('%s', async (_name, options) => {
    const denied = { kind: 'deny', message: null };
    expect(await enter({ ...pending, ...options })).toEqual(denied);
    expect(await answer({ ...pending, ...options }, true)).toEqual(denied);
    const asking = { ...pending, ...options, config: { remember_me_offset: 'days=1' } };
    expect(await enter(asking)).toEqual(denied);
  });
});

test('UL-7: the pending user gets a session under a new token, last_login and an event', async () => {
  const context = { ...pending.context, auth_method: 'password', auth_method_args: { known_device: true } };
  const outcome = await enter({ ...pending, context });
  const change = changeOf(outcome);
  expect(outcome.effects?.map(({ kind }) => kind)).toEqual(['session.begin', 'user.seen', 'event']);
  expect(sessionOf(outcome)).toMatchObject({
    tokenHash: hashToken(change?.token ?? ''),
    userId: 1,
    impersonatorId: null,
    authMethod: 'password',
    address: '192.0.2.1',
    agent: 'test',
  });
  expect(outcome.effects).toContainEqual({ kind: 'user.seen', id: 1, at: deskTime });
  expect(outcome.effects?.at(-1)).toMatchObject({
    event: {
      action: 'login',
      user: { pk: 1, username: 'ada' },
      context: { auth_method: 'password', auth_method_args: { known_device: true } },
    },
  });
});

describe('UL-5: whether the device is known', () => {
  const device = {
    what: 'device',
    stage: 'stage-pk',
    user: ada.uuid,
    authenticator: '',
    at: 1,
    until: Infinity,
  } as const;
  const stranger = { ...device, user: 'somebody else' };

  test.each([
    ['a browser that they never signed in with', [], false],
    ['one that somebody else signed in with', [stranger], false],
    ['one that trusts an authenticator of theirs', [{ ...device, what: 'factor' }], false],
    ['their own', [stranger, device], true],
  ] as const)('%s', async (_name, remembered, known_device) => {
    const context = { ...pending.context, auth_method_args: { mfa_devices: [] } };
    const outcome = await enter({ ...pending, context, visitor: { remembered } });
    const auth_method_args = { mfa_devices: [], known_device };
    expect(outcome).toMatchObject({ context: { auth_method_args } });
    expect(outcome.effects?.at(-1)).toMatchObject({ event: { context: { auth_method_args } } });
  });

  test('what was said of it before stays', async () => {
    const context = { ...pending.context, auth_method_args: { known_device: true } };
    expect(await enter({ ...pending, context })).toMatchObject({
      context: { auth_method_args: { known_device: true } },
    });
  });
});

test('no two sessions share a token', async () => {
  const tokens = await Promise.all(Array.from({ length: 20 }, async () => changeOf(await enter(pending))?.token));
  expect(new Set(tokens).size).toBe(20);
});

describe('UL-3: how long a session lasts', () => {
  test('until the browser closes, and on the server not for ever', async () => {
    const outcome = await enter(pending);
    expect(sessionOf(outcome)).toMatchObject({
      persistent: false,
      expiresAt: deskTime + browserSessionMs,
      idleTimeout: browserSessionIdleMs,
    });
    expect(changeOf(outcome)).toMatchObject({ persistent: false });
  });

  test('as long as the stage says', async () => {
    const outcome = await enter({ ...pending, config: { session_duration: 'hours=8' } });
    expect(sessionOf(outcome)).toMatchObject({ persistent: true, expiresAt: deskTime + 8 * hour, idleTimeout: null });
  });

  test('longer for who wants to stay signed in', async () => {
    const options = { ...pending, config: { session_duration: 'hours=8', remember_me_offset: 'hours=2' } };
    expect(await enter(options)).toEqual({ kind: 'ask', challenge: { component: 'ak-stage-user-login' } });
    for (const yes of [true, 'true', 'on'])
      expect(sessionOf(await answer(options, yes))?.expiresAt).toBe(deskTime + 10 * hour);
    for (const no of [false, 'false'])
      expect(sessionOf(await answer(options, no))?.expiresAt).toBe(deskTime + 8 * hour);
    const alone = { ...pending, config: { remember_me_offset: 'hours=2' } };
    expect(sessionOf(await answer(alone, false))?.persistent).toBe(false);
  });

  test.each([[undefined], [null], [1], ['maybe']])('%j is no choice', async (remember) => {
    const outcome = await answer(pending, remember);
    expect(outcome).toMatchObject({ kind: 'retry', problems: { remember_me: [{ code: 'required' }] } });
  });
});

test('the session that this browser had ends', async () => {
  const visitor = { user: testUser({ id: 2, username: 'bob' }), session: testSession(2, 'session-hash') };
  const outcome = await enter({ ...pending, visitor });
  expect(outcome.effects?.[0]).toEqual({ kind: 'session.end', tokenHash: 'session-hash' });
});

test("UL-8: the user's other sessions end where the stage says so", async () => {
  const outcome = await enter({ ...pending, config: { terminate_other_sessions: true } });
  const own = sessionOf(outcome)?.tokenHash;
  expect(outcome.effects).toContainEqual({ kind: 'session.end_all', userId: 1, except: own });
  expect((await enter(pending)).effects?.some(({ kind }) => kind === 'session.end_all')).toBe(false);
});

test('without a browser the stage passes and begins no session', async () => {
  expect(await enter({ ...pending, unattended: true })).toEqual({ kind: 'pass' });
  expect((await enter({ ...pending, users: [{ ...ada, isActive: false }], unattended: true })).kind).toBe('deny');
});

test.each([
  [{ session_duration: 'soon' }, 'is not a duration'],
  [{ session_duration: 'hours=-1' }, 'is not a duration'],
  [{ network_binding: 'bind_subnet' }, 'expected one of "no_binding"'],
  [{ geoip_binding: 'bind_asn' }, 'expected one of "no_binding"'],
])('UL-3, UL-4: the configuration %j is refused', (config, message) => {
  expect(userLogin.config.safeParse(config).error?.issues[0]?.message).toContain(message);
});

describe('UL-4: what a session is bound to', () => {
  const facts = { asn: 64500, network: '192.0.2.0/24', continent: 'EU', country: 'AT', city: null };
  const whereabouts = { files: { network: true, place: true }, of: () => facts };

  test.each([
    [{}, null],
    [{ network_binding: 'bind_asn' }, { asn: 64500 }],
    [{ network_binding: 'bind_asn_network' }, { asn: 64500, network: '192.0.2.0/24' }],
    [{ network_binding: 'bind_asn_network_ip' }, { ip: '192.0.2.1' }],
    [{ geoip_binding: 'bind_continent' }, { continent: 'EU' }],
    [{ geoip_binding: 'bind_continent_country' }, { continent: 'EU', country: 'AT' }],
    [{ geoip_binding: 'bind_continent_country_city' }, { continent: 'EU', country: 'AT', city: null }],
    [
      { network_binding: 'bind_asn', geoip_binding: 'bind_continent' },
      { asn: 64500, continent: 'EU' },
    ],
  ])('%j: as far as asked, as it is at the sign-in', async (config, boundTo) => {
    expect(sessionOf(await enter({ ...pending, config, whereabouts }))?.boundTo).toEqual(boundTo);
  });

  test('the exact address needs no file', async () => {
    const outcome = await enter({ ...pending, config: { network_binding: 'bind_asn_network_ip' } });
    expect(sessionOf(outcome)?.boundTo).toEqual({ ip: '192.0.2.1' });
  });

  test.each([
    [{ network_binding: 'bind_asn' }, { network: false, place: true }, '192.0.2.1', /DOORWARD_ASN_FILE/],
    [{ geoip_binding: 'bind_continent' }, { network: true, place: false }, '192.0.2.1', /DOORWARD_GEOIP_FILE/],
    [{ network_binding: 'bind_asn_network_ip' }, { network: true, place: true }, '', /pass it to fetch/],
  ])('%j that could not be kept denies the sign-in, and the log says what is lacking', async (...row) => {
    const [config, files, address, lacking] = row;
    const desk = deskFor(userLogin, {
      ...{ ...pending, config, visitor: { address } },
      whereabouts: { ...whereabouts, files },
    });
    expect(await userLogin.enter(desk)).toEqual({ kind: 'deny', message: null });
    expect(desk.logged).toMatchObject([
      { level: 'warn', fields: { flow: 'test-flow', lacking: expect.stringMatching(lacking) } },
    ]);
  });
});

describe('UL-5, UL-6: the browser is known afterwards', () => {
  const rememberedIn = (outcome: Outcome) => ('remember' in outcome ? outcome.remember : undefined);

  test('as a device of this very user, by this stage, for as long as it says', async () => {
    const { uuid } = ada;
    const known = { what: 'device', stage: 'stage-pk', user: uuid, authenticator: '', at: deskTime };
    expect(rememberedIn(await enter(pending))).toEqual({ ...known, until: deskTime + 30 * 24 * hour });
    const short = await enter({ ...pending, config: { remember_device: 'hours=1' } });
    expect(rememberedIn(short)).toEqual({ ...known, until: deskTime + hour });
  });

  test('or not, where the stage says so, and where nobody signs in', async () => {
    expect(rememberedIn(await enter({ ...pending, config: { remember_device: 'seconds=0' } }))).toBeUndefined();
    expect(rememberedIn(await enter({ ...pending, unattended: true }))).toBeUndefined();
  });
});
