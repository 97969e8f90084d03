/** A place to apply blueprints in tests: definitions in memory, carried out as the store does. */
import type { Definition, DefinitionStore, DefinitionsChange } from '../engine/definition.ts';
import type { CompiledFlow } from '../engine/flow.ts';
import type { Reads } from '../engine/ports.ts';
import type { AnyStage } from '../engine/stage.ts';
import type { Group, User } from '../engine/user.ts';
import { type ErrorCode, isDoorwardError } from '../kernel/errors.ts';
import { policies } from '../policies/index.ts';
import { stages } from '../stages/index.ts';
import { applyBlueprints } from './apply.ts';
import type { BlueprintInput } from './plan.ts';

/** Definitions, flow versions and groups in memory. */
export class MemoryDefinitions implements DefinitionStore {
  revision = 0;
  definitions: readonly Definition[] = [];
  readonly versions = new Map<string, CompiledFlow[]>();
  readonly groups = new Map<string, Group>();
  /** Visitors under way, by flow. */
  readonly runs = new Map<string, number>();
  /** How often `apply` loses against somebody else before it is done. */
  losses = 0;

  async all() {
    return { revision: this.revision, definitions: this.definitions };
  }

  async apply(change: DefinitionsChange): Promise<'done' | 'lost'> {
    if (this.losses > 0) {
      this.losses -= 1;
      this.revision += 1;
    }
    if (change.revision !== this.revision) return 'lost';
    this.revision += 1;
    const gone = new Set([...change.remove, ...change.put.map(({ pk }) => pk)]);
    this.definitions = [...this.definitions.filter(({ pk }) => !gone.has(pk)), ...structuredClone(change.put)];
    for (const slug of change.removedFlows) this.versions.delete(slug);
    for (const slug of [...change.removedFlows, ...(change.endRuns ?? [])]) this.runs.delete(slug);
    for (const flow of change.flows)
      this.versions.set(flow.slug, [...(this.versions.get(flow.slug) ?? []), structuredClone(flow)]);
    for (const effect of change.effects) {
      if (effect.kind === 'group.create') this.groups.set(effect.group.pk, effect.group);
      else if (effect.kind === 'group.delete') this.groups.delete(effect.pk);
      else if (effect.kind === 'group.update') {
        const group = this.groups.get(effect.pk);
        if (group !== undefined) this.groups.set(effect.pk, { ...group, ...effect.set });
      }
    }
    return 'done';
  }

  async flow(slug: string, version: number) {
    return this.versions.get(slug)?.find((flow) => flow.version === version) ?? null;
  }

  async currentVersions() {
    return Object.fromEntries([...this.versions].map(([slug, flows]) => [slug, flows.at(-1)?.version ?? 0]));
  }

  async openRuns(slugs: readonly string[]) {
    return Object.fromEntries(slugs.map((slug) => [slug, this.runs.get(slug) ?? 0]));
  }

  async keptVersions(slug: string) {
    const kept = this.versions.get(slug) ?? [];
    return kept.map(({ version }) => ({ version, createdAt: 0, openRuns: 0 })).toReversed();
  }
}

/** Blueprints on definitions in memory. */
export class BlueprintRig {
  readonly store = new MemoryDefinitions();
  readonly users: Pick<User, 'id' | 'username'>[] = [];

  input(yaml: string | readonly string[], more: Partial<BlueprintInput> = {}): BlueprintInput {
    const texts = typeof yaml === 'string' ? [yaml] : yaml;
    const files = texts.map((text, index) => ({ name: index === 0 ? 'test.yaml' : `test-${index + 1}.yaml`, text }));
    return {
      files,
      stages: stages as readonly AnyStage[],
      policies,
      definitions: this.store,
      read: this.#reads(),
      ...more,
    };
  }

  /** Applies blueprints, and says what became of it. */
  apply(yaml: string | readonly string[], more: Partial<BlueprintInput> = {}) {
    return applyBlueprints(this.input(yaml, more));
  }

  /** The detail of the error that an apply ends with, after its code was checked. */
  async refused(
    yaml: string | readonly string[],
    more: Partial<BlueprintInput> = {},
    code: ErrorCode = 'blueprint',
  ): Promise<string> {
    try {
      await this.apply(yaml, more);
    } catch (error) {
      if (isDoorwardError(error) && error.code === code) return error.detail;
      throw error;
    }
    throw new Error('the blueprint was applied');
  }

  /** Attributes of the definitions of a model. */
  attrs(model: string) {
    return this.store.definitions.filter((definition) => definition.model === model).map(({ attrs }) => attrs);
  }

  /** The current version of a flow. */
  flow(slug: string): CompiledFlow {
    const flow = this.store.versions.get(slug)?.at(-1);
    if (flow === undefined) throw new Error(`there is no flow ${slug}`);
    return flow;
  }

  /** Groups and users are all that blueprints read. */
  #reads(): Reads {
    const reads: Pick<Reads, 'groups' | 'user' | 'userByUsername'> = {
      groups: async (references) =>
        references.map(
          (one) => [...this.store.groups.values()].find(({ pk, name }) => pk === one || name === one) ?? null,
        ),
      user: async (id) => (this.users.find((user) => user.id === id) as User | undefined) ?? null,
      userByUsername: async (key) => (this.users.find(({ username }) => username === key) as User | undefined) ?? null,
    };
    return reads as Reads;
  }
}
