/**
 * Somebody outside of a run says something to it, with a one-time key: a link out of a message, opened anywhere. To open
 * it changes nothing; a click on the page that it shows does. Then either whoever clicked goes on in the run's place,
 * or the run goes on for its owner, up to what only the owner's browser may be brought to (CONTRACT: Outcomes).
 */
import { DoorwardError } from '../kernel/errors.ts';
import { hashToken, newUuid } from '../kernel/ids.ts';
import type { Challenge } from '../protocol/challenge.ts';
import { text } from '../protocol/text.ts';
import { signedInNow } from './acting.ts';
import { Chain } from './chain.ts';
import type { ChainState } from './chain-state.ts';
import { commitChain } from './commit-chain.ts';
import type { StepInput, StepReply } from './exchange.ts';
import type { CompiledFlow } from './flow.ts';
import { handsOver } from './handover.ts';
import { invitedData } from './invited-data.ts';
import type { PlanContext } from './plan-context.ts';
import type { RunWrite } from './ports.ts';
import { replay } from './replay.ts';
import { endReply, goneReply, plainReply } from './reply.ts';
import type { Run } from './run.ts';
import type { RunKey } from './run-key.ts';
import { emptyState, flowPath, runWrites } from './run-writes.ts';
import { endedMemoryMs, isPinnedTo, type Scene, setScene } from './scene.ts';
import { mintStepToken, readStepToken } from './step-token.ts';
import type { Visitor } from './visitor.ts';
import type { World } from './world.ts';

/** Who acts, and on what: the waiting run with its key, as whoever goes on in it. */
interface Occasion {
  /** At the door: the one who opened the link. */
  readonly scene: Scene;
  readonly flow: CompiledFlow;
  readonly key: RunKey;
  readonly run: Run;
  /** `own`: the run's own browser opened it. `taken_over`: another one goes on. `told`: the owner goes on elsewhere. */
  readonly part: 'own' | 'taken_over' | 'told';
  readonly chain: Chain;
}

/**
 * @returns null where the flow has another use for links; `lost`: somebody else moved the run first
 * @throws DoorwardError `flow_not_found`, `store_unavailable`
 */
export async function heedLink(world: World, input: StepInput): Promise<StepReply | 'lost' | null> {
  const { flow_token: token = '', ...query } = input.query;
  const scene = await setScene(world, { ...input, query });
  const takesLinks = scene.flow?.bindings.some(({ stage }) => world.stages.get(stage.kind)?.opensByLink === true);
  if (takesLinks === true) return null;
  const occasion = await occasionOf(world, scene, token);
  if (occasion === null) return linkGone(world, scene);
  const challenge = occasion.chain.confirmation(occasion.key);
  if (challenge === null) return linkGone(world, scene);
  if (!isConfirmed(world, occasion, challenge)) return confirmation(world, occasion, challenge);
  return act(world, occasion);
}

/** What the link leads to; null when it was used, has expired, is made up, or belongs elsewhere. */
async function occasionOf(world: World, scene: Scene, token: string): Promise<Occasion | null> {
  const waiting = await world.store.waiting(hashToken(token));
  if (waiting === null) return null;
  const { key, run } = waiting;
  const { input, now } = scene;
  const isLive = key.expiresAt > now && run.ended === null && run.expiresAt > now && run.version === key.version;
  if (!isLive || run.flow !== input.slug || key.flow !== input.slug || run.variant !== scene.variant) return null;
  const flow = await world.flow(run.flow, run.version);
  const owner = await ownerOf(world, scene, run, key);
  if (flow === null || owner === null) return null;
  const part = run.session === scene.sessionHash ? 'own' : key.takesOver ? 'taken_over' : 'told';
  const id = part === 'taken_over' ? newUuid() : run.id;
  const setting = {
    ...{ world, flow, query: input.query, next: run.state.next, origin: input.origin, run: id },
    ...{ unattended: false, dryRun: false, forOwner: part !== 'told' },
    handsOver: part !== 'told' && handsOver(scene),
  };
  const state = part === 'taken_over' ? takenOver(scene, run) : stateOf(run, owner);
  return { scene, flow, key, run: { ...run, id }, part, chain: new Chain(setting, state) };
}

/** Who the run belongs to, as they were when they asked; null when they are not who they were. */
async function ownerOf(world: World, { input, now }: Scene, run: Run, key: RunKey): Promise<Visitor | null> {
  const loaded = await world.store.load({ sessionHash: run.session, flow: '', variant: '', now });
  const signedIn = await signedInNow(loaded.signedIn, world.store.read);
  const { agent, address, locale } = key.asked;
  const visitor: Visitor = {
    ...{ user: signedIn?.user ?? null, impersonator: signedIn?.impersonator ?? null },
    ...{ session: signedIn?.session ?? null, agent, address, locale, origin: input.origin },
    requestId: input.requestId,
  };
  return isPinnedTo(run, visitor) ? visitor : null;
}

/** The run as it stands, for its owner. */
export function stateOf(run: Run, visitor: Visitor): ChainState {
  const { plan, visited, context, challenge, memo, decisions } = run.state;
  return {
    ...{ plan, visited, context, challenge, memo, messages: [], problems: null, effects: [], visitor },
    ...{ sessionHash: run.session, session: null, ended: null, jump: null, reports: [], decisions },
  };
}

/**
 * The run as somebody else goes on in it. What the one who asked had typed or agreed to stays behind: they may be anybody,
 * and would have it written by whoever proves the address (CVE-2023-26481). What an administrator's invitation fixed goes
 * along.
 */
function takenOver({ visitor, sessionHash }: Scene, run: Run): ChainState {
  const { prompt_data: _, 'doorward/origins': __, 'doorward/baseline': ___, ...context } = run.state.context;
  const claims = (context['doorward/claims'] ?? []).filter(({ effect }) => effect.kind !== 'consent.give');
  const kept: PlanContext = { ...context, ...invitedData(run.state.context), 'doorward/claims': claims };
  return { ...stateOf(run, visitor), context: kept, visited: [], visitor, sessionHash };
}

/** Only a click on the page that the link shows counts, in the browser that was shown it. */
function isConfirmed(world: World, { scene, run, part }: Occasion, challenge: Challenge): boolean {
  const { answer } = scene.input;
  if (answer === null) return false;
  const { component } = answer.body;
  if (typeof component === 'string' && component !== '' && component !== challenge.component) return false;
  if (answer.stepToken === null) return true;
  const token = readStepToken(world.keyring, answer.stepToken);
  // A run that is taken over has a new id each time that its link is looked at.
  return (
    token?.session === scene.sessionHash && token.seq === run.seq && (part === 'taken_over' || token.run === run.id)
  );
}

function confirmation(world: World, { scene, flow, run }: Occasion, challenge: Challenge): StepReply {
  const token = { run: run.id, seq: run.seq, session: scene.sessionHash, mintedAt: scene.now };
  return { ...plainReply(world, scene, flow, challenge), stepToken: mintStepToken(world.keyring, token) };
}

async function act(world: World, occasion: Occasion): Promise<StepReply | 'lost'> {
  const { scene, flow, key, chain, part } = occasion;
  await chain.signal({ kind: 'link', key, by: scene.visitor.user?.id ?? null });
  if (chain.state.problems !== null) return linkGone(world, scene);
  const committed = await commitChain(world, chain, () => writesOf(world, occasion));
  if (committed === 'lost') return 'lost';
  if (chain.state.problems !== null) return linkGone(world, scene);
  if (part === 'told')
    return plainReply(world, scene, flow, { component: 'xak-flow-shell', body: text('signal.done') });
  return endReply(world, scene, flow, chain, flowPath(flow.slug, scene.input.query));
}

async function writesOf(world: World, occasion: Occasion): Promise<readonly RunWrite[] | null> {
  const { scene, run, part, chain } = occasion;
  if (part === 'own') return (await runWrites(world, scene, run, chain))?.writes ?? null;
  if (part === 'told') {
    chain.state = leftForOwner(chain.state);
    const there: Scene = {
      ...scene,
      sessionHash: run.session,
      visitor: chain.state.visitor,
      replaces: null,
      ended: null,
    };
    const written = await runWrites(world, there, run, chain);
    return written?.writes.map((write) => remembered(write, scene.now)) ?? null;
  }
  const here: Scene = { ...scene, replaces: scene.run?.id ?? scene.replaces, ended: null, movedOn: null };
  const began = { ...run, session: scene.sessionHash, originSession: null, seq: 0, createdAt: scene.now };
  const written = await runWrites(world, here, began, chain);
  return written === null ? null : [...written.writes, leftBehind(occasion)];
}

/** A denial, or an end that a stage decided, is for the owner to see: the run waits with it as its challenge. */
export function leftForOwner(state: ChainState): ChainState {
  if (state.ended === null) return state;
  const challenge: Challenge =
    state.ended.kind === 'denied'
      ? { component: 'ak-stage-access-denied', error_message: state.ended.message }
      : { component: 'xak-flow-redirect', to: state.ended.to };
  return { ...state, ended: null, challenge };
}

/** What has nothing left to do but to be seen is kept as long as an ended run. */
function remembered(write: RunWrite, now: number): RunWrite {
  const { plan, challenge } = write.run.state;
  if (plan.length > 0 || challenge === null) return write;
  return { ...write, run: { ...write.run, expiresAt: now + endedMemoryMs } };
}

/** The run of the one who asked: it says where it went on, and guards that only one goes on. */
function leftBehind({ scene, key, run }: Occasion): RunWrite {
  const challenge = { component: 'ak-stage-access-denied', error_message: text('signal.went_on_elsewhere') } as const;
  return {
    mode: 'update',
    run: {
      ...{ ...run, id: key.run, seq: run.seq + 1, expiresAt: scene.now + endedMemoryMs },
      state: { ...emptyState, challenge },
    },
  };
}

/**
 * Used, expired, made up, or of another flow: one page for all, and whatever this browser had under way stays. A second
 * click of the browser that used it goes on to where the first one led.
 */
function linkGone(world: World, scene: Scene): StepReply {
  const { input, flow } = scene;
  if (flow === null) {
    if (scene.flowGone) return goneReply(world, scene);
    throw new DoorwardError('flow_not_found', `no flow has the slug ${input.slug}`);
  }
  if (input.answer !== null && scene.ended !== null) return replay(world, scene, scene.ended);
  if (input.answer !== null && (scene.run !== null || scene.movedOn !== null))
    return plainReply(world, scene, flow, { component: 'xak-flow-redirect', to: flowPath(flow.slug, input.query) });
  const error_message = text('signal.link_gone');
  return plainReply(world, scene, flow, { component: 'ak-stage-access-denied', error_message });
}
