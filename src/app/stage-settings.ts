/** Stages that users set up for themselves, as their `configure_flow` says (stages.md 6). */
import type { CompiledFlow } from '../engine/flow.ts';
import { isPlainObject, type Json } from '../kernel/json.ts';

export interface StageSetting {
  /** pk of the stage. */
  readonly stage: string;
  readonly kind: string;
  readonly name: string;
  /** What an administrator calls it; null for the product's own words. */
  readonly title: string | null;
  /** Slug of the flow in which it is set up. */
  readonly flow: string;
}

/** Each stage once, wherever it stands: bound to a flow, or referred to by another stage. */
export function stageSettings(flows: readonly CompiledFlow[]): readonly StageSetting[] {
  const slugs = new Map(flows.map(({ pk, slug }) => [pk, slug]));
  const settings = new Map<string, StageSetting>();
  for (const flow of flows) {
    const bound = flow.bindings.map(({ stage }) => stage);
    const referred = Object.values(flow.objects).flatMap(({ pk, name, config, stageKind }) =>
      stageKind === undefined ? [] : [{ pk, name, kind: stageKind, config }],
    );
    for (const { pk, name, kind, config } of [...bound, ...referred]) {
      const slug = slugs.get(memberOf(config, 'configure_flow') ?? '');
      if (slug !== undefined)
        settings.set(pk, { stage: pk, kind, name, title: memberOf(config, 'friendly_name'), flow: slug });
    }
  }
  return [...settings.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function memberOf(config: Json, name: string): string | null {
  const value = isPlainObject(config) ? config[name] : null;
  return typeof value === 'string' && value !== '' ? value : null;
}
