import type { z } from 'zod';
import type { Definition } from '../engine/definition.ts';
import type {
  Bound,
  CompiledBinding,
  CompiledFlow,
  CompiledObject,
  CompiledStage,
  PolicyBinding,
} from '../engine/flow.ts';
import type { AnyPolicy } from '../engine/policy.ts';
import type { AnyStage, ReferenceKind } from '../engine/stage.ts';
import { DoorwardError } from '../kernel/errors.ts';
import type { Json, JsonObject } from '../kernel/json.ts';
import {
  bindingAttrs,
  bindingModel,
  flowAttrs,
  flowModel,
  type Installed,
  policyBindingAttrs,
  policyBindingModel,
} from './models.ts';

/**
 * Makes every defined flow into one value that holds all that a run needs: stages with their configuration checked and
 * defaults filled in, policies, and whatever those refer to. The version number is 0; who stores it gives the number.
 *
 * @param definitions all of them, groups that are referred to included
 * @throws DoorwardError `blueprint` when the kind of a stage or policy does not exist here
 */
export function compileFlows(definitions: readonly Definition[], installed: Installed): readonly CompiledFlow[] {
  const compiler = new Compiler(definitions, installed);
  return definitions.filter(({ model }) => model === flowModel).map((flow) => compiler.flow(flow));
}

class Compiler {
  readonly #byPk: ReadonlyMap<string, Definition>;
  readonly #byTarget = new Map<Json | undefined, Definition[]>();
  readonly #stages: ReadonlyMap<string, AnyStage>;
  readonly #policiesByModel: ReadonlyMap<string, AnyPolicy>;
  readonly #policyDefinitions: readonly Definition[];

  constructor(definitions: readonly Definition[], { stages, policies }: Installed) {
    this.#byPk = new Map(definitions.map((definition) => [definition.pk, definition]));
    this.#stages = new Map(stages.map((stage) => [stage.model.toLowerCase(), stage]));
    this.#policiesByModel = new Map(policies.map((policy) => [policy.model.toLowerCase(), policy]));
    this.#policyDefinitions = definitions.filter(({ model }) => this.#policiesByModel.has(model));
    for (const definition of definitions) {
      if (definition.model !== bindingModel && definition.model !== policyBindingModel) continue;
      const { target } = definition.attrs;
      this.#byTarget.set(target, [...(this.#byTarget.get(target) ?? []), definition]);
    }
  }

  flow({ pk, attrs }: Definition): CompiledFlow {
    const flow = flowAttrs.parse(attrs);
    const bindings = this.#bound(bindingModel, pk, bindingAttrs).map(({ pk: own, value }) => this.#binding(own, value));
    const objects = new Map<string, CompiledObject>();
    for (const { stage } of bindings) this.#collect(stage, objects);
    const own = this.#policies(pk, flow.policy_engine_mode);
    for (const { policy } of [own, ...bindings].flatMap(({ policies }) => policies))
      if (policy !== null) this.#collectCalled(policy.config, objects);
    return {
      ...{ pk, slug: flow.slug, version: 0, name: flow.name, title: flow.title, designation: flow.designation },
      ...{ authentication: flow.authentication, deniedAction: flow.denied_action, layout: flow.layout },
      background: flow.background ?? '',
      ...own,
      bindings,
      objects: Object.fromEntries(objects),
    };
  }

  #binding(pk: string, value: z.infer<typeof bindingAttrs>): CompiledBinding {
    return {
      order: value.order,
      stage: this.#stage(value.stage),
      evaluateOnPlan: value.evaluate_on_plan,
      reEvaluatePolicies: value.re_evaluate_policies,
      invalidResponseAction: value.invalid_response_action,
      ...this.#policies(pk, value.policy_engine_mode),
    };
  }

  #policies(pk: string, mode: Bound['policyEngineMode']): Bound {
    const policies = this.#bound(policyBindingModel, pk, policyBindingAttrs).map(
      ({ pk: own, value }): PolicyBinding => ({
        ...{ pk: own, order: value.order, enabled: value.enabled, negate: value.negate, timeout: value.timeout },
        ...{ failureResult: value.failure_result, group: value.group, user: value.user },
        writableContext: value.writable_context,
        policy: value.policy === null ? null : this.#policy(value.policy),
      }),
    );
    return { pk, policyEngineMode: mode, policies };
  }

  #policy(pk: string): NonNullable<PolicyBinding['policy']> {
    const { model, attrs } = this.#definition(pk);
    const { name, ...rest } = attrs;
    const policy = this.#policiesByModel.get(model);
    if (policy === undefined) throw missing('policy', String(name), model);
    return { pk, kind: policy.kind, name: String(name), config: policy.config.parse(rest) };
  }

  #stage(pk: string): CompiledStage {
    const { model, attrs } = this.#definition(pk);
    const { name, ...rest } = attrs;
    const stage = this.#stages.get(model);
    if (stage === undefined) throw missing('stage', String(name), model);
    return { pk, name: String(name), kind: stage.kind, config: stage.config.parse(rest) };
  }

  /** What a stage's configuration refers to, and what that refers to in turn. */
  #collect(stage: CompiledStage, objects: Map<string, CompiledObject>): void {
    const declared = [...this.#stages.values()].find(({ kind }) => kind === stage.kind)?.references ?? {};
    for (const [name, kind] of Object.entries(declared)) {
      const value = stage.config[name];
      for (const pk of Array.isArray(value) ? value : [value]) {
        if (typeof pk !== 'string' || objects.has(pk) || !this.#byPk.has(pk)) continue;
        objects.set(pk, this.#object(pk, kind));
        if (kind === 'stage') this.#collect(this.#stage(pk), objects);
        if (kind === 'policy') this.#collectCalled(this.#policy(pk).config, objects);
      }
    }
  }

  /** Policies that an expression asks by a name that stands in it, and those that they ask in turn. */
  #collectCalled({ expression }: JsonObject, objects: Map<string, CompiledObject>): void {
    if (typeof expression !== 'string') return;
    for (const [, , name] of expression.matchAll(/ak_call_policy\(\s*(['"`])(.*?)\1/g)) {
      const called = this.#policyDefinitions.find(({ attrs }) => attrs.name === name);
      if (called === undefined || objects.has(called.pk)) continue;
      objects.set(called.pk, this.#object(called.pk, 'policy'));
      this.#collectCalled(this.#policy(called.pk).config, objects);
    }
  }

  #object(pk: string, kind: ReferenceKind): CompiledObject {
    const { attrs } = this.#definition(pk);
    const name = String(attrs.name);
    switch (kind) {
      case 'flow':
        return { pk, kind, name, config: { slug: attrs.slug ?? '', designation: attrs.designation ?? '' } };
      case 'group':
        return { pk, kind, name, config: { name } };
      case 'stage': {
        const stage = this.#stage(pk);
        return { pk, kind, name, config: stage.config, stageKind: stage.kind };
      }
      case 'policy': {
        const policy = this.#policy(pk);
        return { pk, kind, name, config: { kind: policy.kind, config: policy.config } };
      }
      default:
        return { pk, kind, name, config: attrs };
    }
  }

  #definition(pk: string): Definition {
    const definition = this.#byPk.get(pk);
    if (definition === undefined) throw new DoorwardError('internal', `nothing has the pk ${pk}`);
    return definition;
  }

  /** What is bound to a target, in its order; the pk decides where two have the same. */
  #bound<Value extends { readonly order: number }>(
    model: string,
    target: string,
    schema: z.ZodType<Value>,
  ): readonly { readonly pk: string; readonly value: Value }[] {
    return (this.#byTarget.get(target) ?? [])
      .filter((definition) => definition.model === model)
      .map(({ pk, attrs }) => ({ pk, value: schema.parse(attrs) }))
      .sort((a, b) => a.value.order - b.value.order || (a.pk < b.pk ? -1 : 1));
  }
}

function missing(what: 'stage' | 'policy', name: string, model: string): DoorwardError {
  const option = what === 'stage' ? 'stages' : 'policies';
  return new DoorwardError(
    'blueprint',
    `the ${what} "${name}" is of the model ${model}, which does not exist here; give it with the option ${option}, or delete it`,
  );
}

/** Context keys that a stage needs and nothing before it gives; a policy, a source or `execute` may still give them. */
export function unmetNeeds(
  flow: CompiledFlow,
  stages: readonly AnyStage[],
): readonly { readonly binding: CompiledBinding; readonly key: string }[] {
  const known = new Set<string>();
  // A signed-in visitor is the pending user when none is set (W4).
  if (flow.authentication === 'require_authenticated' || flow.authentication === 'require_superuser')
    known.add('pending_user');
  if (flow.authentication === 'require_redirect') known.add('is_redirected');
  const unmet: { binding: CompiledBinding; key: string }[] = [];
  for (const binding of flow.bindings) {
    const stage = stages.find(({ kind }) => kind === binding.stage.kind);
    for (const key of stage?.needs ?? []) if (!known.has(key)) unmet.push({ binding, key });
    for (const key of stage?.gives ?? []) known.add(key);
  }
  return unmet;
}

/** Whether two versions of a flow hold the same. */
export function contentOf({ version: _, ...content }: CompiledFlow): JsonObject {
  return content as unknown as JsonObject;
}
