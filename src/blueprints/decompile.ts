import type { Definition } from '../engine/definition.ts';
import type { Bound, CompiledFlow, CompiledObject, PolicyBinding } from '../engine/flow.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { isPlainObject, type JsonObject } from '../kernel/json.ts';
import { bindingModel, flowModel, type Installed, policyBindingModel, promptModel } from './models.ts';

/**
 * The definitions that a version of a flow was compiled from: the flow, its stages, prompts and policies, and all
 * bindings, each under its own pk. Groups, users and other flows that it refers to are not part of it.
 *
 * @throws DoorwardError `blueprint` where the kind of a stage or policy does not exist here any more
 */
export function definitionsOf(flow: CompiledFlow, installed: Installed): readonly Definition[] {
  const found = new Map<string, Definition>();
  const put = (pk: string, model: string, attrs: JsonObject): void => void found.set(pk, { pk, model, attrs });
  const bound = ({ pk: target, policies }: Bound): void => {
    for (const binding of policies) {
      const { policy } = binding;
      if (policy !== null)
        put(policy.pk, modelOf(installed.policies, policy.kind), { name: policy.name, ...policy.config });
      put(binding.pk, policyBindingModel, policyBindingAttrs(binding, target));
    }
  };
  put(flow.pk, flowModel, {
    ...{ name: flow.name, slug: flow.slug, title: flow.title as JsonObject | string, designation: flow.designation },
    ...{ layout: flow.layout, background: flow.background === '' ? null : flow.background, compatibility_mode: false },
    ...{ denied_action: flow.deniedAction, authentication: flow.authentication },
    policy_engine_mode: flow.policyEngineMode,
  });
  for (const object of Object.values(flow.objects)) putObject(object, installed, put);
  for (const binding of flow.bindings) {
    const { stage } = binding;
    put(stage.pk, modelOf(installed.stages, stage.kind), { name: stage.name, ...stage.config });
    put(binding.pk, bindingModel, {
      ...{ target: flow.pk, stage: stage.pk, order: binding.order, evaluate_on_plan: binding.evaluateOnPlan },
      re_evaluate_policies: binding.reEvaluatePolicies,
      invalid_response_action: binding.invalidResponseAction,
      policy_engine_mode: binding.policyEngineMode,
    });
    bound(binding);
  }
  bound(flow);
  return [...found.values()];
}

function putObject(
  { pk, kind, name, config, stageKind }: CompiledObject,
  { stages, policies }: Installed,
  put: (pk: string, model: string, attrs: JsonObject) => void,
): void {
  if (!isPlainObject(config)) return;
  if (kind === 'prompt') put(pk, promptModel, config as JsonObject);
  if (kind === 'stage' && stageKind !== undefined)
    put(pk, modelOf(stages, stageKind), { name, ...(config as JsonObject) });
  if (kind === 'policy') put(pk, modelOf(policies, String(config.kind)), { name, ...(config.config as JsonObject) });
}

function policyBindingAttrs(binding: PolicyBinding, target: string): JsonObject {
  return {
    ...{ target, order: binding.order, policy: binding.policy?.pk ?? null, group: binding.group, user: binding.user },
    ...{ enabled: binding.enabled, negate: binding.negate, timeout: binding.timeout },
    ...{ failure_result: binding.failureResult, writable_context: binding.writableContext },
  };
}

function modelOf(declared: readonly { readonly kind: string; readonly model: string }[], kind: string): string {
  const model = declared.find((one) => one.kind === kind)?.model.toLowerCase();
  if (model === undefined) throw new DoorwardError('blueprint', `the kind "${kind}" does not exist here any more`);
  return model;
}
