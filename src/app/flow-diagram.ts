import type { Diagram } from '../blueprints/diagram/graph.ts';
import type { Reads } from '../engine/ports.ts';
import { DoorwardError } from '../kernel/errors.ts';
import type { FlowCache } from './flow-cache.ts';

/** How a diagram is written. */
export type DiagramFormat = 'mermaid' | 'svg';

interface Setting {
  readonly flows: FlowCache;
  readonly read: Pick<Reads, 'groups' | 'user'>;
}

/** Draws the current version of a flow; what draws is loaded when it is asked for. */
export function createDiagrams({ flows, read }: Setting) {
  return async (slug: string, format: DiagramFormat): Promise<string> => {
    const flow = await flows.current(slug);
    if (flow === null) throw new DoorwardError('flow_not_found', `no flow has the slug ${slug}`);
    const { diagramOf, namedIn } = await import('../blueprints/diagram/graph.ts');
    const { groups, users } = namedIn(flow);
    const found = await Promise.all([read.groups(groups), Promise.all(users.map((id) => read.user(id)))]);
    const names = new Map([
      ...found[0].flatMap((group) => (group === null ? [] : [[group.pk, group.name] as const])),
      ...found[1].flatMap((user) => (user === null ? [] : [[String(user.id), user.username] as const])),
    ]);
    return written(diagramOf(flow, names), format);
  };
}

async function written(diagram: Diagram, format: DiagramFormat): Promise<string> {
  if (format === 'svg') return (await import('../blueprints/diagram/svg.ts')).svgOf(diagram);
  return (await import('../blueprints/diagram/mermaid.ts')).mermaidOf(diagram);
}
