import type { Json } from '../kernel/json.ts';
import type { Challenge } from '../protocol/challenge.ts';
import type { FieldProblems, Text } from '../protocol/text.ts';
import type { CompiledStage } from './flow.ts';
import type { PlanContext, PromptValue } from './plan-context.ts';
import type { PolicyDecision } from './policy-request.ts';

/** In place of a session's hash in runs that stand for a key of `execute`; no hash begins so. */
export const keyPrefix = 'key:';

/** A place that is left to visit: a binding of the flow, or a stage that another one inserted. */
export interface PlanEntry {
  /** pk of the binding; for an inserted stage a name of its own. */
  readonly binding: string;
  readonly inserted?: CompiledStage;
  /** Visited once more because of these problems; the fields without one stay as they were answered. */
  readonly revise?: FieldProblems;
}

/** One visitor's way through one version of a flow. */
export interface Run {
  readonly id: string;
  readonly flow: string;
  readonly version: number;
  /** Hash of the session's token. */
  readonly session: string;
  /** The session before this run's own sign-in, so that a doubled answer with the old cookie finds its run. */
  readonly originSession: string | null;
  /** Tells runs with different `itoken` or `flow_token` apart; '' for the ordinary one. */
  readonly variant: string;
  /** Who was signed in when it began, and the administrator behind them: pinned (CONTRACT: Runs). */
  readonly userId: number | null;
  readonly impersonatorId: number | null;
  /** Counts the commits; the optimistic version. 0 = not stored yet. */
  readonly seq: number;
  readonly state: RunState;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly ended: EndedRun | null;
}

export interface RunState {
  /** What is left; the first entry is the current one. */
  readonly plan: readonly PlanEntry[];
  /** Stages that asked for fields and passed: where a revision goes back to. */
  readonly visited: readonly PlanEntry[];
  readonly context: PlanContext;
  /** Asked by the current entry's stage; a GET shows it and runs no stage code. */
  readonly challenge: Challenge | null;
  /** What a revision is about, shown with the challenge. */
  readonly problems: FieldProblems | null;
  /** What the current stage keeps for itself. */
  readonly memo: PromptValue;
  /** Where the visitor wants to go afterwards, as they said it (checked when it is used). */
  readonly next: string | null;
  /** Notices to show above the current challenge. */
  readonly messages: readonly Text[];
  /** What policies said on the way, the last hundred; for the inspector. */
  readonly decisions: readonly PolicyDecision[];
  /** Its last step went on under another token. */
  readonly handover?: Handover;
}

/** How a run went on under another token, kept so that the same answer sent twice gets the same one. */
export interface Handover {
  readonly at: number;
  /** Keyed digest of the answer's whole body. */
  readonly answer: string;
  /** Sealed. */
  readonly token: string;
}

/** How a run ended, kept so that a repeated answer gets the same outcome. */
export interface EndedRun {
  readonly at: number;
  readonly outcome: EndOutcome;
  /** Keyed digest of the answer's whole body. */
  readonly answer: string;
  /** The answer held a secret, so who repeats it proved to be the same person. */
  readonly secretAnswer: boolean;
  /** Sealed session token that the end handed out, if any. */
  readonly sessionToken: string | null;
  readonly persistent: boolean;
  readonly sessionExpiresAt: number;
  /** What `execute` answered under its key, for whoever calls with that key again. */
  readonly result?: Json;
}

export type EndOutcome =
  | { readonly kind: 'done'; readonly to: string }
  | { readonly kind: 'denied'; readonly message: Text };
