/**
 * The rules of bindings: enabled, negate, order, any or all, failure. It differs from the reference on purpose
 * (flow-engine.md 5.1): every binding counts by itself, negate works for groups and users, an anonymous visitor is
 * simply a member of nothing, messages keep the order of the bindings, and an error denies instead of skipping.
 */
import { eventActor } from '../engine/acting.ts';
import type { Bound, PolicyBinding } from '../engine/flow.ts';
import { type AnyPolicy, guardedKeys, type PolicyDesk, type PolicyVerdict } from '../engine/policy.ts';
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

interface Verdict extends Omit<PolicyVerdict, 'failed'> {
  readonly failed: boolean;
}

/** A policy may call another one, which may call a third; deeper than this it is taken for a circle. */
const callDepth = 5;

/** Evaluates bindings against a table of policies. */
export function createPolicies({ table, tools, onError = () => {} }: PoliciesParts): Policies {
  const byKind = new Map(table.map((policy) => [policy.kind, policy]));
  return {
    async evaluate(bound, request, read): Promise<PolicyResult> {
      const bindings = bound.policies.filter((binding) => binding.enabled).toSorted((a, b) => a.order - b.order);
      const evaluation = new Evaluation({ table: byKind, tools, onError, read });
      const verdicts: (readonly [PolicyBinding, Verdict])[] = [];
      let { context } = request;
      // One after the other: what a policy sets, the next one sees.
      for (const binding of bindings) {
        const verdict = await evaluation.binding(binding, { ...request, context });
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

/** What one evaluation works with. */
interface EvaluationParts {
  readonly table: ReadonlyMap<string, AnyPolicy>;
  readonly tools: Tools;
  readonly onError: NonNullable<PoliciesParts['onError']>;
  readonly read: Reads;
}

/** The bindings of one place, asked once about one visitor. */
class Evaluation {
  readonly #parts: EvaluationParts;
  #groups: ReturnType<Reads['groupsOf']> | undefined;

  constructor(parts: EvaluationParts) {
    this.#parts = parts;
  }

  async binding(binding: PolicyBinding, request: PolicyRequest): Promise<Verdict> {
    try {
      const verdict = await this.#judge(binding, request);
      if (verdict.failed !== true) return { ...verdict, passing: verdict.passing !== binding.negate, failed: false };
      return this.#failure(binding, request, verdict.messages);
    } catch (error) {
      this.#parts.onError(binding, error);
      return this.#failure(binding, request, []);
    }
  }

  async #judge(binding: PolicyBinding, request: PolicyRequest): Promise<PolicyVerdict> {
    const { policy, group, user } = binding;
    if (user !== null) return plain(request.userId === user);
    if (group !== null) return plain((await this.#groupsOf(request.userId)).some((member) => member.pk === group));
    if (policy === null) throw new Error('the binding names neither a policy nor a group nor a user');
    const verdict = await withinTime(binding.timeout, (time) => this.#policy(policy, request, { ...time, depth: 0 }));
    for (const key of Object.keys(verdict.contextPatch ?? {})) {
      if (key.startsWith('doorward/'))
        throw new Error(`it sets ${key} in the plan context, which is the product's own`);
      if ((guardedKeys as readonly string[]).includes(key) && !binding.writableContext.includes(key))
        throw new Error(`it sets ${key} in the plan context; add that to writable_context of its binding to allow it`);
    }
    return verdict;
  }

  /**
   * `failure_result` is the administrator's word for this case, and it is not negated. The event names the policy only:
   * an error's own words may hold what was typed.
   */
  #failure(binding: PolicyBinding, request: PolicyRequest, messages: PolicyVerdict['messages']): Verdict {
    const { visitor, flow } = request;
    const passing = binding.failureResult;
    const event = {
      ...{ action: 'policy_exception', ...eventActor(visitor, visitor.user), flow: flow.slug },
      ...{ context: { binding: binding.pk, policy: nameOf(binding) }, at: this.#parts.tools.now() },
      ...{ address: visitor.address, requestId: visitor.requestId },
    };
    return { passing, failed: !passing, messages: passing ? [] : messages, effects: [{ kind: 'event', event }] };
  }

  /** Asked of the store once, however many groups are bound. */
  #groupsOf(userId: number | null): ReturnType<Reads['groupsOf']> {
    if (userId === null) return Promise.resolve([]);
    this.#groups ??= this.#parts.read.groupsOf(userId);
    return this.#groups;
  }

  async #policy(
    { kind, name, config }: Compiled,
    request: PolicyRequest,
    within: TimeGiven & { readonly depth: number },
  ): Promise<PolicyVerdict> {
    const { table, tools, read } = this.#parts;
    const { depth, ...time } = within;
    const known = table.get(kind);
    if (known === undefined) throw new Error(`policies of the kind ${kind} cannot run here`);
    if (depth > callDepth) throw new Error(`policies call each other more than ${callDepth} deep`);
    const verdict = await known.evaluate({
      ...{ config, name, request, read, tools, ...time },
      call: async (other, more) => {
        const context = { ...request.context, ...more };
        const said = await this.#policy(named(request, other), { ...request, context }, { ...time, depth: depth + 1 });
        if (said.failed === true) throw new Error(`the policy ${JSON.stringify(other)} could not find out`);
        return said;
      },
    });
    // Of one that an application wrote without types: what is no answer must not count as one when it is negated.
    if (typeof verdict?.passing !== 'boolean' || !Array.isArray(verdict.messages))
      throw new Error('its verdict lacks passing, a boolean, or messages, a list');
    return verdict;
  }
}

type TimeGiven = Pick<PolicyDesk, 'timeoutMs' | 'signal'>;

/** The longest that a timer can wait. */
const longestMs = 2 ** 31 - 1;

/** @param seconds that the work may take; afterwards it has failed, and its signal is aborted */
async function withinTime<T>(seconds: number, work: (time: TimeGiven) => Promise<T>): Promise<T> {
  const timeoutMs = Math.min(seconds * 1000, longestMs);
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`it took longer than the ${seconds} seconds of its binding's timeout`));
      controller.abort();
    }, timeoutMs);
  });
  try {
    return await Promise.race([work({ timeoutMs, signal: controller.signal }), late]);
  } finally {
    clearTimeout(timer);
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
