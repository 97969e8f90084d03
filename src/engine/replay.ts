import { hashToken } from '../kernel/ids.ts';
import { text } from '../protocol/text.ts';
import type { StepReply } from './exchange.ts';
import { answerDigest, handedOver, sessionReplayMs } from './handover.ts';
import { plainReply, shownReply } from './reply.ts';
import type { EndedRun, Run } from './run.ts';
import type { Scene } from './scene.ts';
import { readStepToken } from './step-token.ts';
import type { World } from './world.ts';

/**
 * Whether this request repeats the answer that ended a run. A GET starts anew; so does an answer to a form that was
 * shown after the end.
 */
export function isReplay(world: World, scene: Scene, ended: { run: Run; how: EndedRun }): boolean {
  const { answer } = scene.input;
  if (answer === null) return false;
  if (answer.stepToken === null) return true;
  const token = readStepToken(world.keyring, answer.stepToken);
  return token !== null && (token.run === ended.run.id || token.mintedAt < ended.how.at);
}

/** What whoever comes too late is told, instead of being handed somebody's session. */
export function completedReply(world: World, scene: Scene): StepReply {
  const error_message = text('run.already_completed');
  return plainReply(world, scene, scene.flow, { component: 'ak-stage-access-denied', error_message });
}

/**
 * The run went on under another token, and this browser still sends the one before: the answer that moved it, sent
 * twice, is shown where it led to; anybody else comes too late.
 */
export async function wentOn(world: World, scene: Scene, run: Run): Promise<StepReply> {
  const token = handedOver(world, scene, run);
  const flow = token === null ? null : await world.flow(run.flow, run.version);
  if (token === null || flow === null) return completedReply(world, scene);
  return { ...(await shownReply(world, scene, flow, run)), session: { token, persistent: false, expiresAt: null } };
}

/**
 * The recorded outcome once more. One that began a session gives it again only to the same whole answer, within a
 * minute, and if that answer held a secret; nobody who lost a race is handed a cookie from before sign-in.
 */
export function replay(world: World, scene: Scene, { run, how }: { run: Run; how: EndedRun }): StepReply {
  const challenge =
    how.outcome.kind === 'done'
      ? ({ component: 'xak-flow-redirect', to: how.outcome.to } as const)
      : ({ component: 'ak-stage-access-denied', error_message: how.outcome.message } as const);
  if (how.sessionToken === null || scene.sessionHash === run.session)
    return plainReply(world, scene, scene.flow, challenge);
  const token = world.keyring.open('replay', how.sessionToken, run.id);
  const { answer } = scene.input;
  const same =
    answer !== null &&
    how.secretAnswer &&
    how.at + sessionReplayMs > scene.now &&
    how.answer === answerDigest(world, answer.body);
  if (!same || token === null || hashToken(token) !== run.session) return completedReply(world, scene);
  // A run that led into another flow may have begun no session of a user.
  const expiresAt = how.sessionExpiresAt === 0 ? null : how.sessionExpiresAt;
  const session = { token, persistent: how.persistent, expiresAt };
  return { ...plainReply(world, scene, scene.flow, challenge), session };
}
