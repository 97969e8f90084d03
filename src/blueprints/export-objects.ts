import type { Definition } from '../engine/definition.ts';
import type { Json } from '../kernel/json.ts';
import { bindingModel, type Model, policyBindingModel } from './models.ts';

/** Kinds that belong to the flows that use them; everything else is only referred to. */
const own: readonly Model['kind'][] = ['stage', 'prompt', 'policy'];
const rank: Partial<Record<Model['kind'], number>> = { flow: 0, prompt: 1, policy: 2, stage: 3, binding: 4 };

/** A flow and all that belongs to it, each after what it refers to. */
export function exportedObjects(
  flow: Definition,
  definitions: readonly Definition[],
  models: ReadonlyMap<string, Model>,
): readonly Definition[] {
  const byPk = new Map(definitions.map((definition) => [definition.pk, definition]));
  const found = new Map<string, Definition>();
  const add = (definition: Definition): void => {
    if (found.has(definition.pk)) return;
    // What it refers to first: so a stage comes after the stages that it holds.
    const model = models.get(definition.model);
    for (const name of Object.keys(model?.references ?? {}))
      for (const pk of listOf(definition.attrs[name])) {
        const other = typeof pk === 'string' ? byPk.get(pk) : undefined;
        const kind = models.get(other?.model ?? '')?.kind;
        if (other !== undefined && kind !== undefined && own.includes(kind)) add(other);
      }
    found.set(definition.pk, definition);
  };
  const boundTo = (pk: string, model: string) =>
    definitions.filter((one) => one.model === model && one.attrs.target === pk).toSorted(byOrder);
  add(flow);
  const bindings = boundTo(flow.pk, bindingModel);
  for (const binding of bindings) add(binding);
  for (const target of [flow, ...bindings]) for (const binding of boundTo(target.pk, policyBindingModel)) add(binding);
  const rankOf = ({ model }: Definition): number => rank[models.get(model)?.kind ?? 'flow'] ?? 5;
  return [...found.values()].toSorted((a, b) => rankOf(a) - rankOf(b));
}

function byOrder(a: Definition, b: Definition): number {
  return Number(a.attrs.order) - Number(b.attrs.order) || (a.pk < b.pk ? -1 : 1);
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [value ?? null];
}
