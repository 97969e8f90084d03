import type { JsonObject } from '../kernel/json.ts';
import type { Effect } from './effects.ts';
import type { CompiledFlow } from './flow.ts';

/** A configured object as blueprints and the API know it: a flow, a stage, a binding, a prompt, a policy … */
export interface Definition {
  /** UUID. */
  readonly pk: string;
  /** The reference's model in lower case: `authentik_flows.flow`. */
  readonly model: string;
  /** All fields by the reference's names; references are pks. */
  readonly attrs: JsonObject;
}

/** One change of definitions, carried out in one transaction together with effects on accounts (groups, users). */
export interface DefinitionsChange {
  /** The revision that the change was decided on; another one meanwhile → `lost`. */
  readonly revision: number;
  readonly put: readonly Definition[];
  readonly remove: readonly string[];
  /** New versions of flows that differ from their current one, already numbered. */
  readonly flows: readonly CompiledFlow[];
  readonly removedFlows: readonly string[];
  /** Flows whose open runs end: their visitors are told to start again. None by default. */
  readonly endRuns?: readonly string[];
  readonly effects: readonly Effect[];
}

/** A version of a flow that is kept: for runs, and to go back to. */
export interface KeptVersion {
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Visitors under way in it. */
  readonly openRuns: number;
}

/** Definitions and flow versions; the room `store` answers. */
export interface DefinitionStore {
  /** Everything that is defined, with the revision that counts the changes. */
  all(): Promise<{ readonly revision: number; readonly definitions: readonly Definition[] }>;
  apply(change: DefinitionsChange): Promise<'done' | 'lost'>;
  flow(slug: string, version: number): Promise<CompiledFlow | null>;
  /** Current version numbers by slug. */
  currentVersions(): Promise<Readonly<Record<string, number>>>;
  /** How many visitors are under way in each of these flows. Who has not answered yet has no run that could be counted. */
  openRuns(slugs: readonly string[]): Promise<Readonly<Record<string, number>>>;
  /** The versions of a flow that are kept, the newest first; none of an unknown flow. */
  keptVersions(slug: string): Promise<readonly KeptVersion[]>;
}
