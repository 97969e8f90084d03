import type { DefinitionStore } from '../engine/definition.ts';
import type { CompiledFlow } from '../engine/flow.ts';

/** So many versions are kept in memory; the one used longest ago goes first. */
const limit = 200;
const recentMs = 1_000;

/** Flow versions never change, so a version once read is read from memory. */
export class FlowCache {
  readonly #definitions: DefinitionStore;
  readonly #versions = new Map<string, CompiledFlow>();
  readonly #now: () => number;
  #recent: { readonly at: number; readonly versions: Promise<Readonly<Record<string, number>>> } | null = null;

  constructor(definitions: DefinitionStore, now: () => number) {
    this.#definitions = definitions;
    this.#now = now;
  }

  /** The number of the current version, at most a second old, so that first pages cost no query. */
  async recent(slug: string): Promise<number | null> {
    if (this.#recent === null || Math.abs(this.#now() - this.#recent.at) > recentMs)
      this.#recent = { at: this.#now(), versions: this.#definitions.currentVersions() };
    const versions = await this.#recent.versions.catch((error: unknown) => {
      this.#recent = null;
      throw error;
    });
    return Object.hasOwn(versions, slug) ? (versions[slug] ?? null) : null;
  }

  /** Definitions were changed here: what was read before does not count. */
  forget(): void {
    this.#recent = null;
  }

  /** One version, or null when it is gone. */
  async version(slug: string, version: number): Promise<CompiledFlow | null> {
    const key = `${version} ${slug}`;
    const known = this.#versions.get(key);
    const flow = known ?? (await this.#definitions.flow(slug, version));
    if (flow === null) return null;
    this.#versions.delete(key);
    this.#versions.set(key, flow);
    const [oldest] = this.#versions.keys();
    if (this.#versions.size > limit && oldest !== undefined) this.#versions.delete(oldest);
    return flow;
  }

  /** The current version, asked of the store: another node may have made a new one. */
  async current(slug: string): Promise<CompiledFlow | null> {
    const versions = await this.#definitions.currentVersions();
    const version = Object.hasOwn(versions, slug) ? versions[slug] : undefined;
    return version === undefined ? null : this.version(slug, version);
  }

  /** The current version of the flow with this slug or pk. */
  async named(reference: string): Promise<CompiledFlow | null> {
    const found = await this.current(reference);
    if (found !== null) return found;
    const all = await Promise.all((await this.slugs()).map((slug) => this.current(slug)));
    return all.find((flow) => flow?.pk === reference) ?? null;
  }

  /** The current version of each flow. */
  async all(): Promise<readonly CompiledFlow[]> {
    const versions = Object.entries(await this.#definitions.currentVersions());
    const flows = await Promise.all(versions.map(([slug, version]) => this.version(slug, version)));
    return flows.filter((flow) => flow !== null);
  }

  /** Slugs of all flows, in order. */
  async slugs(): Promise<readonly string[]> {
    return Object.keys(await this.#definitions.currentVersions()).toSorted();
  }
}
