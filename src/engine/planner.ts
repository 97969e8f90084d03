import { type Text, text } from '../protocol/text.ts';
import { askPolicies, patched, policyFailed, withDecisions } from './admit.ts';
import type { Effect } from './effects.ts';
import type { CompiledFlow } from './flow.ts';
import type { PlanContext } from './plan-context.ts';
import type { PolicyDecision } from './policy-request.ts';
import type { Policies, Reads } from './ports.ts';
import type { PlanEntry } from './run.ts';
import type { Visitor } from './visitor.ts';

/** A plan, or why there is none. */
export type Planned =
  | {
      readonly kind: 'planned';
      readonly plan: readonly PlanEntry[];
      readonly context: PlanContext;
      readonly effects: readonly Effect[];
      readonly messages: readonly Text[];
      readonly decisions: readonly PolicyDecision[];
    }
  | { readonly kind: 'denied'; readonly message: Text };

/**
 * Makes a plan for a visitor (flow-engine.md 2.2): the authentication requirement, the flow's policies, then the
 * bindings in their order, dropping those whose policies fail at planning. Unlike the reference nothing is cached
 * between visitors, and a policy that fails to run denies.
 */
export async function planFlow(
  world: { readonly policies: Policies },
  flow: CompiledFlow,
  visitor: Visitor,
  start: PlanContext,
  read: Reads,
): Promise<Planned> {
  if (!(await isAuthenticatedEnough(flow, visitor, start, read))) return denied();
  const verdict = await askPolicies(world.policies, flow, { flow, visitor, context: start }, read);
  if (verdict.failed) return { kind: 'denied', message: policyFailed };
  if (!verdict.passing) return denied(verdict.messages);
  let context = patched(start, verdict.contextPatch);
  let decisions = withDecisions([], verdict.decisions);
  const effects: Effect[] = [...verdict.effects];
  const plan: PlanEntry[] = [];
  for (const binding of flow.bindings) {
    if (binding.evaluateOnPlan) {
      const result = await askPolicies(world.policies, binding, { flow, visitor, context }, read);
      if (result.failed) return { kind: 'denied', message: policyFailed };
      effects.push(...result.effects);
      decisions = withDecisions(decisions, result.decisions);
      context = patched(context, result.contextPatch);
      if (!result.passing) continue;
    }
    plan.push({ binding: binding.pk });
  }
  return { kind: 'planned', plan, context, effects, messages: verdict.messages, decisions };
}

/** All messages of a flow's policies, one a line, or the reference's sentence. */
function denied(messages: readonly Text[] = []): Planned {
  const [first, ...rest] = messages;
  if (first === undefined) return { kind: 'denied', message: text('flow.does_not_apply') };
  const plain = [first, ...rest].every((message) => typeof message === 'string');
  return { kind: 'denied', message: plain ? messages.join('\n') : first };
}

async function isAuthenticatedEnough(
  flow: CompiledFlow,
  visitor: Visitor,
  context: PlanContext,
  read: Reads,
): Promise<boolean> {
  switch (flow.authentication) {
    case 'none':
      return true;
    case 'require_authenticated':
      return visitor.user !== null;
    case 'require_unauthenticated':
      return visitor.user === null;
    case 'require_superuser':
      return visitor.user !== null && (await read.groupsOf(visitor.user.id)).some((group) => group.isSuperuser);
    case 'require_redirect':
      return context.is_redirected !== undefined && context.is_redirected !== null;
    case 'require_outpost':
      // There are no outposts here, so nobody is one.
      return false;
  }
}
