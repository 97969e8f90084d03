import { describe, expect, test } from 'vitest';
import type { Effect } from '../../engine/effects.ts';
import { passwordWindowMs } from '../../engine/password-check.ts';
import { inbuiltBackend } from '../../engine/plan-context.ts';
import type { Outcome } from '../../engine/stage.ts';
import { type DeskOptions, deskFor, deskTime, testUser } from '../../testing/desk.ts';
import { password } from './stage.ts';

const ada = testUser({ id: 1, username: 'ada' });
const known: DeskOptions = { users: [ada], passwords: { ada: 'right' }, context: { pending_user: { ref: 1 } } };
const window = { windowMs: passwordWindowMs, at: deskTime };
const unknown: DeskOptions = { ...known, context: { pending_user: { decoy: true, typed: 'Eve' } } };

async function answer(options: DeskOptions, typed: unknown = 'wrong'): Promise<Outcome> {
  const outcome = await password.answer?.(deskFor(password, options), { password: typed as string });
  if (outcome === undefined) throw new Error('the stage takes no answer');
  return outcome;
}

/** What an outcome counts, the bucket aside. */
function counts({ effects = [] }: Outcome): readonly Omit<Extract<Effect, { kind: 'attempt.fail' }>, 'bucket'>[] {
  return effects.flatMap((effect) => {
    if (effect.kind !== 'attempt.fail') return [];
    const { bucket: _bucket, ...count } = effect;
    return [count];
  });
}

describe('PW-1: without a pending user', () => {
  test.each([
    ['nobody', {}],
    ['one who is gone', { pending_user: { ref: 9 } }],
  ])('%s: denied', async (_name, context) => {
    const desk = deskFor(password, { ...known, context });
    expect(await password.enter(desk)).toEqual({ kind: 'deny', message: null });
    expect(await answer({ ...known, context })).toEqual({ kind: 'deny', message: null });
  });

  test('who is signed in is asked', async () => {
    const desk = deskFor(password, { users: [ada], visitor: { user: ada } });
    expect((await password.enter(desk)).kind).toBe('ask');
  });
});

test('asks for a password that the visitor may have shown', async () => {
  for (const options of [known, unknown])
    expect(await password.enter(deskFor(password, { ...options, config: { allow_show_password: true } }))).toEqual({
      kind: 'ask',
      challenge: { component: 'ak-stage-password', allow_show_password: true },
    });
});

test('leads to the recovery flow that the sign-in page leads to', async () => {
  const recovery = { pk: 'r', kind: 'flow', name: 'Back in', config: { slug: 'back-in', designation: 'recovery' } };
  const sign_up = { pk: 's', kind: 'flow', name: 'Join', config: { slug: 'join', designation: 'enrollment' } };
  const desk = deskFor(password, { ...known, objects: [sign_up, recovery] });
  expect(await password.enter(desk)).toMatchObject({ challenge: { recovery_url: '/if/flow/back-in/' } });
  expect(await password.enter(deskFor(password, { ...known, objects: [sign_up] }))).not.toHaveProperty(
    'challenge.recovery_url',
  );
});

test('a password longer than any is wrong, and neither hashed nor counted (CONTRACT: Trust)', async () => {
  const problems = { password: [{ code: 'invalid', text: { $text: 'password.invalid' } }] };
  for (const options of [known, unknown])
    expect(await answer(options, 'a'.padEnd(1_025, '\u0301\u0316'))).toEqual({ kind: 'retry', problems });
});

test('PW-3, PW-8: the right password proves the user, and clears the count in the same commit', async () => {
  expect(await answer(known, 'right')).toEqual({
    kind: 'pass',
    context: {
      pending_user: { ref: 1 },
      ...{ user_backend: inbuiltBackend, auth_method: 'password', auth_method_args: {} },
    },
    effects: [
      { kind: 'attempt.succeed', bucket: 'password:digest$ada@192.0.2.1', limit: 5, ...window },
      { kind: 'attempt.succeed', bucket: 'password:digest$ada', limit: 100, ...window },
      { kind: 'reputation.add', subject: 'user:1', address: '192.0.2.1', by: 1, at: deskTime },
    ],
  });
});

test('PW-3: an earlier proof in the same run keeps its name', async () => {
  const context = { ...known.context, auth_method: 'webauthn', auth_method_args: { device: 1 } };
  expect(await answer({ ...known, context }, 'right')).toMatchObject({
    context: { auth_method: 'webauthn', auth_method_args: { device: 1 } },
  });
});

test('the password is taken as it was typed, blanks included', async () => {
  expect((await answer({ ...known, passwords: { ada: ' right ' } }, ' right ')).kind).toBe('pass');
  expect((await answer(known, ' right ')).kind).toBe('retry');
});

test.each([[''], [null], [1], [['right']]])('%j is no password, and is not counted', async (typed) => {
  const outcome = await answer(known, typed);
  expect(outcome).toMatchObject({ kind: 'retry', problems: { password: [{ code: 'required' }] } });
  expect(outcome.effects ?? []).toEqual([]);
});

describe('PW-3, PW-5: who is unknown or inactive, or has another or no password, gets one and the same answer', () => {
  const inactive = { ...known, users: [{ ...ada, isActive: false }] };
  const cases: readonly [string, DeskOptions, string][] = [
    ['a wrong password', known, 'wrong'],
    ['a stand-in', unknown, 'right'],
    ['an inactive user', inactive, 'right'],
    ['a user without a password', { ...known, passwords: {} }, 'right'],
    [
      'a stage without a backend that is known (PW-2); app passwords are none (PW-4)',
      {
        ...known,
        config: { backends: ['authentik.sources.ldap.auth.LDAPBackend', 'authentik.core.auth.TokenBackend'] },
      },
      'right',
    ],
  ];
  test.each(cases)('%s', async (_name, options, typed) => {
    const outcome = await answer(options, typed);
    const { effects = [], ...shown } = outcome;
    expect(shown).toEqual({
      kind: 'retry',
      problems: { password: [{ code: 'invalid', text: { $text: 'password.invalid' } }] },
    });
    expect(counts(outcome)).toEqual([
      { kind: 'attempt.fail', limit: 5, ...window },
      { kind: 'attempt.fail', limit: 100, ...window },
    ]);
    expect(effects.map(({ kind }) => kind)).toEqual(['attempt.fail', 'attempt.fail', 'reputation.add', 'event']);
  });

  test('every check costs one hash, whoever is pending', async () => {
    for (const options of [known, unknown, inactive]) {
      const desk = deskFor(password, options);
      const checked: (number | null)[] = [];
      const verifyPassword: typeof desk.tools.verifyPassword = async (id) => {
        checked.push(id);
        return { ok: false, renewed: null, stored: null };
      };
      await password.answer?.({ ...desk, tools: { ...desk.tools, verifyPassword } }, { password: 'x' });
      expect(checked).toHaveLength(1);
    }
  });

  test('what was typed as a name is kept nowhere', async () => {
    const desk = deskFor(password, { ...unknown, context: { pending_user: { decoy: true, typed: 'my-s3cret' } } });
    const hashToken = () => 'digest';
    const outcome = await password.answer?.({ ...desk, tools: { ...desk.tools, hashToken } }, { password: 'x' });
    expect(JSON.stringify(outcome)).not.toContain('s3cret');
    expect(outcome?.effects?.[0]).toMatchObject({ bucket: 'password:digest@192.0.2.1' });
  });
});

describe('PW-6: failures in a window', () => {
  const buckets = { 'password:digest$ada@192.0.2.1': 4, 'password:digest$eve@192.0.2.1': 4 };
  const limited = { kind: 'deny', message: { $text: 'password.limited' } };

  test.each([
    ['a user', known],
    ['a stand-in', unknown],
  ])('the last one for %s ends the flow', async (_name, options) => {
    const { effects, ...shown } = await answer({ ...options, attempts: buckets });
    expect(shown).toEqual(limited);
    expect(effects?.map(({ kind }) => kind)).toEqual(['attempt.fail', 'attempt.fail', 'reputation.add', 'event']);
  });

  test('the right password still counts before that', async () => {
    expect((await answer({ ...known, attempts: buckets }, 'right')).kind).toBe('pass');
  });

  test.each([
    ['a user', known],
    ['a stand-in', unknown],
  ])('afterwards nothing more is told of %s', async (_name, options) => {
    const here = { 'password:digest$ada@192.0.2.1': 5, 'password:digest$eve@192.0.2.1': 5 };
    const everywhere = { 'password:digest$ada': 100, 'password:digest$eve': 100 };
    for (const attempts of [here, everywhere])
      expect(await answer({ ...options, attempts }, 'right')).toEqual({ ...limited, effects: [] });
  });

  test('the stage says how many there may be', async () => {
    const options = { ...known, config: { failed_attempts_before_cancel: 1 } };
    expect(await answer(options)).toMatchObject(limited);
  });

  test('the commit decides when others used the window up meanwhile', async () => {
    const desk = deskFor(password, known);
    expect(await password.refused?.(desk, { reason: 'limited', effect: 'attempt.succeed' })).toEqual(limited);
  });
});

test('a hash that is out of date is renewed with the success', async () => {
  const desk = deskFor(password, known);
  const verifyPassword = async () => ({ ok: true, stored: 'old', renewed: 'new' });
  const outcome = await password.answer?.({ ...desk, tools: { ...desk.tools, verifyPassword } }, { password: 'right' });
  expect(outcome?.effects).toContainEqual({ kind: 'password.renew', userId: 1, from: 'old', to: 'new' });
});

test('the event login_failed names the user, and nobody for a stand-in', async () => {
  const eventOf = (outcome: Outcome) => outcome.effects?.find((effect) => effect.kind === 'event')?.event;
  expect(eventOf(await answer(known))).toMatchObject({ action: 'login_failed', user: { pk: 1, username: 'ada' } });
  expect(eventOf(await answer(unknown))).toMatchObject({ action: 'login_failed', user: null });
});
