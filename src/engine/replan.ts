/** A run that begins again, or goes over into another flow. */
import { type Text, text } from '../protocol/text.ts';
import { withDecisions } from './admit.ts';
import { type ChainSetting, type ChainState, forgetful } from './chain-state.ts';
import { planFlow } from './planner.ts';
import type { Reads } from './ports.ts';

/** What changes, or why there is no plan for this visitor. */
export type Replanned = { readonly change: Partial<ChainState> } | { readonly denied: Text };

/** @param keep what was collected stays known */
export async function startedAgain(
  { world, flow }: ChainSetting,
  state: ChainState,
  keep: boolean,
  read: Reads,
): Promise<Replanned> {
  const start = keep ? state.context : forgetful(state.context);
  const planned = await planFlow(world, flow, state.visitor, start, read);
  if (planned.kind === 'denied') return { denied: planned.message };
  return {
    change: {
      ...{ plan: planned.plan, visited: [], context: planned.context, challenge: null, memo: null, problems: null },
      effects: [...state.effects, ...planned.effects],
      messages: [...state.messages, ...planned.messages],
      decisions: withDecisions(state.decisions, planned.decisions),
    },
  };
}

/** RE-3, RE-4: the target is planned now, so that one that does not apply is said here. */
export async function goneOver(
  { world, flow }: ChainSetting,
  state: ChainState,
  { slug, keep }: { readonly slug: string; readonly keep: boolean },
  read: Reads,
): Promise<Replanned> {
  const target = await world.currentFlow(slug);
  if (target === null) return { denied: text('flow.target_gone') };
  const start = { ...(keep ? state.context : {}), is_redirected: flow.slug };
  const planned = await planFlow(world, target, state.visitor, start, read);
  if (planned.kind === 'denied') return { denied: planned.message };
  const { plan, context, messages, decisions } = planned;
  const jump = { flow: target, plan, context, messages, decisions };
  return { change: { jump, effects: [...state.effects, ...planned.effects] } };
}
