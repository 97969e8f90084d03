import { describe, expect, it } from 'vitest';
import type { PlanContext } from '../../engine/plan-context.ts';
import type { Outcome } from '../../engine/stage.ts';
import { type DeskOptions, deskFor } from '../../testing/desk.ts';
import { consent } from './stage.ts';

const email = { id: 'email', name: 'See your address' };
const files = { id: 'files', name: 'See your files' };
const context: PlanContext = {
  ...{ consent_header: 'Notes wants to know you.', consent_permissions: [email] },
  consent_additional_permissions: [files],
};

async function asked(options: DeskOptions = {}): Promise<Extract<Outcome, { kind: 'ask' }>> {
  const outcome = await consent.enter(deskFor(consent, { context, ...options }));
  if (outcome.kind !== 'ask') throw new Error('nothing is asked');
  return outcome;
}

function tokenOf(outcome: Outcome): string {
  const challenge = 'challenge' in outcome ? outcome.challenge : undefined;
  return challenge !== undefined && 'token' in challenge ? String(challenge.token) : '';
}

describe('consent', () => {
  it('shows what the plan context asks for, and a token', async () => {
    const { challenge } = await asked();
    expect(challenge).toEqual({
      ...{ component: 'ak-stage-consent', header_text: 'Notes wants to know you.', token: expect.any(String) },
      ...{ permissions: [email], additional_permissions: [files] },
    });
  });

  it.each([['always_require'], ['permanent'], ['expiring']])(
    'CO-2: without an application it asks each time and stores nothing (%s)',
    async (mode) => {
      const { memo } = await asked({ config: { mode } });
      const desk = deskFor(consent, { context, memo: memo ?? null, config: { mode } });
      expect(await consent.answer?.(desk, { token: (memo as { token: string }).token })).toEqual({
        kind: 'pass',
        context: { consent_permissions: [email], consent_additional_permissions: [files] },
      });
    },
  );

  it('CO-1: each challenge has a token of its own; another one gets a problem and a new token', async () => {
    const [first, second] = [await asked(), await asked()];
    expect(tokenOf(first)).not.toBe(tokenOf(second));
    for (const response of [{}, { token: '' }, { token: tokenOf(second) }, { token: [tokenOf(first)] }]) {
      const outcome = await consent.answer?.(deskFor(consent, { context, memo: first.memo ?? null }), response);
      expect(outcome).toMatchObject({ kind: 'retry', problems: { token: [{ code: 'invalid' }] } });
      const renewed = tokenOf(outcome as Outcome);
      expect(renewed).not.toBe(tokenOf(first));
      expect(outcome?.memo).toEqual({ token: renewed });
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
