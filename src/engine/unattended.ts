/**
 * A flow without a browser: the same planner, stages and commit as `step.ts`, up to the end or the first challenge that
 * only a person can answer. A dry run is exactly this without the commit.
 */
import { DoorwardError } from '../kernel/errors.ts';
import { hashToken } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { Challenge } from '../protocol/challenge.ts';
import { type FieldProblems, type Text, text } from '../protocol/text.ts';
import { Chain } from './chain.ts';
import type { ChainState } from './chain-state.ts';
import { commitChain } from './commit-chain.ts';
import type { CompiledFlow } from './flow.ts';
import type { PlanContext } from './plan-context.ts';
import { type Planned, planFlow } from './planner.ts';
import { keyPrefix, type Run } from './run.ts';
import { emptyState, flowPath } from './run-writes.ts';
import type { Visitor } from './visitor.ts';
import type { World } from './world.ts';

/** A flow to run, and what is known beforehand. */
export interface UnattendedInput {
  readonly slug: string;
  readonly visitor: Visitor;
  readonly context: PlanContext;
  readonly dryRun: boolean;
  /** Runs with the same key happen once. */
  readonly key: string | null;
}

/** How far a flow came. */
export interface UnattendedEnd {
  readonly status: 'done' | 'denied' | 'challenge';
  /** Why it was denied. */
  readonly message: Text | null;
  /** What is wrong with the data, by field. */
  readonly problems: FieldProblems;
  /** What a person would be asked. */
  readonly challenge: Challenge | null;
  readonly reports: readonly JsonObject[];
}

/** Callers with one key wait for each other at most so often. */
const raceLimit = 5;

/** A key is remembered for 30 days. */
export const keyLifetimeMs = 30 * 24 * 60 * 60 * 1000;

/**
 * @returns the end, and whether it is the recorded one of an earlier run with this key
 * @throws DoorwardError `flow_not_found`, `store_unavailable`, `too_busy`; nothing was written then, or with a key the
 * same call tells
 */
export async function runUnattended(
  world: World,
  input: UnattendedInput,
): Promise<{ readonly end: UnattendedEnd; readonly repeated: boolean }> {
  for (let race = 0; race < raceLimit; race += 1) {
    const known = await look(world, input);
    if (known.recorded !== null) return { end: known.recorded, repeated: true };
    const flow = known.version === null ? null : await world.flow(input.slug, known.version);
    if (flow === null) throw new DoorwardError('flow_not_found', `no flow has the slug ${input.slug}`);
    const attempted = await attempt(world, input, flow);
    if (attempted === 'lost') continue;
    // What this run was refused may have been taken by another one with this very key, which ended in the meantime.
    const recorded = attempted.kept || input.key === null ? null : (await look(world, input)).recorded;
    return { end: recorded ?? attempted.end, repeated: recorded !== null };
  }
  throw new DoorwardError('store_unavailable', `flow ${input.slug}: lost the race for its key again and again`, {
    retryAfter: 1,
  });
}

/** The flow's current version, and what was recorded under the key. */
async function look(
  world: World,
  input: UnattendedInput,
): Promise<{ readonly version: number | null; readonly recorded: UnattendedEnd | null }> {
  const key = { sessionHash: sessionOf(input), flow: input.slug, variant: '', now: world.tools.now() };
  const { flowVersion, run } = await world.store.load(key);
  const result: unknown = run?.ended?.result;
  return { version: flowVersion, recorded: (result ?? null) as UnattendedEnd | null };
}

/** `kept`: it happened, and the store says so. */
async function attempt(
  world: World,
  input: UnattendedInput,
  flow: CompiledFlow,
): Promise<{ readonly end: UnattendedEnd; readonly kept: boolean } | 'lost'> {
  const { visitor, context, dryRun } = input;
  const planned = await planFlow(world, flow, visitor, context, world.store.read);
  if (planned.kind === 'denied')
    return { end: { ...nothing, status: 'denied', message: planned.message }, kept: false };
  const setting = {
    world: dryRun ? withoutTrace(world) : world,
    flow,
    query: {},
    next: null,
    origin: visitor.origin,
    run: '',
  };
  const chain = new Chain({ ...setting, unattended: true, dryRun, forOwner: true }, startOf(input, planned));
  await advance(chain);
  if (dryRun) return { end: endOf(chain.state), kept: false };
  let kept = false;
  const writes = async () => {
    const { state } = chain;
    kept = state.effects.length > 0 || state.ended?.kind === 'done';
    if (input.key !== null && kept)
      return [{ mode: 'insert', run: recordOf(world, input, flow, endOf(state)) } as const];
    return state.effects.length > 0 ? [] : null;
  };
  const committed = await commitChain(world, chain, writes, () => advance(chain));
  return committed === 'lost' ? 'lost' : { end: endOf(chain.state), kept };
}

/** Answers challenges from what is known, until one remains or an answer is not good enough. */
async function advance(chain: Chain): Promise<void> {
  await chain.arrive();
  while (chain.state.challenge !== null && chain.state.problems === null) {
    const answer = chain.unattendedAnswer();
    if (answer === null) return;
    await chain.answer(answer);
  }
}

function startOf(
  input: UnattendedInput,
  { plan, context, effects, messages, decisions }: Extract<Planned, { kind: 'planned' }>,
): ChainState {
  return {
    ...{ plan, context, effects, messages, visited: [], challenge: null, memo: null, problems: null },
    ...{
      visitor: input.visitor,
      sessionHash: sessionOf(input),
      session: null,
      ended: null,
      jump: null,
      reports: [],
      decisions,
    },
  };
}

function endOf({ ended, jump, challenge, problems, reports }: ChainState): UnattendedEnd {
  const known = { ...nothing, problems: problems ?? {}, reports };
  if (ended?.kind === 'denied') return { ...known, status: 'denied', message: ended.message };
  if (ended !== null) return { ...known, status: 'done' };
  // A redirect into another flow is the browser's to follow.
  const asked =
    jump === null ? challenge : ({ component: 'xak-flow-redirect', to: flowPath(jump.flow.slug, {}) } as const);
  return { ...known, status: 'challenge', challenge: asked };
}

const nothing: UnattendedEnd = { status: 'done', message: null, problems: {}, challenge: null, reports: [] };

/** The row that stands for the key: a run that has ended, with the answer for whoever comes again. */
function recordOf(world: World, input: UnattendedInput, flow: CompiledFlow, end: UnattendedEnd): Run {
  const now = world.tools.now();
  const session = sessionOf(input);
  return {
    ...{ id: hashToken(`${session}\n${flow.slug}`), flow: flow.slug, version: flow.version, session, variant: '' },
    ...{ originSession: null, userId: input.visitor.user?.id ?? null, seq: 1, state: emptyState },
    ...{ impersonatorId: input.visitor.impersonator?.id ?? null, createdAt: now, expiresAt: now + keyLifetimeMs },
    ended: {
      ...{ at: now, answer: '', secretAnswer: false, sessionToken: null, persistent: false, sessionExpiresAt: 0 },
      outcome:
        end.status === 'done'
          ? { kind: 'done', to: '/' }
          : { kind: 'denied', message: end.message ?? text('flow.gone') },
      result: JSON.parse(JSON.stringify(end)),
    },
  };
}

function sessionOf({ key }: UnattendedInput): string {
  return `${keyPrefix}${key === null ? '' : hashToken(key)}`;
}

/** Ids are drawn from the store, and hashing costs time: a dry run does neither. */
function withoutTrace(world: World): World {
  let next = 0;
  const newUserId = async () => --next;
  return { ...world, tools: { ...world.tools, newUserId, hashPassword: async () => '' } };
}
