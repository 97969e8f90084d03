import { hashToken } from '../kernel/ids.ts';
import type { Chain } from './chain.ts';
import type { Handover, Run } from './run.ts';
import type { Scene } from './scene.ts';
import type { World } from './world.ts';

/** A session is handed out again only so soon after the answer that it was handed out for. */
export const sessionReplayMs = 60 * 1000;

/** Whether what this request proves is proven by an anonymous browser that had its token before. */
export function handsOver({ input, visitor }: Scene): boolean {
  return input.answer !== null && !input.newcomer && visitor.session === null;
}

/**
 * What is kept of a chain that went on under another token, after a proof or a sign-out. A run that ends has nothing left
 * to share, and its browser keeps the token that it has.
 */
export function handoverOf(world: World, scene: Scene, run: Run, chain: Chain): Handover | null {
  const { state } = chain;
  const { input, now, sessionHash } = scene;
  if (state.session?.kind !== 'hand_over' && state.session?.kind !== 'end') return null;
  if (state.ended !== null) {
    const session = state.session.kind === 'end' ? state.session : null;
    chain.state = { ...state, session, sessionHash };
    return null;
  }
  // Nobody repeats an answer that others could guess, to be given what its sender was.
  if (state.session.kind === 'end' || !chain.heldSecret || input.answer === null) return null;
  const token = world.keyring.seal('replay', state.session.token, run.id);
  return { at: now, answer: answerDigest(world, input.answer.body), token };
}

/** The token under which the run went on, for who sends the very answer again that it was handed over for. */
export function handedOver(world: World, { input, now }: Scene, run: Run): string | null {
  const { handover } = run.state;
  if (handover === undefined || input.answer === null || handover.at + sessionReplayMs <= now) return null;
  if (handover.answer !== answerDigest(world, input.answer.body)) return null;
  const token = world.keyring.open('replay', handover.token, run.id);
  return token !== null && hashToken(token) === run.session ? token : null;
}

/** Recognises a repeated answer without keeping it. */
export function answerDigest(world: World, body: unknown): string {
  return world.keyring.digest('answer', JSON.stringify(body));
}
