import { hashToken, newToken } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { Challenge } from '../protocol/challenge.ts';
import type { FieldProblems, Text } from '../protocol/text.ts';
import type { Effect } from './effects.ts';
import type { CompiledBinding, CompiledFlow, CompiledStage, InvalidResponseAction } from './flow.ts';
import { safeNext } from './next.ts';
import type { PlanContext, PromptValue } from './plan-context.ts';
import type { PolicyDecision } from './policy-request.ts';
import type { Remembered } from './remembered.ts';
import type { EndOutcome, PlanEntry } from './run.ts';
import type { AnyStage, Desk, Outcome, SessionChange } from './stage.ts';
import type { Visitor } from './visitor.ts';
import type { World } from './world.ts';

/** Everything that a request changes, by value: a snapshot of it is a reference. */
export interface ChainState {
  readonly plan: readonly PlanEntry[];
  readonly visited: readonly PlanEntry[];
  readonly context: PlanContext;
  readonly challenge: Challenge | null;
  readonly memo: PromptValue;
  readonly messages: readonly Text[];
  readonly problems: FieldProblems | null;
  readonly effects: readonly Effect[];
  readonly visitor: Visitor;
  readonly sessionHash: string;
  readonly session: SessionChange | null;
  /** What the browser is trusted with from now on. */
  readonly remember?: readonly Remembered[];
  readonly ended: EndOutcome | null;
  /** A redirect stage's target: this run ends and one of that flow begins with this context. */
  readonly jump: Jump | null;
  readonly reports: readonly JsonObject[];
  readonly decisions: readonly PolicyDecision[];
  /** The run is kept at least so long. */
  readonly keepUntil?: number;
}

/** Another flow, planned for this visitor. */
export interface Jump {
  readonly flow: CompiledFlow;
  readonly plan: readonly PlanEntry[];
  readonly context: PlanContext;
  readonly messages: readonly Text[];
  readonly decisions: readonly PolicyDecision[];
}

/** A stage's decision that brought effects, and how things stood before it: where a refusal goes back to. */
export interface Decision {
  readonly before: ChainState;
  readonly entry: PlanEntry;
  readonly effects: readonly Effect[];
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
  readonly dryRun: boolean;
  /** Id of the run; '' without one. */
  readonly run: string;
  /** False while somebody else moves the run on: then it stops before what is the owner's alone. */
  readonly forOwner: boolean;
  /** An anonymous browser answers: what it proves is worth a token that nobody else has. Absent: no. */
  readonly handsOver?: boolean;
}

/** The binding that an entry stands for; undefined for an inserted stage. */
export function bindingOf(flow: CompiledFlow, entry: PlanEntry): CompiledBinding | undefined {
  return flow.bindings.find((binding) => binding.pk === entry.binding);
}

/** What a wrong answer or a denial leads to. Without a browser nobody would answer otherwise the second time. */
export function onInvalid({ flow, unattended }: ChainSetting, entry: PlanEntry): InvalidResponseAction {
  return unattended ? 'retry' : (bindingOf(flow, entry)?.invalidResponseAction ?? 'retry');
}

/** Whether only the run's owner may be brought there: what it does, it does to their browser. */
export function isOwners({ definition, desk }: { readonly definition: AnyStage; readonly desk: Desk }): boolean {
  return definition.touchesBrowser ?? definition.touchesBrowserNow?.(desk) ?? false;
}

/** The stage to visit at an entry. */
export function stageOf(flow: CompiledFlow, entry: PlanEntry): CompiledStage {
  const stage = entry.inserted ?? bindingOf(flow, entry)?.stage;
  if (stage === undefined) throw new Error(`flow ${flow.slug} has no binding ${entry.binding}`);
  return stage;
}

/** An entry as it was planned, whatever brought the run back to it. */
export function plainEntry({ revise: _, ...entry }: PlanEntry): PlanEntry {
  return entry;
}

/** The id of the user that the flow is about, when there is one. */
export function pendingId(context: PlanContext): number | null {
  const pending = context.pending_user;
  return pending !== undefined && 'ref' in pending ? pending.ref : null;
}

/** Whom policies are asked about: the pending user, else the visitor. A stand-in is nobody, not the visitor. */
export function policyUser(context: PlanContext, visitor: Visitor): number | null {
  return context.pending_user === undefined ? (visitor.user?.id ?? null) : pendingId(context);
}

/** Where a run ends: the context's `redirect` is the server's own word; `next` is the visitor's and is checked. */
export function destination(context: PlanContext, { next, origin }: ChainSetting): EndOutcome {
  if (context.redirect !== undefined) return { kind: 'done', to: context.redirect };
  return { kind: 'done', to: (next === null ? null : safeNext(next, origin)) ?? '/' };
}

/** How a run ends whose flow does not apply any more when it is planned anew: as `denied_action` says (flow-engine.md 3.6). */
export function inapplicable(message: Text, { flow, next, origin }: ChainSetting): EndOutcome {
  const wished = next === null ? null : safeNext(next, origin);
  const to = flow.deniedAction === 'message' ? null : (wished ?? (flow.deniedAction === 'continue' ? '/' : null));
  return to === null ? { kind: 'denied', message } : { kind: 'done', to };
}

/**
 * Back to the stages that collected the fields with problems, then on from here; null when nobody collected one of
 * them.
 */
export function revision(
  state: ChainState,
  problems: FieldProblems,
  collected: (entry: PlanEntry) => readonly string[],
): Partial<ChainState> | null {
  const asked = new Map<PlanEntry, FieldProblems>();
  for (const [key, found] of Object.entries(problems)) {
    const collector = state.visited.findLast((visited) => collected(visited).includes(key));
    if (collector === undefined) return null;
    asked.set(collector, { ...asked.get(collector), [key]: found });
  }
  const again = [...asked].map(([collector, revise]) => ({ ...collector, revise }));
  const visited = state.visited.filter((known) => !asked.has(known));
  return { plan: [...again, ...state.plan], visited, challenge: null, memo: null };
}

/** What a run that begins again still knows: whom it made and what it used up, and nothing of what was said. */
export function forgetful({ 'doorward/made': made, 'doorward/claims': claims = [] }: PlanContext): PlanContext {
  const used = claims.filter((claim) => claim.used);
  return {
    ...(made === undefined ? {} : { 'doorward/made': made }),
    ...(used.length === 0 ? {} : { 'doorward/claims': used }),
  };
}

/** Nothing that the stages asked for since `start` is carried out. */
export function undone(start: ChainState | undefined): Partial<ChainState> {
  if (start === undefined) return {};
  const { effects, visitor, sessionHash, session, reports } = start;
  return { effects, visitor, sessionHash, session, reports };
}

/** What is worth stealing in the run of somebody who is not signed in yet. */
const proofs = ['auth_method', 'auth_method_args', 'doorward/proven_email'];

/**
 * What the end of this request hands out to the browser: another session, and what it is trusted with. An anonymous
 * browser's cookie may have been planted by somebody who waits for its owner to prove who they are, and then fills in
 * the next form themselves (CVE-2026-7507). So after a proof, or something typed in confidence, the run goes on under a
 * token that was never used before.
 */
export function handedOut(
  state: ChainState,
  { session, remember, context = {} }: Extract<Outcome, { kind: 'pass' }>,
  { handsOver, heldSecret }: { readonly handsOver: boolean; readonly heldSecret: boolean },
): Partial<ChainState> {
  const proven = heldSecret ? [...proofs, 'prompt_data'] : proofs;
  const isWorth = handsOver && state.session === null && proven.some((key) => context[key] !== undefined);
  const change = session ?? (isWorth ? ({ kind: 'hand_over', token: newToken() } as const) : undefined);
  return {
    ...(change === undefined ? {} : withSession(state, change)),
    ...(remember === undefined ? {} : { remember: [...(state.remember ?? []), remember] }),
  };
}

/** The browser's session as a stage changed it. */
function withSession(state: ChainState, session: SessionChange): Partial<ChainState> {
  const token = session.token ?? newToken();
  const sessionHash = hashToken(token);
  if (session.kind === 'renew' || session.kind === 'hand_over') return { session, sessionHash };
  const user = session.kind === 'begin' ? { user: session.user } : { user: null, session: null };
  return {
    session: session.kind === 'end' ? { kind: 'end', token } : session,
    ...{ sessionHash, visitor: { ...state.visitor, impersonator: null, ...user } },
    effects: state.effects.map((effect) =>
      // A session renewed in this very request gives way to the new one, so the old one ends under its old id.
      effect.kind === 'session.renew' && effect.to === state.sessionHash
        ? { kind: 'session.end', tokenHash: effect.from }
        : effect,
    ),
  };
}
