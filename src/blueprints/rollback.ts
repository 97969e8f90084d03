/** Going back to an earlier version of a flow: its definitions are put back, and become a new version. */
import type { Definition } from '../engine/definition.ts';
import type { CompiledFlow } from '../engine/flow.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { labelOf } from './changes.ts';
import { definitionsOf } from './decompile.ts';
import { bindingModel, flowModel, type Installed, policyBindingModel } from './models.ts';
import type { BlueprintInput } from './plan.ts';

type Planning = Parameters<NonNullable<BlueprintInput['also']>>[0];

/**
 * What makes a flow again what a version of it was: bindings that came later go, and its stages, prompts and policies
 * are as they were, also where other flows use them. What was added beside it stays, unbound.
 *
 * @throws DoorwardError `blueprint` where the version refers to something that is gone
 */
export function backTo(version: CompiledFlow, installed: Installed): (planning: Planning) => Promise<void> {
  const wanted = definitionsOf(version, installed);
  return async (planning) => {
    const { workspace } = planning;
    const current = workspace.all().find(({ model, attrs }) => model === flowModel && attrs.slug === version.slug);
    for (const { pk, model, attrs } of workspace.all())
      if ([bindingModel, policyBindingModel].includes(model) && attrs.target === current?.pk) workspace.remove(pk);
    await putAll(planning, wanted, version);
  };
}

/** Puts all objects, each after what it refers to. */
async function putAll(planning: Planning, wanted: readonly Definition[], version: CompiledFlow): Promise<void> {
  let left = wanted;
  while (left.length > 0) {
    const refused: Definition[] = [];
    const reasons: string[] = [];
    for (const definition of left) {
      const problem = await put(planning, definition);
      if (problem === null) continue;
      refused.push(definition);
      const all = new Map(wanted.map((one) => [one.pk, one]));
      reasons.push(`${labelOf(definition, all)}: ${problem}`);
    }
    if (refused.length === left.length)
      throw new DoorwardError(
        'blueprint',
        `flow ${version.slug} cannot go back to version ${version.version}: ${reasons.join('; ')}`,
      );
    left = refused;
  }
}

/** What keeps an object from being put, or null. */
async function put({ workspace, models }: Planning, { pk, model, attrs }: Definition): Promise<string | null> {
  const known = models.get(model);
  if (known === undefined) return `the model ${model} does not exist here any more`;
  const result = await workspace.put(known, pk, attrs);
  return 'pk' in result ? null : result.map(({ text }) => text).join(', ');
}
