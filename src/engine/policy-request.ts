import type { Text } from '../protocol/text.ts';
import type { Effect } from './effects.ts';
import type { CompiledFlow } from './flow.ts';
import type { PlanContext } from './plan-context.ts';
import type { Visitor } from './visitor.ts';

/** What a policy is asked about: once on arrival at what it is bound to, not again on the answer. */
export interface PolicyRequest {
  /** Whom it is about: the pending user, else the visitor's; null for nobody known. */
  readonly userId: number | null;
  readonly context: PlanContext;
  readonly visitor: Visitor;
  /** Its objects hold the policies that another one may call. */
  readonly flow: Pick<CompiledFlow, 'slug' | 'designation' | 'objects'>;
}

/** What one binding of a policy, a group or a user said, for the inspector. */
export interface PolicyDecision {
  /** pk of what it is bound to: a flow or a stage binding. */
  readonly at: string;
  /** `policy "name"`, `group …`, `user …`. */
  readonly name: string;
  readonly passing: boolean;
  /** It could not run; the detail is in the log. */
  readonly failed: boolean;
  readonly messages: readonly Text[];
}

/** What all that is bound somewhere says. A policy that fails to run is `failed`: the flow denies, never skips. */
export interface PolicyResult {
  readonly passing: boolean;
  readonly failed: boolean;
  readonly messages: readonly Text[];
  /** Members to set, `undefined` to remove one; of those that failed to run there is none. */
  readonly contextPatch: Readonly<Record<string, unknown>>;
  readonly effects: readonly Effect[];
  readonly decisions: readonly PolicyDecision[];
}
