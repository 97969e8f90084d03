import type { Challenge } from '../protocol/challenge.ts';
import { type FieldProblems, type Text, text } from '../protocol/text.ts';
import { patched, withDecisions } from './admit.ts';
import {
  type ChainSetting,
  type ChainState,
  type Decision,
  handedOut,
  inapplicable,
  onInvalid,
  plainEntry,
  revision,
  stageOf,
  undone,
} from './chain-state.ts';
import { layDesk, readThrough } from './desk.ts';
import type { Refusal } from './effects.ts';
import type { InvalidResponseAction } from './flow.ts';
import type { Reads } from './ports.ts';
import { goneOver, startedAgain } from './replan.ts';
import type { EndOutcome, PlanEntry } from './run.ts';
import type { AnyStage, Desk, Outcome } from './stage.ts';

/**
 * Where a run stands within one request, and what each outcome makes of that. `chain.ts` asks the stages; nothing is
 * asked here.
 */
export class Standing {
  readonly #setting: ChainSetting;
  readonly #decisions: Decision[] = [];
  #read: Reads;
  #final = false;
  state: ChainState;
  /** A stage has judged this request's answer. */
  answered = false;
  /** That answer held something typed in confidence. */
  heldSecret = false;
  /** Something was decided that the run must remember: a stage passed, asked anew, or went back. */
  moved = false;

  constructor(setting: ChainSetting, state: ChainState) {
    this.#setting = setting;
    this.state = state;
    this.#read = readThrough(setting.world.store.read, () => this.state.effects);
  }

  get read(): Reads {
    return this.#read;
  }

  /** What the stage of an entry is given. */
  desk(entry: PlanEntry): { definition: AnyStage; desk: Desk } {
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

  /** Goes back to before the decision that brought this effect, and says whose it was; null: nobody's. */
  takeBack(refusal: Refusal): PlanEntry | null {
    const index = this.#decisions.findIndex(({ effects }) => effects.some(({ kind }) => kind === refusal.effect));
    const decision = this.#decisions[index];
    if (decision === undefined) return null;
    this.#decisions.length = index;
    this.#read = readThrough(this.#setting.world.store.read, () => this.state.effects);
    this.state = decision.before;
    return decision.entry;
  }

  /**
   * What a stage decided.
   *
   * @param final whatever the binding says, nothing begins again for it: nobody answered
   */
  async apply(entry: PlanEntry, outcome: Outcome, final = false): Promise<void> {
    const { effects = [] } = outcome;
    this.#final = final;
    if (effects.length > 0) this.#decisions.push({ before: this.state, entry, effects });
    if (outcome.kind === 'deny' && outcome.undo === true) this.set(undone(this.#decisions.splice(0)[0]?.before));
    this.set({
      effects: [...this.state.effects, ...effects],
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
        return this.end({ kind: 'done', to: outcome.to });
    }
  }

  #ask(challenge: Challenge, problems: FieldProblems | null): void {
    this.moved ||= this.answered;
    this.set({ challenge, problems });
  }

  #pass(entry: PlanEntry, outcome: Extract<Outcome, { kind: 'pass' }>): void {
    if (this.#collected(entry).length > 0) this.set({ visited: [...this.state.visited, plainEntry(entry)] });
    this.#next(outcome.context);
    if (outcome.report !== undefined) this.set({ reports: [...this.state.reports, outcome.report] });
    const { handsOver = false } = this.#setting;
    this.set(handedOut(this.state, outcome, { handsOver, heldSecret: this.heldSecret }));
  }

  #insert(entry: PlanEntry, outcome: Extract<Outcome, { kind: 'insert' }>): void {
    this.#next(outcome.context);
    const inserted = outcome.stages.map((stage, index) => ({ binding: `${entry.binding}+${index}`, inserted: stage }));
    this.set({ plan: [...inserted, ...this.state.plan] });
  }

  /**
   * Back to the stages that collected the fields with problems, then here again; nothing else is asked or run anew
   * (CONTRACT: Outcomes). A field that nobody here collected cannot be mended by the visitor.
   */
  #revise(entry: PlanEntry, { problems, otherwise }: Extract<Outcome, { kind: 'revise' }>): void | Promise<void> {
    const again = revision(this.state, problems, (visited) => this.#collected(visited));
    if (again === null) return this.#deny(entry, otherwise);
    this.moved = true;
    this.set(again);
  }

  #collected(entry: PlanEntry): readonly string[] {
    const { definition, desk } = this.desk(entry);
    return definition.collects?.(desk) ?? [];
  }

  /** The current entry is done. */
  #next(patch: Readonly<Record<string, unknown>> = {}): void {
    this.moved = true;
    const context = patched(this.state.context, patch);
    this.set({ plan: this.state.plan.slice(1), context, challenge: null, memo: null });
  }

  async #retry(entry: PlanEntry, outcome: Extract<Outcome, { kind: 'retry' }>): Promise<void> {
    const action = this.#onInvalid(entry);
    if (action !== 'retry') return this.#restart(action === 'restart_with_context');
    this.set({ problems: outcome.problems, challenge: outcome.challenge ?? this.state.challenge });
  }

  /** A denial obeys the binding's invalid_response_action (B-3, W41). */
  async #deny(entry: PlanEntry, message: Text | null, problems: FieldProblems | null = null): Promise<void> {
    const action = this.#onInvalid(entry);
    if (action !== 'retry') return this.#restart(action === 'restart_with_context');
    this.set({ problems });
    this.end({ kind: 'denied', message: message === null || message === '' ? text('flow.unknown_error') : message });
  }

  #onInvalid(entry: PlanEntry): InvalidResponseAction {
    return this.#final ? 'retry' : onInvalid(this.#setting, entry);
  }

  async #restart(keep: boolean): Promise<void> {
    const planned = await startedAgain(this.#setting, this.state, keep, this.#read);
    if ('denied' in planned) return this.end(inapplicable(planned.denied, this.#setting));
    this.moved = true;
    this.set(planned.change);
  }

  async #jump(entry: PlanEntry, slug: string, keep: boolean): Promise<void> {
    const planned = await goneOver(this.#setting, this.state, { slug, keep }, this.#read);
    return 'denied' in planned ? this.#deny(entry, planned.denied) : this.set(planned.change);
  }

  /** Nothing is left to do. */
  end(ended: EndOutcome): void {
    this.set({ ended, plan: [], context: {}, challenge: null, memo: null });
  }

  set(change: Partial<ChainState>): void {
    this.state = { ...this.state, ...change };
  }
}
