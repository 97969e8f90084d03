import type { z } from 'zod';
import type { JsonObject } from '../kernel/json.ts';
import type { Challenge } from '../protocol/challenge.ts';
import type { FieldProblems, Text } from '../protocol/text.ts';
import type { Effect, Refusal } from './effects.ts';
import type { CompiledObject, CompiledStage, Designation } from './flow.ts';
import type { PlanContext, PromptValue } from './plan-context.ts';
import type { PolicyDecision, PolicyResult } from './policy-request.ts';
import type { Reads, Tools } from './ports.ts';
import type { Remembered } from './remembered.ts';
import type { RunKey, Signal } from './run-key.ts';
import type { StageProof } from './stage-proof.ts';
import type { User } from './user.ts';
import type { Visitor } from './visitor.ts';

/**
 * The stage contract. A stage decides and never writes: it reads through its desk and returns an outcome, whose
 * effects the commit carries out. `enter` runs once, on arrival; `answer` judges what came back.
 */
export interface Stage<
  Config extends JsonObject = JsonObject,
  Needs extends string = string,
  Gives extends string = string,
> {
  /** Folder and table name, snake_case: `user_write`. */
  readonly kind: string;
  /** The reference's model, as in blueprints. */
  readonly model: string;
  /** The reference's admin form component. */
  readonly component: string;
  readonly description: string;
  /** What an administrator sets. Unknown members are dropped with a warning by the blueprint loader. */
  readonly config: z.ZodType<Config>;
  /** Config members that hold a pk (or a list of pks) of something else; the compiled flow carries those along. */
  readonly references?: Readonly<Record<string, ReferenceKind>>;
  /** Plan context keys that it reads and cannot do without, and that it adds. */
  readonly needs: readonly Needs[];
  readonly gives: readonly Gives[];
  /** Acts on the browser itself (cookies): runs only for the run's owner. */
  readonly touchesBrowser?: boolean;
  /** The same, as things stand. */
  touchesBrowserNow?(desk: Desk<Config>): boolean;
  /** Body keys of an answer that are typed in confidence; a repeated answer with one may get its session again. */
  secretFields?(desk: Desk<Config>): readonly string[];
  enter(desk: Desk<Config>): Promise<Outcome>;
  answer?(desk: Desk<Config>, response: Response): Promise<Outcome>;
  /**
   * It waits for somebody who holds a one-time key (an opened link, say): what they are shown before their word counts.
   * Opening a link changes nothing, so that mail scanners use nothing up.
   */
  confirmation?(desk: Desk<Config>, key: RunKey): Challenge;
  /** Judges that word (CONTRACT: Outcomes). The desk's visitor is the run's owner, unless the key takes over. */
  signal?(desk: Desk<Config>, signal: Signal): Promise<Outcome>;
  /** It takes `flow_token` itself, so that no other meaning is looked for. */
  readonly opensByLink?: boolean;
  /** Field keys that it asks for, so that a problem with one finds its way back. */
  collects?(desk: Desk<Config>): readonly string[];
  /** Unattended: makes an answer from what the run already knows, or null when only a person can answer. */
  unattended?(desk: Desk<Config>): Response | null;
  /** The commit refused an effect of this stage; by default the flow is denied with W40's message. */
  refused?(desk: Desk<Config>, refusal: Refusal): Promise<Outcome>;
  /** What it does to a visitor's standing, for the proof of flows; `object` finds what the configuration refers to. */
  proof?(config: Config, object: (pk: string) => CompiledObject | null): StageProof;
}

export type ReferenceKind = 'flow' | 'stage' | 'prompt' | 'group' | 'policy' | 'source';

/** What a browser sent, as an object without prototype: its keys are whatever the sender chose. */
export type Response = JsonObject;

/** All that a stage gets to see. */
export interface Desk<Config extends JsonObject = JsonObject> {
  readonly config: Config;
  readonly stage: CompiledStage;
  /** The place in the flow. */
  readonly binding: string;
  readonly flow: { readonly slug: string; readonly designation: Designation };
  readonly context: PlanContext;
  readonly memo: PromptValue;
  /** The stage is visited once more because of these problems with fields that it collected. */
  readonly revise: FieldProblems | null;
  readonly visitor: Visitor;
  /** The nested query of the page (`next`, `itoken`, …). */
  readonly query: Readonly<Record<string, string>>;
  /** Without a browser (`flows.execute`, `doorward run`). */
  readonly unattended: boolean;
  /** Nothing of this will be committed; the report shows each written field before and after. */
  readonly dryRun: boolean;
  /** Sees the effects that are still pending in this request. */
  readonly read: Reads;
  readonly tools: Tools;
  /** What the configuration refers to. */
  object(pk: string): CompiledObject | null;
  /** What the flow's own prompts call a field; null where none asks for it. */
  label(key: string): Text | null;
  /** The page of the recovery flow that a stage of this flow links to; null where none does. */
  recoveryPath(): string | null;
  /**
   * Asks policies that the configuration refers to, by pk; all must pass. `context` stands over the plan context. Of one
   * that failed to run the answer is `failed`, and then the stage denies.
   */
  policies(pks: readonly string[], context: Readonly<Record<string, unknown>>): Promise<PolicyResult>;
  /** Token hash of the browser's present session, and that of the run. */
  readonly sessionHash: string;
  /** The run; its id is '' without one. */
  readonly run: { readonly id: string; readonly version: number };
}

interface Common {
  readonly effects?: readonly Effect[];
  /** Notices for the visitor. */
  readonly messages?: readonly Text[];
  /** What the stage keeps for itself until it is done; a secret is kept sealed. */
  readonly memo?: PromptValue;
  /** Milliseconds since the epoch: the run is kept at least so long, since it waits for somebody. */
  readonly keepUntil?: number;
  /** What the policies said that it asked, for the inspector. */
  readonly decisions?: readonly PolicyDecision[];
}

/** What a stage decides (CONTRACT: Outcomes). */
export type Outcome = Common &
  (
    | { readonly kind: 'ask'; readonly challenge: Challenge }
    | {
        readonly kind: 'pass';
        /** Members to set in the plan context; `undefined` removes one. */
        readonly context?: Readonly<Record<string, unknown>>;
        /** A change of the browser's session that the end of this request hands out. */
        readonly session?: SessionChange;
        /** What the browser is trusted with from now on; the end of this request hands it out. */
        readonly remember?: Remembered;
        /** For `execute` and the event: what user_write did. */
        readonly report?: JsonObject;
      }
    /** The answer was wrong: the same challenge again (or a new one), with problems. */
    | { readonly kind: 'retry'; readonly problems: FieldProblems; readonly challenge?: Challenge }
    /** Back to the prompts that collected these fields. */
    | { readonly kind: 'revise'; readonly problems: FieldProblems; readonly otherwise: Text }
    /**
     * `problems` say why, for a run without a browser: the visitor reads the message alone. `undo` takes back what
     * earlier stages asked for in the same request: a write is worth nothing when its link was used meanwhile.
     */
    | { readonly kind: 'deny'; readonly message: Text | null; readonly problems?: FieldProblems; readonly undo?: true }
    | { readonly kind: 'restart'; readonly keep: boolean }
    | { readonly kind: 'jump'; readonly flow: string; readonly keep: boolean }
    | {
        readonly kind: 'insert';
        readonly stages: readonly CompiledStage[];
        readonly context?: Readonly<Record<string, unknown>>;
      }
    | { readonly kind: 'leave'; readonly to: string }
    | { readonly kind: 'finish'; readonly to: string }
  );

/** `token` is the new cookie's value, known to nobody else; the effects hold its hash. */
export type SessionChange =
  | {
      readonly kind: 'begin';
      readonly token: string;
      readonly user: User;
      readonly persistent: boolean;
      readonly expiresAt: number;
    }
  | { readonly kind: 'renew'; readonly token: string }
  /** The engine's own: an anonymous browser goes on under another token (`handover.ts`). */
  | { readonly kind: 'hand_over'; readonly token: string }
  /** `token` is the engine's own: a run that still asks something goes on under it, in a browser that is nobody's. */
  | { readonly kind: 'end'; readonly token?: string };

/**
 * Types a stage's declaration by its config schema, and by what it needs and gives: typed flows are checked by that.
 *
 * @example
 * export const greet = defineStage({
 *   kind: 'greet', model: 'example.greet', component: 'ak-stage-greet-form', description: 'Says hello.',
 *   config: z.object({ hello: z.string().default('Hello') }), needs: [], gives: [],
 *   enter: async (desk) => ({ kind: 'pass', messages: [desk.config.hello] }),
 * });
 */
export function defineStage<
  Config extends JsonObject,
  const Needs extends string = string,
  const Gives extends string = string,
>(stage: Stage<Config, Needs, Gives>): Stage<Config, Needs, Gives> {
  return stage;
}

/** Any stage, as the table holds it; its config was checked by its own schema before it is used. */
export type AnyStage = Stage<JsonObject>;
