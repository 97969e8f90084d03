import type { JsonObject } from '../kernel/json.ts';
import { text } from '../protocol/text.ts';
import { policyUser } from './chain-state.ts';
import type { Bound, CompiledFlow, PolicyBinding } from './flow.ts';
import type { PlanContext } from './plan-context.ts';
import type { PolicyDecision, PolicyResult } from './policy-request.ts';
import type { Policies, Reads } from './ports.ts';
import type { Visitor } from './visitor.ts';

/** Asks what is bound to a flow or a stage binding about the visitor. */
export function askPolicies(
  policies: Policies,
  bound: Bound,
  about: { readonly flow: CompiledFlow; readonly visitor: Visitor; readonly context: PlanContext },
  read: Reads,
): Promise<PolicyResult> {
  const userId = policyUser(about.context, about.visitor);
  return policies.evaluate(bound, { ...about, userId }, read);
}

/** Policies that a stage's configuration names by pk, as if they were bound to it and all had to pass. */
export function referredPolicies(flow: CompiledFlow, stage: string, pks: readonly string[]): Bound {
  const bindings = pks.map((pk, order): PolicyBinding => {
    const { kind = '', config = {} } = (flow.objects[pk]?.config ?? {}) as { kind?: string; config?: JsonObject };
    const name = flow.objects[pk]?.name ?? pk;
    return {
      ...{ pk, order, enabled: true, negate: false, timeout: 30, failureResult: false, writableContext: [] },
      ...{ policy: { pk, kind, name, config }, group: null, user: null },
    };
  });
  return { pk: stage, policyEngineMode: 'all', policies: bindings };
}

/** The context with what policies set in it. A policy that does not pass may set something, too; one that failed may not. */
export function patched(context: PlanContext, patch: PolicyResult['contextPatch']): PlanContext {
  const members: Record<string, unknown> = { ...context };
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) delete members[key];
    else members[key] = value;
  }
  return members;
}

const decisionsKept = 100;

/** The newest decisions of a run. */
export function withDecisions(
  known: readonly PolicyDecision[],
  more: readonly PolicyDecision[],
): readonly PolicyDecision[] {
  return more.length === 0 ? known : [...known, ...more].slice(-decisionsKept);
}

/** What a visitor reads where a policy could not run. */
export const policyFailed = text('flow.policy_failed');
