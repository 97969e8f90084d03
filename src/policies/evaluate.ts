/**
 * The rules of bindings: enabled, negate, order, any or all, failure. It differs from the reference on purpose
 * (flow-engine.md 5.1): every binding counts by itself, negate works for groups and users, an anonymous visitor is
 * simply a member of nothing, messages keep the order of the bindings, and an error denies instead of skipping.
 */
import type { Effect } from '../engine/effects.ts';
import type { Bound, PolicyBinding } from '../engine/flow.ts';
import type { Policies, PolicyRequest, PolicyResult, Reads } from '../engine/ports.ts';
import type { Text } from '../protocol/text.ts';
import type { Policy } from './index.ts';

interface Verdict {
  readonly passing: boolean;
  readonly failed: boolean;
  readonly messages: readonly Text[];
  readonly effects: readonly Effect[];
}

/** Evaluates bindings against a table of policies. `onError` hears why a policy could not run. */
export function createPolicies(
  table: readonly Policy[],
  onError: (binding: PolicyBinding, error: unknown) => void = () => {},
): Policies {
  const byKind = new Map(table.map((policy) => [policy.kind, policy]));
  return {
    async evaluate(bound, request, read): Promise<PolicyResult> {
      const bindings = bound.policies.filter((binding) => binding.enabled).toSorted((a, b) => a.order - b.order);
      const verdicts: Verdict[] = [];
      for (const binding of bindings) {
        const verdict = await evaluateBinding(binding, request, read, byKind, onError);
        verdicts.push(verdict);
      }
      return combine(bound, verdicts);
    },
  };
}

function combine(bound: Bound, verdicts: readonly Verdict[]): PolicyResult {
  const passing =
    verdicts.length === 0 ||
    (bound.policyEngineMode === 'all'
      ? verdicts.every((verdict) => verdict.passing)
      : verdicts.some((verdict) => verdict.passing));
  return {
    passing,
    // What could not be evaluated matters only where it could have decided.
    failed: !passing && verdicts.some((verdict) => verdict.failed),
    messages: verdicts.flatMap((verdict) => verdict.messages),
    contextPatch: {},
    effects: verdicts.flatMap((verdict) => verdict.effects),
  };
}

async function evaluateBinding(
  binding: PolicyBinding,
  request: PolicyRequest,
  read: Reads,
  table: ReadonlyMap<string, Policy>,
  onError: (binding: PolicyBinding, error: unknown) => void,
): Promise<Verdict> {
  try {
    const result = await judge(binding, request, read, table);
    return { ...result, passing: result.passing !== binding.negate, failed: false };
  } catch (error) {
    onError(binding, error);
    // failure_result is the administrator's word for this case, and it is not negated.
    return { passing: binding.failureResult, failed: !binding.failureResult, messages: [], effects: [] };
  }
}

async function judge(
  binding: PolicyBinding,
  request: PolicyRequest,
  read: Reads,
  table: ReadonlyMap<string, Policy>,
): Promise<Omit<Verdict, 'failed'>> {
  const { policy, group, user } = binding;
  if (user !== null) return plain(request.userId === user);
  if (group !== null) {
    const groups = request.userId === null ? [] : await read.groupsOf(request.userId);
    return plain(groups.some((member) => member.pk === group));
  }
  if (policy === null) throw new Error('the binding names neither a policy nor a group nor a user');
  const known = table.get(policy.kind);
  if (known === undefined) throw new Error(`policies of the kind ${policy.kind} cannot run here`);
  const result = await known.evaluate(policy.config, request, read);
  return { passing: result.passing, messages: result.messages, effects: result.effects ?? [] };
}

function plain(passing: boolean): Omit<Verdict, 'failed'> {
  return { passing, messages: [], effects: [] };
}
