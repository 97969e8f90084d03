/**
 * The rules of bindings: enabled, negate, order, any or all, failure. It differs from the reference on purpose
 * (flow-engine.md 5.1): every binding counts by itself, negate works for groups and users, an anonymous visitor is
 * simply a member of nothing, messages keep the order of the bindings, and an error denies instead of skipping.
 */
import type { Bound, PolicyBinding } from '../engine/flow.ts';
import { type AnyPolicy, guardedKeys, type PolicyVerdict } from '../engine/policy.ts';
import type { PolicyDecision, PolicyRequest, PolicyResult } from '../engine/policy-request.ts';
import type { Policies, Reads, Tools } from '../engine/ports.ts';
import { isPlainObject, type JsonObject } from '../kernel/json.ts';

export interface PoliciesParts {
  readonly table: readonly AnyPolicy[];
  readonly tools: Tools;
  /** Hears why a policy could not run. */
  readonly onError?: (binding: PolicyBinding, error: unknown) => void;
}

/** A policy by value, as a flow version holds it. */
type Compiled = NonNullable<PolicyBinding['policy']>;

interface Verdict extends PolicyVerdict {
  readonly failed: boolean;
}

/** A policy may call another one, which may call a third; deeper than this it is taken for a circle. */
const callDepth = 5;

/** Evaluates bindings against a table of policies. */
export function createPolicies({ table, tools, onError = () => {} }: PoliciesParts): Policies {
  const evaluator = new Evaluator(new Map(table.map((policy) => [policy.kind, policy])), tools, onError);
  return {
    async evaluate(bound, request, read): Promise<PolicyResult> {
      const bindings = bound.policies.filter((binding) => binding.enabled).toSorted((a, b) => a.order - b.order);
      const verdicts: (readonly [PolicyBinding, Verdict])[] = [];
      let { context } = request;
      // One after the other: what a policy sets, the next one sees.
      for (const binding of bindings) {
        const verdict = await evaluator.binding(binding, { ...request, context }, read);
        context = { ...context, ...verdict.contextPatch };
        verdicts.push([binding, verdict]);
      }
      return combine(bound, verdicts);
    },
  };
}

function combine(bound: Bound, judged: readonly (readonly [PolicyBinding, Verdict])[]): PolicyResult {
  const verdicts = judged.map(([, verdict]) => verdict);
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
    contextPatch: Object.assign({}, ...verdicts.map(({ contextPatch }) => contextPatch)),
    effects: verdicts.flatMap((verdict) => verdict.effects ?? []),
    decisions: judged.map(([binding, { passing: passes, failed, messages }]): PolicyDecision => {
      return { at: bound.pk, name: nameOf(binding), passing: passes, failed, messages };
    }),
  };
}

function nameOf({ policy, group, user }: PolicyBinding): string {
  if (policy !== null) return `policy "${policy.name}"`;
  return group === null ? `user ${user}` : `group ${group}`;
}

class Evaluator {
  readonly #table: ReadonlyMap<string, AnyPolicy>;
  readonly #tools: Tools;
  readonly #onError: NonNullable<PoliciesParts['onError']>;

  constructor(table: ReadonlyMap<string, AnyPolicy>, tools: Tools, onError: NonNullable<PoliciesParts['onError']>) {
    this.#table = table;
    this.#tools = tools;
    this.#onError = onError;
  }

  async binding(binding: PolicyBinding, request: PolicyRequest, read: Reads): Promise<Verdict> {
    try {
      const verdict = await this.#judge(binding, request, read);
      return { ...verdict, passing: verdict.passing !== binding.negate, failed: false };
    } catch (error) {
      this.#onError(binding, error);
      // failure_result is the administrator's word for this case, and it is not negated.
      return { passing: binding.failureResult, failed: !binding.failureResult, messages: [] };
    }
  }

  async #judge(binding: PolicyBinding, request: PolicyRequest, read: Reads): Promise<PolicyVerdict> {
    const { policy, group, user } = binding;
    if (user !== null) return plain(request.userId === user);
    if (group !== null) {
      const groups = request.userId === null ? [] : await read.groupsOf(request.userId);
      return plain(groups.some((member) => member.pk === group));
    }
    if (policy === null) throw new Error('the binding names neither a policy nor a group nor a user');
    const verdict = await this.#policy(policy, request, read, { timeoutMs: binding.timeout * 1000, depth: 0 });
    for (const key of Object.keys(verdict.contextPatch ?? {}))
      if ((guardedKeys as readonly string[]).includes(key) && !binding.writableContext.includes(key))
        throw new Error(`it sets ${key} in the plan context; add that to writable_context of its binding to allow it`);
    return verdict;
  }

  async #policy(
    { kind, name, config }: Compiled,
    request: PolicyRequest,
    read: Reads,
    { timeoutMs, depth }: { readonly timeoutMs: number; readonly depth: number },
  ): Promise<PolicyVerdict> {
    const known = this.#table.get(kind);
    if (known === undefined) throw new Error(`policies of the kind ${kind} cannot run here`);
    if (depth > callDepth) throw new Error(`policies call each other more than ${callDepth} deep`);
    return known.evaluate({
      ...{ config, name, request, read, timeoutMs, tools: this.#tools },
      call: (other, more) => {
        const context = { ...request.context, ...more };
        return this.#policy(named(request, other), { ...request, context }, read, { timeoutMs, depth: depth + 1 });
      },
    });
  }
}

/** A policy that the flow's version holds because another one names it. */
function named({ flow }: PolicyRequest, name: string): Compiled {
  const found = Object.values(flow.objects).find((object) => object.kind === 'policy' && object.name === name);
  const { kind, config } = isPlainObject(found?.config) ? found.config : {};
  if (found === undefined || typeof kind !== 'string' || !isPlainObject(config))
    throw new Error(`there is no policy named ${JSON.stringify(name)} in this flow`);
  return { pk: found.pk, name, kind, config: config as JsonObject };
}

function plain(passing: boolean): PolicyVerdict {
  return { passing, messages: [] };
}
