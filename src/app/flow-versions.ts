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
  const previous = async (slug: string): Promise<number> => {
    const [, before] = await keptOf(slug);
    if (before === undefined) throw new DoorwardError('not_found', `the flow ${slug} has one version alone`);
    return before.version;
  };
  return {
    async list() {
      const current = Object.entries(await definitions.currentVersions()).toSorted(([a], [b]) => (a < b ? -1 : 1));
      const found = await Promise.all(current.map(([slug, version]) => flows.version(slug, version)));
      return found.flatMap((flow) => (flow === null ? [] : [listed(flow)]));
    },
    async versions(slug) {
      const kept = await keptOf(slug);
      const all = await Promise.all(kept.map(({ version }) => versionOf(slug, version)));
      const compared = await comparedBy(base, all);
      return kept.map((version, index) => {
        const [flow, before] = [all[index], all[index + 1]];
        const changes = flow === undefined || before === undefined ? null : compared(before, flow);
        return { ...version, isCurrent: index === 0, changes };
      });
    },
    async diff(slug, from, to) {
      const [newest] = await keptOf(slug);
      const [earlier, later] = [from ?? (await previous(slug)), to ?? newest?.version ?? 0];
      const sides = [await versionOf(slug, earlier), await versionOf(slug, later)] as const;
      return { from: earlier, to: later, changes: (await comparedBy(base, sides))(...sides) };
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

/** Compares versions of a flow with each other; what they refer to is called by its name, as it is now. */
async function comparedBy(base: Setting['base'], versions: readonly CompiledFlow[]) {
  const { changesOf } = await import('../blueprints/changes.ts');
  const { definitionsOf } = await import('../blueprints/decompile.ts');
  const made = new Map(versions.map((flow) => [flow, definitionsOf(flow, base)]));
  const own = [...made.values()].flat();
  const groups = own.flatMap(({ attrs: { group, create_users_group } }) =>
    [group, create_users_group].filter((pk) => typeof pk === 'string'),
  );
  const [{ definitions }, found] = await Promise.all([base.definitions.all(), base.read.groups([...new Set(groups)])]);
  const named = found.flatMap((one) =>
    one === null ? [] : [{ pk: one.pk, model: groupModel, attrs: { name: one.name } }],
  );
  const models = modelTable(base);
  return (from: CompiledFlow, to: CompiledFlow): readonly ObjectChange[] => {
    const sides = [made.get(from) ?? [], made.get(to) ?? []] as const;
    const known = new Set(sides.flat().map(({ pk }) => pk));
    const others = [...named, ...definitions.filter(({ pk }) => !known.has(pk))];
    return changesOf(byPk([...others, ...sides[0]]), byPk([...others, ...sides[1]]), models);
  };
}

function byPk(definitions: readonly Definition[]): ReadonlyMap<string, Definition> {
  return new Map(definitions.map((definition) => [definition.pk, definition]));
}

function listed({ slug, name, designation, version }: CompiledFlow): ListedFlow {
  return { slug, name, designation, version };
}
