import type { Keyring } from '../kernel/secrets.ts';
import type { CompiledFlow } from './flow.ts';
import type { Policies, Store, Tools } from './ports.ts';
import type { AnyStage } from './stage.ts';

/** All that the engine works with; the room `app` puts it together once. */
export interface World {
  /** By kind. */
  readonly stages: ReadonlyMap<string, AnyStage>;
  readonly store: Store;
  readonly policies: Policies;
  readonly tools: Tools;
  readonly keyring: Keyring;
  /** One version of a flow; null when it is gone. Kept in memory by the caller. */
  flow(slug: string, version: number): Promise<CompiledFlow | null>;
  /** The current version of a flow; null when there is no such flow. */
  currentFlow(slug: string): Promise<CompiledFlow | null>;
  /** The number of the current version, perhaps a second old; null when there is no such flow. */
  recentVersion(slug: string): Promise<number | null>;
  /** What `%(app)s` and the page's title say. */
  readonly brandName: string;
}
