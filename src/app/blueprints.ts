import { applyBlueprints } from '../blueprints/apply.ts';
import { type FileRecord, fileRecords } from '../blueprints/folder-records.ts';
import type { BlueprintFile } from '../blueprints/known-files.ts';
import type { ApplyOptions, BlueprintInput, BlueprintPlan } from '../blueprints/plan.ts';
import type { FlowCache } from './flow-cache.ts';

/** How blueprints are applied, and which files their entries may name besides the given ones. */
export type BlueprintOptions = ApplyOptions & Pick<BlueprintInput, 'library'>;

/** What an apply did, or would do: counts, each object, each flow with who is under way in it, warnings with their place. */
export type AppliedBlueprints = BlueprintPlan['summary'] & Pick<BlueprintPlan, 'warnings' | 'changes' | 'flowChanges'>;

/** Blueprints of a running Doorward. */
export interface Blueprints {
  /** Applies blueprints, all or nothing. @throws DoorwardError `blueprint` with file, line and column */
  apply(files: readonly BlueprintFile[], options?: BlueprintOptions): Promise<AppliedBlueprints>;
  /** Tells what an apply would do, and changes nothing. @throws DoorwardError as `apply` */
  plan(files: readonly BlueprintFile[], options?: BlueprintOptions): Promise<AppliedBlueprints>;
  /** A flow as a blueprint, secrets left out. @throws DoorwardError `flow_not_found` */
  export(slug: string): Promise<string>;
  /** What became of the files of the watched folder. */
  files(): Promise<readonly FileRecord[]>;
}

interface Setting {
  /** What every plan needs: the kinds that exist, the definitions, what may be read. */
  readonly base: Omit<BlueprintInput, 'files' | 'library' | 'now' | 'shipped' | keyof ApplyOptions>;
  readonly flows: FlowCache;
  now(): number;
}

/** Reading YAML and writing it is loaded only when it is asked for. */
export function createBlueprints({ base, flows, now }: Setting): Blueprints {
  const input = (files: readonly BlueprintFile[], options: BlueprintOptions): BlueprintInput => ({
    ...options,
    ...base,
    ...{ files, now: now() },
  });
  return {
    async apply(files, options = {}) {
      const applied = await applyBlueprints(input(files, options));
      flows.forget();
      return shown(applied);
    },
    async plan(files, options = {}) {
      const { planBlueprints } = await import('../blueprints/plan.ts');
      return shown(await planBlueprints(input(files, options)));
    },
    async export(slug) {
      const { exportFlow } = await import('../blueprints/export.ts');
      return exportFlow(base, slug);
    },
    files: async () => fileRecords((await base.definitions.all()).definitions),
  };
}

function shown({ summary, warnings, changes, flowChanges }: Omit<BlueprintPlan, 'change'>): AppliedBlueprints {
  return { ...summary, warnings, changes, flowChanges };
}
