import { member } from '../kernel/json.ts';
import type { Challenge } from '../protocol/challenge.ts';
import { type FieldProblems, type Text, text } from '../protocol/text.ts';
import { askPolicies, patched, policyFailed, withDecisions } from './admit.ts';
import {
  bindingOf,
  type ChainSetting,
  type ChainState,
  type Decision,
  destination,
  handedOut,
  inapplicable,
  isOwners,
  onInvalid,
  plainEntry,
  revision,
  stageOf,
  undone,
} from './chain-state.ts';
import { layDesk, readThrough } from './desk.ts';
import type { Refusal } from './effects.ts';
import type { Reads } from './ports.ts';
import { goneOver, startedAgain } from './replan.ts';
import type { EndOutcome, PlanEntry } from './run.ts';
import type { RunKey, Signal } from './run-key.ts';
import type { AnyStage, Desk, Outcome, Response } from './stage.ts';

/** So many stages may pass in one request; a restart on a self-acting stage must not loop (CONTRACT: Outcomes). */
const passLimit = 50;

/**
 * Moves a run on within one request: stages that pass go on in memory, and nothing is written until the whole chain is
 * committed once. It decides only; `step.ts` commits.
 */
export class Chain {
  readonly #setting: ChainSetting;
  readonly #decisions: Decision[] = [];
  #read: Reads;
  #passes = 0;
  #answered = false;
  #heldSecret = false;
  #moved = false;
  state: ChainState;

  constructor(setting: ChainSetting, state: ChainState) {
    this.#setting = setting;
    this.state = state;
    this.#read = readThrough(setting.world.store.read, () => this.state.effects);
  }

  get read(): Reads {
    return this.#read;
  }

  /** Where the visitor wants to go at the end. */
  get next(): string | null {
    return this.#setting.next;
  }

  /** A stage has judged this request's answer. */
  get answered(): boolean {
    return this.#answered;
  }

  /** Something was decided that the run must remember: a stage passed, asked anew, or went back. */
  get moved(): boolean {
    return this.#moved;
  }

  /** That answer held something typed in confidence. */
  get heldSecret(): boolean {
    return this.#heldSecret;
  }

  /** Visits what is left until a stage asks or the run ends. */
  async arrive(): Promise<void> {
    while (this.state.ended === null && this.state.jump === null && this.state.challenge === null) {
      const [entry] = this.state.plan;
      if (!this.#setting.forOwner && (entry === undefined || isOwners(this.#desk(entry)))) return;
      if (entry === undefined) return this.#end(destination(this.state.context, this.#setting));
      this.#passes += 1;
      if (this.#passes > passLimit) {
        this.#end({ kind: 'denied', message: text('flow.too_many_stages') });
        return;
      }
      if (await this.#policiesPass(entry)) await this.#visit(entry, (definition, desk) => definition.enter(desk));
    }
  }

  /** Judges an answer to the current challenge, then goes on. */
  async answer(body: Response): Promise<void> {
    const [entry] = this.state.plan;
    if (entry === undefined) return this.arrive();
    this.#answered = true;
    const { definition: asked, desk } = this.#desk(entry);
    this.#heldSecret = asked.secretFields?.(desk).some((field) => typeof member(body, field) === 'string') ?? false;
    await this.#visit(entry, async (definition, desk) =>
      definition.answer === undefined ? { kind: 'pass' } : definition.answer(desk, body),
    );
    await this.arrive();
  }

  /** What is shown before somebody outside of the run may say something to it; null where the stage listens to nobody. */
  confirmation(key: RunKey): Challenge | null {
    const [entry] = this.state.plan;
    if (entry === undefined || entry.binding !== key.binding) return null;
    const { definition, desk } = this.#desk(entry);
    return definition.confirmation?.(desk, key) ?? null;
  }

  /** Heeds somebody outside of the run, then goes on. */
  async signal(signal: Signal): Promise<void> {
    const [entry] = this.state.plan;
    if (entry === undefined) return;
    await this.#visit(
      entry,
      async (definition, desk) => definition.signal?.(desk, signal) ?? { kind: 'deny', message: null },
    );
    await this.arrive();
  }

  /** The commit refused an effect: its stage decides again, from where it stood. */
  async refused(refusal: Refusal): Promise<void> {
    const index = this.#decisions.findIndex(({ effects }) => effects.some(({ kind }) => kind === refusal.effect));
    const decision = this.#decisions[index];
    if (decision === undefined) return this.#end({ kind: 'denied', message: text('user_write.failed') });
    this.#decisions.length = index;
    this.#read = readThrough(this.#setting.world.store.read, () => this.state.effects);
    this.state = decision.before;
    await this.#visit(decision.entry, async (definition, desk) =>
      definition.refused === undefined
        ? { kind: 'deny', message: text('user_write.failed') }
        : definition.refused(desk, refusal),
    );
    await this.arrive();
  }

  /** An answer to the current challenge from what the run knows, or null when only a person has it. */
  unattendedAnswer(): Response | null {
    const [entry] = this.state.plan;
    if (entry === undefined) return null;
    const { definition, desk } = this.#desk(entry);
    return definition.unattended?.(desk) ?? null;
  }

  async #visit(entry: PlanEntry, decide: (definition: AnyStage, desk: Desk) => Promise<Outcome>): Promise<void> {
    const { definition, desk } = this.#desk(entry);
    const before = this.state;
    const outcome = await decide(definition, desk);
    if (outcome.effects !== undefined && outcome.effects.length > 0)
      this.#decisions.push({ before, entry, effects: outcome.effects });
    await this.#apply(entry, outcome);
  }

  #desk(entry: PlanEntry): { definition: AnyStage; desk: Desk } {
    const { world, flow, query, unattended, dryRun, run } = this.#setting;
    const stage = stageOf(flow, entry);
    const definition = world.stages.get(stage.kind);
    if (definition === undefined)
      throw new Error(`flow ${flow.slug} uses the stage kind ${stage.kind}, which is not installed`);
    const { context, memo, visitor, sessionHash } = this.state;
    const desk = layDesk({
      ...{ definition, stage, flow, context, memo, visitor, query, unattended, dryRun, sessionHash, run },
      ...{ binding: entry.binding, revise: entry.revise ?? null },
      read: this.#read,
      ...{ tools: world.tools, policies: world.policies },
    });
    return { definition, desk };
  }

  async #policiesPass(entry: PlanEntry): Promise<boolean> {
    const binding = bindingOf(this.#setting.flow, entry);
    // A revision goes back to a stage that was admitted already.
    if (binding === undefined || !binding.reEvaluatePolicies || entry.revise !== undefined) return true;
    if (binding.policies.length === 0) return true;
    const { flow, world } = this.#setting;
    const { context, visitor } = this.state;
    const result = await askPolicies(world.policies, binding, { flow, visitor, context }, this.#read);
    this.#set({
      effects: [...this.state.effects, ...result.effects],
      messages: [...this.state.messages, ...result.messages],
      decisions: withDecisions(this.state.decisions, result.decisions),
      context: patched(context, result.contextPatch),
    });
    if (result.failed) this.#end({ kind: 'denied', message: policyFailed });
    else if (!result.passing) this.#set({ plan: this.state.plan.slice(1), memo: null });
    return result.passing && !result.failed;
  }

  async #apply(entry: PlanEntry, outcome: Outcome): Promise<void> {
    if (outcome.kind === 'deny' && outcome.undo === true) this.#set(undone(this.#decisions.splice(0)[0]?.before));
    this.#set({
      effects: [...this.state.effects, ...(outcome.effects ?? [])],
      messages: [...this.state.messages, ...(outcome.messages ?? [])],
      decisions: withDecisions(this.state.decisions, outcome.decisions ?? []),
      problems: null,
      keepUntil: Math.max(this.state.keepUntil ?? 0, outcome.keepUntil ?? 0),
      ...(outcome.memo === undefined ? {} : { memo: outcome.memo }),
    });
    switch (outcome.kind) {
      case 'ask':
        return this.#ask(outcome.challenge, entry.revise ?? null);
      case 'leave':
        return this.#ask({ component: 'xak-flow-redirect', to: outcome.to }, null);
      case 'pass':
        return this.#pass(entry, outcome);
      case 'insert':
        return this.#insert(entry, outcome);
      case 'retry':
        return this.#retry(entry, outcome);
      case 'revise':
        return this.#revise(entry, outcome);
      case 'deny':
        return this.#deny(entry, outcome.message, outcome.problems);
      case 'restart':
        return this.#restart(outcome.keep);
      case 'jump':
        return this.#jump(entry, outcome.flow, outcome.keep);
      case 'finish':
        return this.#end({ kind: 'done', to: outcome.to });
    }
  }

  #ask(challenge: Challenge, problems: FieldProblems | null): void {
    this.#moved ||= this.#answered;
    this.#set({ challenge, problems });
  }

  #pass(entry: PlanEntry, outcome: Extract<Outcome, { kind: 'pass' }>): void {
    if (this.#collected(entry).length > 0) this.#set({ visited: [...this.state.visited, plainEntry(entry)] });
    this.#next(outcome.context);
    if (outcome.report !== undefined) this.#set({ reports: [...this.state.reports, outcome.report] });
    const { handsOver = false } = this.#setting;
    this.#set(handedOut(this.state, outcome, { handsOver, heldSecret: this.#heldSecret }));
  }

  #insert(entry: PlanEntry, outcome: Extract<Outcome, { kind: 'insert' }>): void {
    this.#next(outcome.context);
    const inserted = outcome.stages.map((stage, index) => ({ binding: `${entry.binding}+${index}`, inserted: stage }));
    this.#set({ plan: [...inserted, ...this.state.plan] });
  }

  /**
   * Back to the stages that collected the fields with problems, then here again; nothing else is asked or run anew
   * (CONTRACT: Outcomes). A field that nobody here collected cannot be mended by the visitor.
   */
  #revise(entry: PlanEntry, { problems, otherwise }: Extract<Outcome, { kind: 'revise' }>): void | Promise<void> {
    const again = revision(this.state, problems, (visited) => this.#collected(visited));
    if (again === null) return this.#deny(entry, otherwise);
    this.#moved = true;
    this.#set(again);
  }

  #collected(entry: PlanEntry): readonly string[] {
    const { definition, desk } = this.#desk(entry);
    return definition.collects?.(desk) ?? [];
  }

  /** The current entry is done. */
  #next(patch: Readonly<Record<string, unknown>> = {}): void {
    this.#moved = true;
    const context = patched(this.state.context, patch);
    this.#set({ plan: this.state.plan.slice(1), context, challenge: null, memo: null });
  }

  async #retry(entry: PlanEntry, outcome: Extract<Outcome, { kind: 'retry' }>): Promise<void> {
    const action = onInvalid(this.#setting, entry);
    if (action !== 'retry') return this.#restart(action === 'restart_with_context');
    this.#set({ problems: outcome.problems, challenge: outcome.challenge ?? this.state.challenge });
  }

  /** A denial obeys the binding's invalid_response_action (B-3, W41). */
  async #deny(entry: PlanEntry, message: Text | null, problems: FieldProblems | null = null): Promise<void> {
    const action = onInvalid(this.#setting, entry);
    if (action !== 'retry') return this.#restart(action === 'restart_with_context');
    this.#set({ problems });
    this.#end({ kind: 'denied', message: message === null || message === '' ? text('flow.unknown_error') : message });
  }

  async #restart(keep: boolean): Promise<void> {
    const planned = await startedAgain(this.#setting, this.state, keep, this.#read);
    if ('denied' in planned) return this.#end(inapplicable(planned.denied, this.#setting));
    this.#moved = true;
    this.#set(planned.change);
  }

  async #jump(entry: PlanEntry, slug: string, keep: boolean): Promise<void> {
    const planned = await goneOver(this.#setting, this.state, { slug, keep }, this.#read);
    return 'denied' in planned ? this.#deny(entry, planned.denied) : this.#set(planned.change);
  }

  #end(ended: EndOutcome): void {
    this.#set({ ended, plan: [], context: {}, challenge: null, memo: null });
  }

  #set(change: Partial<ChainState>): void {
    this.state = { ...this.state, ...change };
  }
}
