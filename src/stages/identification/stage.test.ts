import { describe, expect, test } from 'vitest';
import { inbuiltBackend } from '../../engine/plan-context.ts';
import type { Outcome } from '../../engine/stage.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { type DeskOptions, deskFor, deskTime, testUser } from '../../testing/desk.ts';
import { identification } from './stage.ts';

const ada = testUser({ id: 1, username: 'Ada', email: 'ada@example.com', attributes: { upn: 'ada@corp' } });
const bob = testUser({ id: 2, username: 'bob', email: 'bob@example.com' });
const passwordStage = {
  pk: 'password-pk',
  kind: 'stage',
  name: 'password',
  config: { backends: [inbuiltBackend], failed_attempts_before_cancel: 5, allow_show_password: true },
};
const flow = (slug: string) => ({ pk: `${slug}-pk`, kind: 'flow', name: slug, config: { slug } });
const base: DeskOptions = {
  users: [ada, bob],
  passwords: { Ada: 'right' },
  config: { user_fields: ['username', 'email'] },
  objects: [passwordStage, flow('enroll'), flow('recover'), flow('passkey')],
};
const withConfig = (config: JsonObject): DeskOptions => ({
  ...base,
  config: { user_fields: ['username', 'email'], ...config },
});
const inline = (config: JsonObject = {}) => withConfig({ password_stage: 'password-pk', ...config });

async function answer(options: DeskOptions, response: JsonObject): Promise<Outcome> {
  const outcome = await identification.answer?.(deskFor(identification, options), response);
  if (outcome === undefined) throw new Error('the stage takes no answer');
  return outcome;
}

function pendingOf(outcome: Outcome): unknown {
  return 'context' in outcome ? outcome.context?.pending_user : undefined;
}

const failed = {
  kind: 'retry',
  problems: { non_field_errors: [{ code: 'invalid', text: { $text: 'identification.failed' } }] },
};

test('a body of combining marks is not normalised, looked up, hashed or counted (CONTRACT: Trust)', async () => {
  const marks = 'ada'.padEnd(1_025, '\u0301\u0316');
  expect(await answer(withConfig({ pretend_user_exists: true }), { uid_field: marks })).toEqual(failed);
  expect(await answer(inline(), { uid_field: marks, password: 'right' })).toEqual(failed);
  expect(await answer(inline(), { uid_field: 'Ada', password: marks })).toEqual(failed);
});

describe('the challenge', () => {
  test('ID-9: names its action after what the flow is for', async () => {
    const actionIn = async (designation: 'authentication' | 'recovery') => {
      const outcome = await identification.enter(
        deskFor(identification, { ...base, flow: { slug: 'f', designation } }),
      );
      return outcome.kind === 'ask' && 'primary_action' in outcome.challenge ? outcome.challenge.primary_action : null;
    };
    expect(await actionIn('authentication')).toEqual({ $text: 'identification.log_in' });
    expect(await actionIn('recovery')).toEqual({ $text: 'identification.continue' });
  });

  test('ID-10: links to the other flows, and shows what the inline password stage allows', async () => {
    const options = inline({
      enrollment_flow: 'enroll-pk',
      recovery_flow: 'recover-pk',
      passwordless_flow: 'passkey-pk',
    });
    expect(await identification.enter(deskFor(identification, options))).toMatchObject({
      kind: 'ask',
      challenge: {
        component: 'ak-stage-identification',
        user_fields: ['username', 'email'],
        password_fields: true,
        allow_show_password: true,
        captcha_stage: null,
        enroll_url: '/if/flow/enroll/',
        recovery_url: '/if/flow/recover/',
        passwordless_url: '/if/flow/passkey/',
        sources: [],
      },
    });
  });

  test('has no links where there are no flows', async () => {
    const outcome = await identification.enter(deskFor(identification, base));
    expect(outcome).toMatchObject({ kind: 'ask', challenge: { password_fields: false, allow_show_password: false } });
    expect(
      Object.keys('challenge' in outcome ? (outcome.challenge ?? {}) : {}).filter((name) => name.endsWith('_url')),
    ).toEqual([]);
  });
});

describe('ID-1: who is found', () => {
  test.each([
    ['ADA', { ref: 1 }],
    ['  ada ', { ref: 1 }],
    ['Ada@Example.com', { ref: 1 }],
    ['bob', { ref: 2 }],
  ])('%s', async (typed, pending) => {
    expect(pendingOf(await answer(base, { uid_field: typed }))).toEqual(pending);
  });

  test('only by the fields of the stage', async () => {
    const byName = withConfig({ user_fields: ['username'] });
    expect(pendingOf(await answer(byName, { uid_field: 'ada@example.com' }))).toMatchObject({ decoy: true });
    const byUpn = withConfig({ user_fields: ['upn'] });
    expect(pendingOf(await answer(byUpn, { uid_field: 'ada@corp' }))).toEqual({ ref: 1 });
  });

  test('in their own case where that is asked for', async () => {
    const exact = withConfig({ case_insensitive_matching: false });
    expect(pendingOf(await answer(exact, { uid_field: 'ada' }))).toMatchObject({ decoy: true });
    expect(pendingOf(await answer(exact, { uid_field: 'Ada' }))).toEqual({ ref: 1 });
  });

  test('nobody by an address that two users have', async () => {
    const users = [ada, { ...bob, email: ada.email }];
    expect(pendingOf(await answer({ ...base, users }, { uid_field: ada.email }))).toMatchObject({ decoy: true });
  });
});

test.each([[{}], [{ uid_field: '' }], [{ uid_field: '  ' }], [{ uid_field: null }], [{ uid_field: ['Ada'] }]])(
  '%j names nobody',
  async (response) => {
    expect(await answer(base, response)).toMatchObject({
      kind: 'retry',
      problems: { uid_field: [{ code: 'required' }] },
    });
  },
);

describe('who is not known', () => {
  test('ID-3, ID-4: goes on as a stand-in', async () => {
    expect(await answer(base, { uid_field: ' eve ' })).toMatchObject({
      kind: 'pass',
      context: { pending_user: { decoy: true, typed: 'eve' } },
    });
  });

  test('ID-4: is told so only where the stage does not pretend', async () => {
    const outcome = await answer(withConfig({ pretend_user_exists: false }), { uid_field: 'eve' });
    const counted = { kind: 'reputation.add', subject: 'typed:digest$eve', address: '192.0.2.1', by: -1, at: deskTime };
    expect(outcome).toEqual({ ...failed, effects: [counted] });
  });

  test('ID-7: later pages show what was typed, known or not, where the match shall not show', async () => {
    const hidden = withConfig({ show_matched_user: false });
    for (const typed of ['ADA', 'eve'])
      expect(await answer(hidden, { uid_field: typed })).toMatchObject({ context: { pending_user_identifier: typed } });
    const shown = await answer(base, { uid_field: 'ADA' });
    expect('context' in shown && shown.context?.pending_user_identifier).toBeUndefined();
  });
});

describe('with the password on the same page', () => {
  test('ID-6, ID-8: the right one proves the user, user_backend included', async () => {
    const outcome = await answer(inline(), { uid_field: 'ada', password: 'right' });
    expect(outcome).toMatchObject({
      kind: 'pass',
      context: {
        pending_user: { ref: 1 },
        user_backend: inbuiltBackend,
        auth_method: 'password',
        auth_method_args: {},
      },
      effects: [
        { kind: 'attempt.succeed', bucket: 'password:digest$ada@192.0.2.1', limit: 5 },
        { kind: 'attempt.succeed', bucket: 'password:digest$ada', limit: 100 },
        { kind: 'reputation.add', subject: 'user:1', address: '192.0.2.1', by: 1 },
      ],
    });
  });

  test('it is taken as it was typed', async () => {
    expect((await answer(inline(), { uid_field: 'ada', password: ' right ' })).kind).toBe('retry');
  });

  test('it is required', async () => {
    const outcome = await answer(inline(), { uid_field: 'ada' });
    expect(outcome).toMatchObject({ kind: 'retry', problems: { password: [{ code: 'required' }] } });
  });

  test.each([
    ['a wrong password', 'ada', 'wrong', {}],
    ['an unknown user', 'eve', 'right', {}],
    ['an inactive user', 'ada', 'right', { users: [{ ...ada, isActive: false }] }],
  ])('ID-4: %s reads the same and counts the same', async (_name, uid_field, password, options) => {
    const { effects, ...shown } = await answer({ ...inline(), ...options }, { uid_field, password });
    expect(shown).toEqual(failed);
    expect(effects?.map(({ kind }) => kind)).toEqual(['attempt.fail', 'attempt.fail', 'reputation.add', 'event']);
  });

  test('ID-6: it shares its counters with the password stage', async () => {
    const attempts = { 'password:digest$ada@192.0.2.1': 5 };
    const outcome = await answer({ ...inline(), attempts }, { uid_field: 'ada', password: 'right' });
    expect(outcome).toMatchObject({ kind: 'deny', message: { $text: 'password.limited' } });
    const desk = deskFor(identification, inline());
    const refused = await identification.refused?.(desk, { reason: 'limited', effect: 'attempt.succeed' });
    expect(refused).toMatchObject({ kind: 'deny', message: { $text: 'password.limited' } });
  });

  test('nobody gets in when the password stage is gone', async () => {
    const outcome = await answer({ ...inline(), objects: [] }, { uid_field: 'ada', password: 'right' });
    expect(outcome.kind).toBe('deny');
  });
});

test('what was proven of one user does not hold for the next', async () => {
  const context = { pending_user: { ref: 2 }, user_backend: inbuiltBackend, auth_method: 'password' };
  const outcome = await answer({ ...base, context }, { uid_field: 'ada' });
  const patch = 'context' in outcome ? outcome.context : undefined;
  expect(patch).toHaveProperty('user_backend', undefined);
  expect(patch).toHaveProperty('auth_method', undefined);
  expect(patch).toHaveProperty('auth_method_args', undefined);
});

describe('the configuration', () => {
  test('ID-13: names a field or a source', () => {
    expect(identification.config.safeParse({}).success).toBe(false);
    expect(identification.config.safeParse({ user_fields: ['email'] }).success).toBe(true);
    expect(identification.config.safeParse({ sources: ['source-pk'] }).success).toBe(true);
  });
});

describe('with a captcha on the same page', () => {
  const stage = { pk: 'captcha-pk', kind: 'stage', name: 'are you', stageKind: 'captcha' };
  const keys = { public_key: 'site', private_key: 'the private key', js_url: 'https://captcha.test/api.js' };
  const guarded = (config: JsonObject = {}): DeskOptions => ({
    ...withConfig({ captcha_stage: 'captcha-pk', ...config }),
    objects: [passwordStage, { ...stage, config: keys }],
    outbound: {
      send: async (_url, { body = '' }) => {
        const success = new URLSearchParams(body).get('response') === 'good';
        return { status: 200, headers: {}, text: JSON.stringify({ success }) };
      },
    },
  });

  test('its widget is shown, and its private key is not', async () => {
    const outcome = await identification.enter(deskFor(identification, guarded()));
    expect(outcome).toMatchObject({
      challenge: { captcha_stage: { site_key: 'site', js_url: 'https://captcha.test/api.js', interactive: false } },
    });
    expect(JSON.stringify(outcome)).not.toContain('the private key');
  });

  test.each([['ada'], ['eve']])(
    'ID-5: of %s it is asked before anybody is looked up or any password is checked',
    async (uid_field) => {
      const options = guarded({ password_stage: 'password-pk' });
      const desk = deskFor(identification, options);
      const nobodyIsLookedUp = async () => {
        throw new Error('somebody was looked up');
      };
      const read = { ...desk.read, userByIdentifier: nobodyIsLookedUp, attempts: nobodyIsLookedUp };
      for (const captcha_token of ['bad', '', 'x'.repeat(9_000)]) {
        const response = { uid_field, password: 'right', captcha_token };
        expect(await identification.answer?.({ ...desk, read }, response)).toMatchObject({
          kind: 'retry',
          problems: { non_field_errors: [{ code: 'invalid' }] },
        });
      }
      const passed = await answer(options, { uid_field, password: 'right', captcha_token: 'good' });
      expect(passed.kind).toBe(uid_field === 'ada' ? 'pass' : 'retry');
    },
  );

  test('what the provider said is known to policies', async () => {
    const outcome = await answer(guarded(), { uid_field: 'ada', captcha_token: 'good' });
    expect(outcome).toMatchObject({
      context: { pending_user: { ref: 1 }, captcha: { response: { success: true }, stage: { pk: 'captcha-pk' } } },
    });
  });

  test.each([[[]], [[{ ...passwordStage, pk: 'captcha-pk' }]]])(
    'nobody passes where its stage is gone, or is another',
    async (objects) => {
      const options = { ...guarded(), objects };
      expect((await identification.enter(deskFor(identification, options))).kind).toBe('deny');
      expect((await answer(options, { uid_field: 'ada', captcha_token: 'good' })).kind).toBe('deny');
    },
  );
});
