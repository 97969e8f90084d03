import { describe, expect, it } from 'vitest';
import type { Consent } from '../../engine/consent.ts';
import type { Effect } from '../../engine/effects.ts';
import type { PlanContext } from '../../engine/plan-context.ts';
import type { Outcome } from '../../engine/stage.ts';
import { type DeskOptions, deskFor, deskTime, testUser } from '../../testing/desk.ts';
import { consent } from './stage.ts';

const email = { id: 'email', name: 'See your address' };
const files = { id: 'files', name: 'See your files' };
const context: PlanContext = {
  ...{ consent_header: 'Notes wants to know you.', consent_permissions: [email] },
  consent_additional_permissions: [files],
};
const ada = testUser({ username: 'ada' });
const signedIn: DeskOptions = { visitor: { user: ada }, context: { ...context, application: 'notes' } };

async function asked(options: DeskOptions = {}): Promise<Extract<Outcome, { kind: 'ask' }>> {
  const outcome = await consent.enter(deskFor(consent, { context, ...options }));
  if (outcome.kind !== 'ask') throw new Error('nothing is asked');
  return outcome;
}

/** What comes of agreeing to what is asked. */
async function agree(options: DeskOptions = {}): Promise<Extract<Outcome, { kind: 'pass' }>> {
  const { memo = null } = await asked(options);
  const outcome = await consent.answer?.(deskFor(consent, { context, ...options, memo }), {
    token: (memo as { token: string }).token,
  });
  if (outcome?.kind !== 'pass') throw new Error('it does not go on');
  return outcome;
}

async function given(options: DeskOptions = {}): Promise<Consent> {
  const { effects = [] } = await agree(options);
  const [found] = effects.flatMap((effect: Effect) => (effect.kind === 'consent.give' ? [effect.consent] : []));
  if (found === undefined) throw new Error('nothing is kept');
  return found;
}

/** What a later visit shows to somebody who gave this. */
async function later(before: Consent, options: DeskOptions): Promise<Outcome> {
  return consent.enter(deskFor(consent, { context, ...options, consents: [before] }));
}

function tokenOf(outcome: Outcome): string {
  const challenge = 'challenge' in outcome ? outcome.challenge : undefined;
  return challenge !== undefined && 'token' in challenge ? String(challenge.token) : '';
}

describe('asking for consent', () => {
  it('shows what the plan context asks for, and a token', async () => {
    const { challenge } = await asked();
    expect(challenge).toEqual({
      ...{ component: 'ak-stage-consent', header_text: 'Notes wants to know you.', token: expect.any(String) },
      ...{ permissions: [email], additional_permissions: [files] },
    });
  });

  it('CO-1: each challenge has a token of its own; another one gets a problem and a new token', async () => {
    const [first, second] = [await asked(), await asked()];
    expect(tokenOf(first)).not.toBe(tokenOf(second));
    for (const response of [{}, { token: '' }, { token: tokenOf(second) }, { token: [tokenOf(first)] }]) {
      const outcome = await consent.answer?.(deskFor(consent, { context, memo: first.memo ?? null }), response);
      expect(outcome).toMatchObject({ kind: 'retry', problems: { token: [{ code: 'invalid' }] } });
      const renewed = tokenOf(outcome as Outcome);
      expect(renewed).not.toBe(tokenOf(first));
      expect(outcome?.memo).toMatchObject({ token: renewed });
      expect(outcome).toMatchObject({ challenge: { permissions: [email], additional_permissions: [files] } });
    }
  });

  it('without a memo no token is right', async () => {
    expect((await consent.answer?.(deskFor(consent, { context }), { token: '' }))?.kind).toBe('retry');
  });

  it.each([[{}], [{ consent_permissions: 'all', consent_header: 7 }], [{ consent_permissions: [null, { id: 'x' }] }]])(
    'what is no permission is not shown: %j',
    async (context) => {
      expect((await asked({ context: context as PlanContext })).challenge).toMatchObject({
        ...{ header_text: '', permissions: [], additional_permissions: [] },
      });
    },
  );

  it('a duration that is none is refused', () => {
    expect(consent.config.safeParse({ consent_expire_in: 'soon' }).success).toBe(false);
    expect(consent.config.parse({})).toEqual({ mode: 'expiring', consent_expire_in: 'weeks=4' });
  });
});

describe('what is kept', () => {
  it('CO-4: what was shown, for its time', async () => {
    const kept = await given(signedIn);
    expect(kept).toMatchObject({
      ...{ userId: ada.id, givenTo: { application: 'notes' }, name: 'notes', wording: '' },
      ...{ permissions: [email, files], givenAt: deskTime, expiresAt: deskTime + 4 * 7 * 86_400_000 },
    });
    expect((await given({ ...signedIn, config: { mode: 'permanent' } })).expiresAt).toBeNull();
    expect(await agree(signedIn)).toMatchObject({
      context: { consent_permissions: [email], consent_additional_permissions: [files] },
      effects: [{ kind: 'consent.give' }, { kind: 'event', event: { action: 'consent_given', user: { pk: ada.id } } }],
    });
  });

  it.each([
    ['notes', { application: 'notes' }, 'notes'],
    [{ slug: 'notes', name: 'Shared Notes' }, { application: 'notes' }, 'Shared Notes'],
    [{ name: 'Shared Notes' }, { application: 'Shared Notes' }, 'Shared Notes'],
    [{ name: 7 }, { flow: 'test-flow', stage: 'stage-pk' }, 'consent'],
    ['', { flow: 'test-flow', stage: 'stage-pk' }, 'consent'],
  ])('is given to the application %j, else to this stage of this flow', async (application, givenTo, name) => {
    expect(await given({ ...signedIn, context: { ...context, application } })).toMatchObject({ givenTo, name });
  });

  it('CO-2: nothing in the mode always_require, of a bare "go on", or while somebody acts for them', async () => {
    const unkept: DeskOptions[] = [
      { ...signedIn, config: { mode: 'always_require' } },
      { ...signedIn, context: {} },
      { ...signedIn, visitor: { user: ada, impersonator: testUser({ username: 'chief', id: 2 }) } },
    ];
    for (const options of unkept) expect((await agree(options)).effects ?? []).toEqual([]);
  });

  it('for the user whose flow it is, if they have shown that it is theirs', async () => {
    const eve = testUser({ username: 'eve', id: 7 });
    const pending = { ...context, application: 'notes', pending_user: { ref: eve.id } };
    const users = [ada, eve];
    expect((await given({ users, context: { ...pending, auth_method: 'password' } })).userId).toBe(eve.id);
    expect((await given({ users, context: { ...pending, 'doorward/made': { a: eve.id } } })).userId).toBe(eve.id);
    expect((await given({ users, visitor: { user: ada }, context: { ...pending, auth_method: 'x' } })).userId).toBe(7);
    for (const pending_user of [{ ref: eve.id }, { decoy: true, typed: 'eve' } as const])
      expect((await agree({ users, context: { ...pending, pending_user } })).effects ?? []).toEqual([]);
  });

  it('with the write, for somebody who is not written yet; of two to the same receiver the later one', async () => {
    const anonymous: DeskOptions = { context: { ...context, application: 'notes' } };
    const first = await agree(anonymous);
    expect(first.effects ?? []).toEqual([]);
    const claims = first.context?.['doorward/claims'] as readonly object[];
    expect(claims).toMatchObject([{ effect: { kind: 'consent.give' }, event: { action: 'consent_given' } }]);
    const again = await agree({ context: { ...anonymous.context, 'doorward/claims': claims as never } });
    expect(again.context?.['doorward/claims']).toHaveLength(1);
    expect(again.context?.['doorward/claims']).not.toEqual(claims);
  });
});

describe('what was given before', () => {
  it('CO-3: the same, or less, is not asked again', async () => {
    const before = await given(signedIn);
    expect(await later(before, signedIn)).toEqual({
      kind: 'pass',
      context: { consent_permissions: [email, files], consent_additional_permissions: [] },
    });
    const less = { application: 'notes', consent_permissions: [email] };
    expect((await later(before, { ...signedIn, context: less })).kind).toBe('pass');
  });

  it('CO-3: of more, what is new is listed by itself, and all of it is kept', async () => {
    const one = { ...signedIn, context: { application: 'notes', consent_permissions: [email] } };
    const before = await given(one);
    const more = { ...one, context: { application: 'notes', consent_permissions: [files, email] }, consents: [before] };
    expect((await asked(more)).challenge).toMatchObject({ permissions: [email], additional_permissions: [files] });
    expect((await given(more)).permissions).toEqual([email, files]);
  });

  it('is worth nothing for another user, another application, and in the mode always_require', async () => {
    const before = await given(signedIn);
    const others: DeskOptions[] = [
      { ...signedIn, visitor: { user: testUser({ username: 'eve', id: 7 }) } },
      { ...signedIn, context: { ...context, application: 'other' } },
      { ...signedIn, config: { mode: 'always_require' } },
      { context: { ...context, application: 'notes' } },
      { users: [ada], context: { ...context, application: 'notes', pending_user: { ref: ada.id } } },
    ];
    for (const options of others) expect((await later(before, options)).kind).toBe('ask');
  });

  it('terms of use are asked again when they say something else; an application’s header may change', async () => {
    const terms = {
      visitor: { user: ada },
      context: { consent_header: 'Terms of 2025' },
      config: { mode: 'permanent' },
    };
    const before = await given(terms);
    expect(before).toMatchObject({ givenTo: { flow: 'test-flow' }, wording: 'Terms of 2025', expiresAt: null });
    expect((await later(before, terms)).kind).toBe('pass');
    expect((await later(before, { ...terms, context: { consent_header: 'Terms of 2026' } })).kind).toBe('ask');
    const notes = await given(signedIn);
    const renamed = { ...signedIn, context: { ...signedIn.context, consent_header: 'Notes needs to know you.' } };
    expect((await later(notes, renamed)).kind).toBe('pass');
  });
});
