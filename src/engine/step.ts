/**
 * READ FIRST. One request to a flow: load, decide, commit, reply. It gets what HTTP understood (`StepInput`) and gives
 * what the visitor is shown (`StepReply`). Stages decide, `store.commit` writes, and nothing here knows HTTP or SQL.
 */
import { DoorwardError } from '../kernel/errors.ts';
import { hashToken } from '../kernel/ids.ts';
import type { Challenge } from '../protocol/challenge.ts';
import { type Text, text } from '../protocol/text.ts';
import { Chain } from './chain.ts';
import type { ChainState } from './chain-state.ts';
import { commitChain } from './commit-chain.ts';
import type { StepInput, StepReply } from './exchange.ts';
import type { CompiledFlow } from './flow.ts';
import { handsOver } from './handover.ts';
import { safeNext } from './next.ts';
import { planFlow } from './planner.ts';
import { isReplay, replay, wentOn } from './replay.ts';
import { confirmReply, denialReply, endReply, goneReply, shownReply } from './reply.ts';
import type { Run } from './run.ts';
import { emptyState, runWrites, type Written } from './run-writes.ts';
import { beginningScene, hasMovedSince, runLifetimeMs, type Scene, setScene } from './scene.ts';
import { heedLink } from './signal.ts';
import { readStepToken } from './step-token.ts';
import type { World } from './world.ts';

/** A lost race is answered by the winner's result; a few losses in a row are ordinary, many are not. */
const raceLimit = 5;

/**
 * Carries out one step of a flow for one visitor.
 *
 * @throws DoorwardError `flow_not_found`, `store_unavailable` (the run is unmoved; the same step can be sent again),
 * `too_busy`
 */
export async function step(world: World, input: StepInput): Promise<StepReply> {
  const byLink = (input.query.flow_token ?? '') !== '';
  let lost = false;
  for (let race = 0; race < raceLimit; race += 1) {
    const heeded = byLink ? await heedLink(world, input) : null;
    if (heeded === 'lost') continue;
    if (heeded !== null) return heeded;
    const scene = await setScene(world, input);
    const reply = await turn(world, scene, lost);
    if (reply !== 'lost') return reply;
    lost = true;
  }
  throw new DoorwardError('store_unavailable', 'a run was moved by others five times in a row', { retryAfter: 1 });
}

/** `lost`: somebody else moved the run first, so this answer is not taken, and the run's state is shown. */
async function turn(world: World, scene: Scene, lost: boolean): Promise<StepReply | 'lost'> {
  const { input, run, flow } = scene;
  if (scene.ended !== null && (lost || isReplay(world, scene, scene.ended))) return replay(world, scene, scene.ended);
  if (flow === null) {
    if (scene.flowGone) return goneReply(world, scene);
    throw new DoorwardError('flow_not_found', `no flow has the slug ${input.slug}`);
  }
  if (scene.movedOn !== null && input.answer !== null) return wentOn(world, scene, scene.movedOn);
  if (run === null) return begin(world, beginningScene(scene), flow);
  const arriving = run.state.challenge === null;
  if (!arriving && (input.answer === null || lost || isStale(world, scene, run, run.state.challenge)))
    return shownReply(world, scene, flow, run);
  const messages = arriving ? run.state.messages : [];
  const chain = chainFor(world, scene, flow, run, { messages });
  if (arriving || input.answer === null) await chain.arrive();
  else await chain.answer(input.answer.body);
  return settle(world, scene, flow, run, chain);
}

/** A run that has no row yet: plan it, visit the first stage, and take an answer if the request brings one. */
async function begin(world: World, scene: Scene, flow: CompiledFlow): Promise<StepReply | 'lost'> {
  const { input } = scene;
  const next = input.query.next ?? null;
  if (next !== null && safeNext(next, input.origin) === null)
    return denialReply(world, scene, flow, { message: text('flow.invalid_next'), action: 'message' });
  const arrived = await firstArrival(world, scene, flow, next);
  if ('denied' in arrived)
    return denialReply(world, scene, flow, { message: arrived.denied, action: flow.deniedAction });
  const { run, chain } = arrived;
  const asked = chain.state.challenge;
  if (input.answer !== null && asked !== null && !isStale(world, scene, run, asked))
    await chain.answer(input.answer.body);
  return settle(world, scene, flow, run, chain);
}

/** A run that has no row yet, up to its first challenge; or why there is none. Nothing is written. */
export async function firstArrival(
  world: World,
  scene: Scene,
  flow: CompiledFlow,
  next: string | null,
): Promise<{ readonly run: Run; readonly chain: Chain } | { readonly denied: Text }> {
  const planned = await planFlow(world, flow, scene.visitor, {}, world.store.read);
  if (planned.kind === 'denied') return { denied: planned.message };
  const run = newRun(world, scene, flow, next);
  const chain = chainFor(world, scene, flow, run, { ...planned, challenge: null });
  await chain.arrive();
  return { run, chain };
}

/** Commits what the chain decided, unless it changed nothing, and makes the reply. */
async function settle(
  world: World,
  scene: Scene,
  flow: CompiledFlow,
  run: Run,
  chain: Chain,
): Promise<StepReply | 'lost'> {
  if (scene.input.cautious && changesMoreThanItsRun(chain.state)) return confirmReply(world, scene, flow, run);
  let written: Written | null = null;
  const committed = await commitChain(world, chain, async () => {
    written = await runWrites(world, scene, run, chain);
    return written?.writes ?? null;
  });
  if (committed === 'lost') return 'lost';
  if (written === null && chain.answered && (await hasMovedSince(world, scene))) return 'lost';
  const { state } = chain;
  if (state.ended !== null || state.jump !== null) return endReply(world, scene, flow, chain);
  const moved = (written as Written | null)?.run ?? { ...run, state: { ...run.state, ...shownPart(state) } };
  return shownReply(world, scene, flow, moved, chain);
}

/** A run without a row keeps nothing; what the visitor is shown is what was decided just now. */
function shownPart({
  challenge,
  messages,
  context,
}: ChainState): Pick<ChainState, 'challenge' | 'messages' | 'context'> {
  return { challenge, messages, context };
}

function chainFor(world: World, scene: Scene, flow: CompiledFlow, run: Run, change: Partial<ChainState>): Chain {
  const { input } = scene;
  const kept = run.state.next;
  const asked = input.query.next;
  const next = asked !== undefined && safeNext(asked, input.origin) !== null ? asked : kept;
  const setting = { world, flow, query: input.query, next, origin: input.origin, run: run.id };
  return new Chain(
    { ...setting, unattended: false, dryRun: false, forOwner: true, handsOver: handsOver(scene) },
    { ...stateOf(scene, run), ...change },
  );
}

/**
 * The id follows from session, flow and the run before, so that two tabs or a doubled first answer mean the same run:
 * one of them inserts it, and the other finds it there (W34).
 */
function newRun(world: World, scene: Scene, flow: CompiledFlow, next: string | null): Run {
  const { visitor, now, sessionHash, variant, previous } = scene;
  const id = world.keyring.digest('step', ['run', sessionHash, flow.slug, variant, previous].join('\n'));
  return {
    ...{ id, flow: flow.slug, version: flow.version, session: sessionHash, originSession: null },
    ...{ variant, userId: visitor.user?.id ?? null, impersonatorId: visitor.impersonator?.id ?? null },
    ...{ seq: 0, createdAt: now, expiresAt: now + runLifetimeMs, ended: null },
    state: { ...emptyState, next },
  };
}

function stateOf(scene: Scene, run: Run): ChainState {
  const { plan, visited, context, challenge, memo, messages, decisions } = run.state;
  return {
    ...{ plan, visited, context, challenge, memo, messages, problems: null, effects: [], visitor: scene.visitor },
    ...{ sessionHash: scene.sessionHash, session: null, ended: null, jump: null, reports: [], decisions },
  };
}

/** An answer to another step than the current one: shown the current challenge, nothing counted (CONTRACT: Runs). */
function isStale(world: World, scene: Scene, run: Run, asked: Challenge | null): boolean {
  const { answer } = scene.input;
  if (answer === null) return false;
  if (answer.stepToken !== null) {
    const token = readStepToken(world.keyring, answer.stepToken);
    if (
      token === null ||
      token.run !== run.id ||
      token.seq !== run.seq ||
      token.session !== hashToken(scene.input.sessionToken)
    )
      return true;
  }
  const { component } = answer.body;
  return typeof component === 'string' && component !== '' && component !== asked?.component;
}

/** A GET from another site may move its own run only; anything else asks for one click first (CONTRACT: Trust). */
function changesMoreThanItsRun(state: ChainState): boolean {
  return state.effects.length > 0 || state.session !== null;
}
