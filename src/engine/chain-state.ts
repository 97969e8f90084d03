import type { Json, JsonObject } from '../kernel/json.ts';
import type { Challenge } from '../protocol/challenge.ts';
import type { FieldProblems, Text } from '../protocol/text.ts';
import type { Effect } from './effects.ts';
import type { CompiledFlow } from './flow.ts';
import type { PlanContext } from './plan-context.ts';
import type { EndOutcome, PlanEntry } from './run.ts';
import type { SessionChange, Visitor } from './stage.ts';
import type { World } from './world.ts';

/** Everything that a request changes, by value: a snapshot of it is a reference. */
export interface ChainState {
  readonly plan: readonly PlanEntry[];
  readonly context: PlanContext;
  readonly challenge: Challenge | null;
  readonly memo: Json;
  readonly messages: readonly Text[];
  readonly problems: FieldProblems | null;
  readonly effects: readonly Effect[];
  readonly visitor: Visitor;
  readonly sessionHash: string;
  readonly session: SessionChange | null;
  readonly ended: EndOutcome | null;
  /** A redirect stage's target: this run ends and one of that flow begins with this context. */
  readonly jump: Jump | null;
  readonly reports: readonly JsonObject[];
}

/** Another flow, planned for this visitor. */
export interface Jump {
  readonly flow: CompiledFlow;
  readonly plan: readonly PlanEntry[];
  readonly context: PlanContext;
  readonly messages: readonly Text[];
}

/** What does not change while a request is worked on. */
export interface ChainSetting {
  readonly world: World;
  readonly flow: CompiledFlow;
  readonly query: Readonly<Record<string, string>>;
  /** Where the visitor wants to go at the end. */
  readonly next: string | null;
  readonly origin: string;
  readonly unattended: boolean;
}
