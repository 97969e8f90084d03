import { hashToken } from '../kernel/ids.ts';
import { text } from '../protocol/text.ts';
import type { StepReply } from './exchange.ts';
import { plainReply } from './reply.ts';
import type { EndedRun, Run } from './run.ts';
import { answerDigest } from './run-writes.ts';
import type { Scene } from './scene.ts';
import { readStepToken } from './step-token.ts';
import type { World } from './world.ts';

/** A session is handed out again only so soon after the answer that began it. */
const sessionReplayMs = 60 * 1000;

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
  const session = { token, persistent: how.persistent, expiresAt: how.sessionExpiresAt };
  return { ...plainReply(world, scene, scene.flow, challenge), session };
}
