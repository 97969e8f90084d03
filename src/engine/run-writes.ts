import { newUuid } from '../kernel/ids.ts';
import type { Chain } from './chain.ts';
import type { Jump } from './chain-state.ts';
import type { StepInput } from './exchange.ts';
import { answerDigest, handoverOf } from './handover.ts';
import type { RunWrite } from './ports.ts';
import type { EndedRun, EndOutcome, Run, RunState } from './run.ts';
import { runLifetimeMs, type Scene, variantOf } from './scene.ts';
import type { World } from './world.ts';

/** The rows to write for this run, and the run as it is afterwards. */
export interface Written {
  readonly run: Run;
  readonly writes: readonly RunWrite[];
}

/**
 * What the commit must write of the run, or null when the request changed nothing: a wrong answer without effects, or
 * a first challenge that has neither memo nor effects (visitors who never answer cost no row).
 */
export async function runWrites(world: World, scene: Scene, run: Run, chain: Chain): Promise<Written | null> {
  const { state } = chain;
  if (state.ended === null && state.jump === null && !mustBeKept(scene, run, chain)) return null;
  const moved = move(world, scene, run, chain);
  const write: RunWrite = {
    mode: run.seq === 0 ? 'insert' : 'update',
    run: moved,
    ...(run.seq === 0 && scene.replaces !== null ? { replaces: scene.replaces } : {}),
  };
  if (state.jump === null) return { run: moved, writes: [write] };
  return { run: moved, writes: [write, await jumpWrite(world, scene, moved, state.jump)] };
}

function mustBeKept(scene: Scene, run: Run, chain: Chain): boolean {
  const { state } = chain;
  if (state.effects.length > 0) return true;
  // A wrong answer alone changes nothing: its problems and what was typed go back with the reply.
  if (run.seq > 0) return chain.moved || state.memo !== run.state.memo || run.state.challenge === null;
  if (state.memo !== null || (chain.answered && chain.moved)) return true;
  // After an end within memory a GET starts anew, and the row says so to an answer that brings no step token.
  return scene.ended !== null || scene.movedOn !== null;
}

function move(world: World, scene: Scene, run: Run, chain: Chain): Run {
  const handover = handoverOf(world, scene, run, chain);
  const { state } = chain;
  const { plan, visited, context, challenge, problems, memo, messages, decisions } = state;
  const ended: EndOutcome | null =
    state.jump === null ? state.ended : { kind: 'done', to: flowPath(state.jump.flow.slug, onward(scene.input.query)) };
  return {
    ...run,
    session: state.sessionHash,
    originSession: state.sessionHash === scene.sessionHash ? run.originSession : scene.sessionHash,
    userId: state.visitor.user?.id ?? null,
    impersonatorId: state.visitor.impersonator?.id ?? null,
    seq: run.seq + 1,
    expiresAt: Math.max(scene.now + runLifetimeMs, state.keepUntil ?? 0),
    state:
      ended === null
        ? {
            ...{ plan, visited, context, challenge, problems, memo, messages, decisions, next: chain.next },
            ...(handover === null ? {} : { handover }),
          }
        : emptyState,
    ended: ended === null ? null : endedRun(world, scene, run, chain, ended),
  };
}

function endedRun(world: World, scene: Scene, run: Run, chain: Chain, outcome: EndOutcome): EndedRun {
  const { session } = chain.state;
  const token = session === null || session.kind === 'end' ? null : session.token;
  return {
    at: scene.now,
    outcome,
    answer: scene.input.answer === null ? '' : answerDigest(world, scene.input.answer.body),
    secretAnswer: chain.heldSecret,
    sessionToken: token === null ? null : world.keyring.seal('replay', token, run.id),
    persistent: session?.kind === 'begin' ? session.persistent : (scene.visitor.session?.persistent ?? false),
    sessionExpiresAt: session?.kind === 'begin' ? session.expiresAt : (scene.visitor.session?.expiresAt ?? 0),
  };
}

/** A run with nothing to do and nothing known. */
export const emptyState: RunState = {
  ...{ plan: [], visited: [], context: {}, challenge: null, problems: null, memo: null, next: null, messages: [] },
  decisions: [],
};

/** The page of a flow, the visitor's own query kept. */
export function flowPath(slug: string, query: Readonly<Record<string, string>>): string {
  const search = new URLSearchParams(query).toString();
  return `/if/flow/${encodeURIComponent(slug)}/${search === '' ? '' : `?${search}`}`;
}

/** What of the query leads on into another flow: a one-time link is for the flow that it opened. */
export function onward({ flow_token: _, setup: __, ...query }: StepInput['query']): StepInput['query'] {
  return query;
}

/** The run of the flow that a redirect stage leads to; its first stage is visited when its page is opened. */
async function jumpWrite(
  world: World,
  scene: Scene,
  run: Run,
  { flow, plan, context, messages, decisions }: Jump,
): Promise<RunWrite> {
  const variant = variantOf(onward(scene.input.query));
  const key = { sessionHash: run.session, flow: flow.slug, variant, now: scene.now };
  const there = (await world.store.load(key)).run;
  return {
    mode: 'insert',
    run: {
      ...run,
      ...{ id: newUuid(), flow: flow.slug, version: flow.version, variant, originSession: null, seq: 1 },
      ...{ createdAt: scene.now, ended: null },
      state: { ...emptyState, plan, context, next: run.state.next, messages, decisions },
    },
    ...(there !== null && there.ended === null ? { replaces: there.id } : {}),
  };
}
