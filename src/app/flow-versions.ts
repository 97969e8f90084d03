/** Versions of flows for administrators: what there is, what changed, and the way back. */
import { applyBlueprints } from '../blueprints/apply.ts';
import type { ObjectChange } from '../blueprints/changes.ts';
import { groupModel, modelTable } from '../blueprints/models.ts';
import type { BlueprintInput } from '../blueprints/plan.ts';
import type { Definition } from '../engine/definition.ts';
import type { CompiledFlow, Designation } from '../engine/flow.ts';
import { DoorwardError } from '../kernel/errors.ts';
import type { FlowCache } from './flow-cache.ts';

/** A flow as lists show it. */
export interface ListedFlow {
  readonly slug: string;
  readonly name: string;
  readonly designation: Designation;
  readonly version: number;
}

/** A version of a flow that is kept. */
export interface FlowVersion {
  readonly version: number;
  readonly isCurrent: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Visitors under way in it. */
  readonly openRuns: number;
  /** Against the version before; null for the oldest that is kept. */
  readonly changes: readonly ObjectChange[] | null;
}

/** What lies between two versions of a flow. */
export interface FlowDifference {
  readonly from: number;
  readonly to: number;
  readonly changes: readonly ObjectChange[];
}

/** What a rollback did. */
export interface Rollback {
  /** The one whose definitions are those of `to` again. */
  readonly version: number;
  readonly to: number;
  readonly changes: readonly ObjectChange[];
  /** Other flows that use a changed stage, prompt or policy, and so have a new version too. */
  readonly alsoChanged: readonly { readonly slug: string; readonly version: number }[];
}

/** Versions of flows. All throw DoorwardError `flow_not_found`, and `not_found` for a version that is not kept. */
export interface FlowVersions {
  list(): Promise<readonly ListedFlow[]>;
  /** The newest first. */
  versions(slug: string): Promise<readonly FlowVersion[]>;
  /** By default from the version before to the current one. */
  diff(slug: string, from?: number, to?: number): Promise<FlowDifference>;
  /**
   * Makes the definitions of an earlier version (by default the one before) the current ones again, as a new version:
   * all of them or nothing. Visitors under way finish on theirs.
   *
   * @throws DoorwardError `refused` where nothing would change, `blueprint` where it refers to something that is gone
   */
  rollback(slug: string, to?: number): Promise<Rollback>;
}

interface Setting {
  readonly base: Omit<BlueprintInput, 'files'>;
  readonly flows: FlowCache;
}

/** What compares and undoes is loaded when it is asked for. */
export function createFlowVersions({ base, flows }: Setting): FlowVersions {
  const { definitions } = base;
  const keptOf = async (slug: string) => {
    const kept = await definitions.keptVersions(slug);
    if (kept.length === 0) throw new DoorwardError('flow_not_found', `no flow has the slug ${slug}`);
    return kept;
  };
  const versionOf = async (slug: string, version: number): Promise<CompiledFlow> => {
    const flow = await flows.version(slug, version);
    if (flow !== null) return flow;
    throw new DoorwardError('not_found', `version ${version} of the flow ${slug} is not kept`);
  };
  const compare = async (from: CompiledFlow, to: CompiledFlow): Promise<readonly ObjectChange[]> => {
    const { changesOf } = await import('../blueprints/changes.ts');
    const { definitionsOf } = await import('../blueprints/decompile.ts');
    const sides = [definitionsOf(from, base), definitionsOf(to, base)] as const;
    const others = await namesBeside(sides.flat(), base);
    return changesOf(byPk([...others, ...sides[0]]), byPk([...others, ...sides[1]]), modelTable(base));
  };
  const previous = async (slug: string): Promise<number> => {
    const [, before] = await keptOf(slug);
    if (before === undefined) throw new DoorwardError('not_found', `the flow ${slug} has one version alone`);
    return before.version;
  };
  return {
    async list() {
      const found = await Promise.all((await flows.slugs()).map((slug) => flows.current(slug)));
      return found.flatMap((flow) => (flow === null ? [] : [listed(flow)]));
    },
    async versions(slug) {
      const kept = await keptOf(slug);
      const all = await Promise.all(kept.map(({ version }) => versionOf(slug, version)));
      return Promise.all(
        kept.map(async (version, index) => {
          const [flow, before] = [all[index], all[index + 1]];
          const changes = flow === undefined || before === undefined ? null : await compare(before, flow);
          return { ...version, isCurrent: index === 0, changes };
        }),
      );
    },
    async diff(slug, from, to) {
      const [newest] = await keptOf(slug);
      const [earlier, later] = [from ?? (await previous(slug)), to ?? newest?.version ?? 0];
      const changes = await compare(await versionOf(slug, earlier), await versionOf(slug, later));
      return { from: earlier, to: later, changes };
    },
    async rollback(slug, wanted) {
      await keptOf(slug);
      const to = wanted ?? (await previous(slug));
      const { backTo } = await import('../blueprints/rollback.ts');
      const also = backTo(await versionOf(slug, to), base);
      const { summary, changes } = await applyBlueprints({ ...base, files: [], also });
      flows.forget();
      const made = summary.flows.find((flow) => flow.slug === slug);
      if (made === undefined)
        throw new DoorwardError('refused', `the flow ${slug} is as it was in version ${to} already`);
      const alsoChanged = summary.flows.filter((flow) => flow !== made);
      return { version: made.version, to, changes, alsoChanged };
    },
  };
}

/** What a flow refers to without holding it, other flows and groups, so that it is called by its name. */
async function namesBeside(own: readonly Definition[], base: Setting['base']): Promise<readonly Definition[]> {
  const known = new Set(own.map(({ pk }) => pk));
  const { definitions } = await base.definitions.all();
  const groups = own.flatMap(({ attrs: { group, create_users_group } }) =>
    [group, create_users_group].filter((pk) => typeof pk === 'string'),
  );
  const found = await base.read.groups(groups);
  return [
    ...definitions.filter(({ pk }) => !known.has(pk)),
    ...found.flatMap((one) => (one === null ? [] : [{ pk: one.pk, model: groupModel, attrs: { name: one.name } }])),
  ];
}

function byPk(definitions: readonly Definition[]): ReadonlyMap<string, Definition> {
  return new Map(definitions.map((definition) => [definition.pk, definition]));
}

function listed({ slug, name, designation, version }: CompiledFlow): ListedFlow {
  return { slug, name, designation, version };
}
