import { type Applied, applyBlueprints } from '../blueprints/apply.ts';
import { type FileRecord, fileRecords } from '../blueprints/folder-records.ts';
import type { BlueprintFile } from '../blueprints/known-files.ts';
import type { ApplyOptions, BlueprintInput, BlueprintPlan } from '../blueprints/plan.ts';
import type { ProofMode } from '../blueprints/proof/codes.ts';
import type { Finding } from '../blueprints/proof/finding.ts';
import type { FlowCache } from './flow-cache.ts';

/** How blueprints are applied, and which files their entries may name besides the given ones. */
export type BlueprintOptions = ApplyOptions & Pick<BlueprintInput, 'library'>;

/**
 * What an apply did, or would do: counts, each object, each flow with who is under way in it, warnings with their place,
 * and what the proof finds in the flows that change.
 */
export type AppliedBlueprints = BlueprintPlan['summary'] &
  Pick<BlueprintPlan, 'warnings' | 'changes' | 'flowChanges'> & { readonly findings: readonly Finding[] };

/** What the proof finds in every flow, with the warnings of the files. */
export type CheckedBlueprints = Pick<BlueprintPlan, 'warnings'> & {
  readonly findings: readonly Finding[];
  /** Slugs. */
  readonly flows: readonly string[];
};

/** Blueprints of a running Doorward. */
export interface Blueprints {
  /** Applies blueprints, all or nothing. @throws DoorwardError `blueprint` with file, line and column */
  apply(files: readonly BlueprintFile[], options?: BlueprintOptions): Promise<AppliedBlueprints>;
  /** Tells what an apply would do, and changes nothing. @throws DoorwardError as `apply` */
  plan(files: readonly BlueprintFile[], options?: BlueprintOptions): Promise<AppliedBlueprints>;
  /** Proves every flow as it would be with these files, and changes nothing. @throws DoorwardError as `apply` */
  check(files: readonly BlueprintFile[], options?: BlueprintOptions): Promise<CheckedBlueprints>;
  /** A flow as a blueprint, secrets left out. @throws DoorwardError `flow_not_found` */
  export(slug: string): Promise<string>;
  /** What became of the files of the watched folder. */
  files(): Promise<readonly FileRecord[]>;
}

interface Setting {
  /** What every plan needs: the kinds that exist, the definitions, what may be read. */
  readonly base: Omit<BlueprintInput, 'files' | 'library' | 'now' | 'shipped' | keyof ApplyOptions>;
  readonly flows: FlowCache;
  /** Where an apply does not say otherwise. */
  readonly proof: ProofMode;
  now(): number;
}

/** Reading YAML and writing it is loaded only when it is asked for. */
export function createBlueprints({ base, flows, now, proof }: Setting): Blueprints {
  const input = (files: readonly BlueprintFile[], options: BlueprintOptions): BlueprintInput => ({
    ...options,
    ...base,
    ...{ files, now: now(), proof: options.proof ?? proof },
  });
  return {
    async apply(files, options = {}) {
      const applied = await applyBlueprints(input(files, options));
      flows.forget();
      return shown(applied);
    },
    async plan(files, options = {}) {
      const { planBlueprints } = await import('../blueprints/plan.ts');
      const { proveChange } = await import('../blueprints/proof/gate.ts');
      const planned = await planBlueprints(input(files, options));
      // A plan refuses nothing: it tells.
      const told = { ...input(files, options), proof: options.proof === 'off' ? 'off' : 'warn' } as const;
      return shown({ ...planned, findings: proveChange(told, planned) });
    },
    async check(files, options = {}) {
      const { planBlueprints } = await import('../blueprints/plan.ts');
      const { provePlan } = await import('../blueprints/proof/gate.ts');
      const planned = await planBlueprints(input(files, options));
      const flows = planned.compiled.map(({ slug }) => slug);
      return { warnings: planned.warnings, findings: provePlan(input(files, options), planned), flows };
    },
    async export(slug) {
      const { exportFlow } = await import('../blueprints/export.ts');
      return exportFlow(base, slug);
    },
    files: async () => fileRecords((await base.definitions.all()).definitions),
  };
}

function shown({ summary, warnings, changes, flowChanges, findings }: Applied): AppliedBlueprints {
  return { ...summary, warnings, changes, flowChanges, findings };
}
