import type { Authenticator } from './authenticator.ts';
import type { Effect } from './effects.ts';

/** A user's authenticators as effects that are still pending will leave them. */
export function authenticatorsWith(
  known: readonly Authenticator[],
  userId: number,
  pending: readonly Effect[],
): readonly Authenticator[] {
  let left = known;
  for (const effect of pending) {
    if (effect.kind === 'authenticator.add' && effect.authenticator.userId === userId) {
      const { codes, ...authenticator } = effect.authenticator;
      left = [...left, { ...authenticator, codesLeft: codes.length }];
    }
    if (effect.kind === 'authenticator.remove') left = left.filter(({ uuid }) => uuid !== effect.uuid);
    if (effect.kind === 'authenticator.use' && 'step' in effect.use) {
      const { step } = effect.use;
      left = left.map((one) => (one.uuid === effect.uuid ? { ...one, counter: step } : one));
    }
  }
  return left;
}
