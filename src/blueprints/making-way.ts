/**
 * A file that declares a whole flow of the slug of a shipped one means its own, not a mixture of both: the stages that
 * came with Doorward leave the flow, as far as nobody has touched them and the file does not bind them itself.
 */
import { sameJson } from '../kernel/json.ts';
import { labelOf } from './changes.ts';
import { digests } from './digests.ts';
import { bindingModel, flowModel, shippedModel } from './models.ts';
import type { ParsedBlueprint } from './parse.ts';
import type { Place, Warning } from './place.ts';
import type { Workspace } from './workspace.ts';

/** @returns what was taken out, with the place of the flow's entry */
export function makeWay(
  { entries }: ParsedBlueprint,
  pks: ReadonlySet<string>,
  planning: { readonly workspace: Workspace; readonly places: ReadonlyMap<string, Place> },
): readonly Warning[] {
  const { workspace, places } = planning;
  // Who only changes or extends a flow has no need to say what it is for.
  const whole = entries.filter(({ attrs }) => attrs?.kind === 'map' && attrs.members.has('designation'));
  return workspace.all().flatMap((flow) => {
    const at = places.get(flow.pk);
    if (flow.model !== flowModel || at === undefined || !whole.some((entry) => entry.at === at)) return [];
    const bindings = workspace
      .all()
      .filter(({ model, attrs }) => model === bindingModel && attrs.target === flow.pk)
      .toSorted((a, b) => Number(a.attrs.order) - Number(b.attrs.order));
    if (!bindings.some(({ pk }) => pks.has(pk))) return [];
    const leaving = bindings.filter(({ pk }) => !pks.has(pk) && isAsShipped(pk, workspace));
    if (leaving.length === 0) return [];
    const all = new Map(workspace.all().map((one) => [one.pk, one]));
    const names = leaving.map((binding) => labelOf(binding, all).replace(` in ${labelOf(flow, all)}`, ''));
    for (const { pk } of leaving) workspace.remove(pk);
    const slug = String(flow.attrs.slug);
    const message = `the flow ${slug} came with Doorward; this file declares all of it, so what it does not bind was taken out: ${names.join(', ')}`;
    return [{ ...at, message }];
  });
}

function isAsShipped(pk: string, workspace: Workspace): boolean {
  const definition = workspace.get(pk);
  if (definition === null) return false;
  const now = digests([definition]);
  return workspace
    .all()
    .some(({ model, attrs }) => model === shippedModel && sameJson((attrs.objects as typeof now)[pk], now[pk]));
}
