/** What earlier stages want used up with the write: each once, in its commit. */
import { eventActor } from '../../engine/acting.ts';
import type { Effect, Refusal } from '../../engine/effects.ts';
import type { PlanContext } from '../../engine/plan-context.ts';
import type { Desk, Outcome } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';

/** Uses up what is claimed for this user's write, and remembers that it did. */
export function claimed(
  desk: Desk,
  user: User,
): { readonly effects: readonly Effect[]; readonly context: PlanContext } {
  const { context, visitor, flow, tools } = desk;
  const claims = context['doorward/claims'] ?? [];
  const { address, requestId } = visitor;
  const about = { ...eventActor(visitor, user), address, requestId, flow: flow.slug, at: tools.now() };
  const effects = claims.flatMap(({ used, effect, event }): Effect[] =>
    used === true ? [] : [ofUser(effect, user), { kind: 'event', event: { ...event, ...about } }],
  );
  if (effects.length === 0) return { effects, context: {} };
  return { effects, context: { 'doorward/claims': claims.map((claim) => ({ ...claim, used: true })) } };
}

/** A consent was given by whoever is written now. */
function ofUser(effect: Effect, { id: userId }: User): Effect {
  return effect.kind === 'consent.give' ? { ...effect, consent: { ...effect.consent, userId } } : effect;
}

/** Somebody else used it up meanwhile; null where the refusal is about something else. */
export function claimRefused({ context }: Desk, refusal: Refusal): Outcome | null {
  const claims = context['doorward/claims'] ?? [];
  const claim = claims.find(({ used, effect }) => used !== true && effect.kind === refusal.effect);
  return claim === undefined ? null : { kind: 'deny', message: claim.otherwise };
}
