import { member } from '../kernel/json.ts';
import type { Challenge } from '../protocol/challenge.ts';
import { text } from '../protocol/text.ts';
import { askPolicies, patched, policyFailed, withDecisions } from './admit.ts';
import { bindingOf, type ChainSetting, type ChainState, destination, isOwners } from './chain-state.ts';
import type { Refusal } from './effects.ts';
import type { Reads } from './ports.ts';
import type { PlanEntry } from './run.ts';
import type { RunKey, Signal } from './run-key.ts';
import type { AnyStage, Desk, Outcome, Response } from './stage.ts';
import { Standing } from './standing.ts';

/** So many stages may pass in one request; a restart on a self-acting stage must not loop (CONTRACT: Outcomes). */
const passLimit = 50;

/**
 * Moves a run on within one request: stages that pass go on in memory, and nothing is written until the whole chain is
 * committed once. It decides only; `step.ts` commits.
 */
export class Chain {
  readonly #setting: ChainSetting;
  readonly #standing: Standing;
  #passes = 0;
  /** Bindings whose effects the store refused in this request. */
  readonly #refused = new Set<string>();

  constructor(setting: ChainSetting, state: ChainState) {
    this.#setting = setting;
    this.#standing = new Standing(setting, state);
  }

  get state(): ChainState {
    return this.#standing.state;
  }

  set state(state: ChainState) {
    this.#standing.state = state;
  }

  get read(): Reads {
    return this.#standing.read;
  }

  /** Where the visitor wants to go at the end. */
  get next(): string | null {
    return this.#setting.next;
  }

  /** A stage has judged this request's answer. */
  get answered(): boolean {
    return this.#standing.answered;
  }

  /** Something was decided that the run must remember: a stage passed, asked anew, or went back. */
  get moved(): boolean {
    return this.#standing.moved;
  }

  /** That answer held something typed in confidence. */
  get heldSecret(): boolean {
    return this.#standing.heldSecret;
  }

  /** Visits what is left until a stage asks or the run ends. */
  async arrive(): Promise<void> {
    while (this.state.ended === null && this.state.jump === null && this.state.challenge === null) {
      const [entry] = this.state.plan;
      if (!this.#setting.forOwner && (entry === undefined || isOwners(this.#standing.desk(entry)))) return;
      if (entry === undefined) return this.#standing.end(destination(this.state.context, this.#setting));
      this.#passes += 1;
      if (this.#passes > passLimit) {
        this.#standing.end({ kind: 'denied', message: text('flow.too_many_stages') });
        return;
      }
      if (await this.#policiesPass(entry)) await this.#visit(entry, (definition, desk) => definition.enter(desk));
    }
  }

  /** Judges an answer to the current challenge, then goes on. */
  async answer(body: Response): Promise<void> {
    const [entry] = this.state.plan;
    if (entry === undefined) return this.arrive();
    this.#standing.answered = true;
    const { definition: asked, desk } = this.#standing.desk(entry);
    this.#standing.heldSecret =
      asked.secretFields?.(desk).some((field) => typeof member(body, field) === 'string') ?? false;
    await this.#visit(entry, async (definition, desk) =>
      definition.answer === undefined ? { kind: 'pass' } : definition.answer(desk, body),
    );
    await this.arrive();
  }

  /** What is shown before somebody outside of the run may say something to it; null where the stage listens to nobody. */
  confirmation(key: RunKey): Challenge | null {
    const [entry] = this.state.plan;
    if (entry === undefined || entry.binding !== key.binding) return null;
    const { definition, desk } = this.#standing.desk(entry);
    return definition.confirmation?.(desk, key) ?? null;
  }

  /** Heeds somebody outside of the run, then goes on. What they say is no answer that the visitor could give anew. */
  async signal(signal: Signal): Promise<void> {
    const [entry] = this.state.plan;
    if (entry === undefined) return;
    await this.#visit(
      entry,
      async (definition, desk) => definition.signal?.(desk, signal) ?? { kind: 'deny', message: null },
      true,
    );
    await this.arrive();
  }

  /**
   * The commit refused an effect: its stage decides again, from where it stood. One that was refused before in this
   * request does not begin again: it would be refused for ever.
   */
  async refused(refusal: Refusal): Promise<void> {
    const entry = this.#standing.takeBack(refusal);
    if (entry === null) return this.#standing.end({ kind: 'denied', message: text('user_write.failed') });
    // Somebody else was quicker: that ends by itself.
    const isLasting = refusal.reason !== 'changed';
    const isRepeated = isLasting && this.#refused.has(entry.binding);
    if (isLasting) this.#refused.add(entry.binding);
    await this.#visit(
      entry,
      async (definition, desk) =>
        definition.refused === undefined
          ? { kind: 'deny', message: text('user_write.failed') }
          : definition.refused(desk, refusal),
      isRepeated,
    );
    await this.arrive();
  }

  /** An answer to the current challenge from what the run knows, or null when only a person has it. */
  unattendedAnswer(): Response | null {
    const [entry] = this.state.plan;
    if (entry === undefined) return null;
    const { definition, desk } = this.#standing.desk(entry);
    return definition.unattended?.(desk) ?? null;
  }

  async #visit(
    entry: PlanEntry,
    decide: (definition: AnyStage, desk: Desk) => Promise<Outcome>,
    final = false,
  ): Promise<void> {
    const { definition, desk } = this.#standing.desk(entry);
    await this.#standing.apply(entry, await decide(definition, desk), final);
  }

  async #policiesPass(entry: PlanEntry): Promise<boolean> {
    const binding = bindingOf(this.#setting.flow, entry);
    // A revision goes back to a stage that was admitted already.
    if (binding === undefined || !binding.reEvaluatePolicies || entry.revise !== undefined) return true;
    if (binding.policies.length === 0) return true;
    const { flow, world } = this.#setting;
    const { context, visitor } = this.state;
    const result = await askPolicies(world.policies, binding, { flow, visitor, context }, this.read);
    this.#standing.set({
      effects: [...this.state.effects, ...result.effects],
      messages: [...this.state.messages, ...result.messages],
      decisions: withDecisions(this.state.decisions, result.decisions),
      context: patched(context, result.contextPatch),
    });
    if (result.failed) this.#standing.end({ kind: 'denied', message: policyFailed });
    else if (!result.passing) this.#standing.set({ plan: this.state.plan.slice(1), memo: null });
    return result.passing && !result.failed;
  }
}
