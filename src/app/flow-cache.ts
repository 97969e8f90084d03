import type { DefinitionStore } from '../engine/definition.ts';
import type { CompiledFlow } from '../engine/flow.ts';

/** So many versions are kept in memory; the one used longest ago goes first. */
const limit = 200;

/** Flow versions never change, so a version once read is read from memory. */
export class FlowCache {
  readonly #definitions: DefinitionStore;
  readonly #versions = new Map<string, CompiledFlow>();

  constructor(definitions: DefinitionStore) {
    this.#definitions = definitions;
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

  /** Slugs of all flows, in order. */
  async slugs(): Promise<readonly string[]> {
    return Object.keys(await this.#definitions.currentVersions()).toSorted();
  }
}
