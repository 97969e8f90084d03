/** A look at a run for administrators: where it stands in its flow, what it knows, and what policies said on the way. */
import { DoorwardError } from '../kernel/errors.ts';
import type { Text } from '../protocol/text.ts';
import { bindingOf, pendingId } from './chain-state.ts';
import type { StepInput } from './exchange.ts';
import type { CompiledBinding, CompiledFlow, CompiledStage } from './flow.ts';
import type { PlanContext } from './plan-context.ts';
import type { PolicyDecision } from './policy-request.ts';
import type { EndOutcome, PlanEntry, RunState } from './run.ts';
import { type Scene, setScene } from './scene.ts';
import { firstArrival } from './step.ts';
import type { User } from './user.ts';
import type { World } from './world.ts';

/** A stage at its place: where a run stands with it. */
export interface InspectedPlace {
  /** As the plan calls it: pk of the binding, or a name of an inserted stage's own. */
  readonly id: string;
  readonly stage: CompiledStage;
  /** null for a stage that another one inserted. */
  readonly binding: CompiledBinding | null;
  readonly state: 'done' | 'skipped' | 'current' | 'to_come';
}

/** What a policy said, and the name of the stage that it was about: its visit or its answers; null for the whole flow. */
export interface InspectedDecision extends PolicyDecision {
  readonly stage: string | null;
}

/** A run as it stands. Values are as the run holds them: who shows them masks them. */
export interface Inspection {
  readonly flow: CompiledFlow;
  /** In the order of the visit; none after the end, when the run forgets its plan. */
  readonly places: readonly InspectedPlace[];
  readonly context: PlanContext;
  readonly pendingUser: User | null;
  readonly decisions: readonly InspectedDecision[];
  readonly messages: readonly Text[];
  /** null while it is under way. */
  readonly ended: EndOutcome | null;
  readonly sessionHash: string;
}

/**
 * Looks at the run of a browser's session, without moving it. A run that has no row yet is planned as its next request
 * would plan it.
 *
 * @returns null where the browser has no run of the flow, and would get none
 * @throws DoorwardError `flow_not_found`
 */
export async function inspect(world: World, input: StepInput): Promise<Inspection | null> {
  const scene = await setScene(world, input);
  const { flow } = scene;
  if (flow === null) throw new DoorwardError('flow_not_found', `no flow has the slug ${input.slug}`);
  if (scene.run === null && scene.ended !== null) {
    const { outcome } = scene.ended.how;
    const nothing = { places: [], context: {}, pendingUser: null, decisions: [], messages: [] };
    return { flow, ...nothing, ended: outcome, sessionHash: scene.sessionHash };
  }
  const state = scene.run?.state ?? (await stateToBe(world, scene, flow));
  if (state === null) return null;
  const { context, decisions, messages } = state;
  const places = placesOf(flow, state);
  const stageAt = (at: string) => places.find(({ id, stage }) => id === at || stage.pk === at)?.stage.name ?? null;
  return {
    ...{ flow, places, context, messages, ended: null },
    decisions: decisions.map((decision) => ({ ...decision, stage: stageAt(decision.at) })),
    ...{ pendingUser: await pendingUserOf(world, scene, context), sessionHash: scene.sessionHash },
  };
}

type Looked = Pick<RunState, 'plan' | 'context' | 'decisions' | 'messages'>;

async function stateToBe(world: World, scene: Scene, flow: CompiledFlow): Promise<Looked | null> {
  if (scene.input.newcomer || scene.movedOn !== null) return null;
  const arrived = await firstArrival(world, scene, flow, null);
  if ('denied' in arrived) return null;
  const { state } = arrived.chain;
  return state.ended === null && state.jump === null ? state : null;
}

async function pendingUserOf(world: World, { visitor }: Scene, context: PlanContext): Promise<User | null> {
  const id = pendingId(context);
  if (id === null) return null;
  return id === visitor.user?.id ? visitor.user : world.store.read.user(id);
}

function placesOf(flow: CompiledFlow, { plan, decisions }: Looked): readonly InspectedPlace[] {
  const { bindings } = flow;
  const [current] = plan;
  const planned = new Map(plan.map((entry) => [entry.binding, entry]));
  // What is visited once more because of a problem lies behind; the way goes on from the first of the others.
  const next = plan.find((entry) => entry.revise === undefined && bindingOf(flow, entry) !== undefined);
  const reached = next === undefined ? bindings.length : bindings.findIndex(({ pk }) => pk === next.binding);
  const stateOf = (binding: CompiledBinding, index: number): InspectedPlace['state'] => {
    if (planned.has(binding.pk)) return binding.pk === current?.binding ? 'current' : 'to_come';
    return index < reached && !wasRefused(binding, decisions) ? 'done' : 'skipped';
  };
  const bound = bindings.map((binding, index): InspectedPlace => {
    return { id: binding.pk, stage: binding.stage, binding, state: stateOf(binding, index) };
  });
  const inserted = plan.flatMap((entry) => insertedPlace(entry, entry === current));
  return [...bound.slice(0, reached), ...inserted, ...bound.slice(reached)];
}

function insertedPlace({ binding: id, inserted }: PlanEntry, isCurrent: boolean): readonly InspectedPlace[] {
  if (inserted === undefined) return [];
  return [{ id, stage: inserted, binding: null, state: isCurrent ? 'current' : 'to_come' }];
}

/** Whether the policies of a binding said no when they were asked last. */
function wasRefused(
  { pk, policies, policyEngineMode }: CompiledBinding,
  decisions: readonly PolicyDecision[],
): boolean {
  const count = policies.filter(({ enabled }) => enabled).length;
  const last = decisions.filter(({ at }) => at === pk).slice(-count);
  if (count === 0 || last.length === 0) return false;
  return policyEngineMode === 'all' ? last.some(({ passing }) => !passing) : last.every(({ passing }) => !passing);
}
