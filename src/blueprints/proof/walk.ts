import type { CompiledBinding, CompiledFlow } from '../../engine/flow.ts';
import { identityProofs, type StageProof } from '../../engine/stage-proof.ts';
import { admissions } from './admission.ts';
import type { FindingCode } from './codes.ts';
import type { Said, WalkedStep, Walker } from './finding.ts';
import {
  admissionsAt,
  type Doubt,
  isAuthenticatedEnough,
  type Node,
  type ProofWorld,
  settled,
  type Ways,
} from './node.ts';
import type { Visit } from './situation.ts';
import { beginning, plus, type Standing, standingKey, trustedBeginning, withoutContext } from './standing.ts';
import { visit } from './visit.ts';
import { jumpLoop, jumpToNowhere, linkNotUsedUp, restartLoop } from './way-words.ts';

/** Far beyond any flow that a person can follow. */
const nodeLimit = 5_000;

/**
 * Walks every way through the flows, breadth first, so that the first way to a finding is a shortest one. At a binding
 * with policies the stage may be visited or skipped; a stage may pass, deny, begin anew or go over into another flow.
 */
export class Walk {
  readonly reached = new Set<string>();
  /** pks of flows with more ways than were walked. */
  readonly cut = new Set<string>();
  /** By binding and key of the plan context: whether it was there, was not, or both. */
  readonly needs = new Map<string, { met: boolean; lacking: WalkedStep | null; visitor: Walker }>();
  readonly #world: ProofWorld;
  #queue: Node[] = [];
  #seen = new Set<string>();
  #ends = false;
  #denied: Ways['denied'] = null;
  #visitor: Walker = 'anonymous';
  #silent = false;
  #cut = false;

  constructor(world: ProofWorld) {
    this.#world = world;
  }

  /** All ways that begin with this flow. */
  flow(flow: CompiledFlow): Ways {
    this.#denied = null;
    this.#cut = false;
    const ends = (['anonymous', 'signed_in'] as const).map((visitor) => this.#run(flow, beginning(visitor), visitor));
    const [denied, cut] = [this.#denied, this.#cut];
    this.#silent = true;
    const keys = new Set([
      'pending_user',
      'prompt_data',
      ...[...this.#world.stages.values()].flatMap(({ needs }) => needs),
    ]);
    const endsWhenTrusted =
      ends.includes(true) ||
      cut ||
      this.#run(flow, trustedBeginning('signed_in', keys), 'signed_in') ||
      this.#run(flow, trustedBeginning('anonymous', keys), 'anonymous');
    this.#silent = false;
    return { ends: ends.includes(true), cut, endsWhenTrusted, denied };
  }

  #run(flow: CompiledFlow, standing: Standing, visitor: Walker): boolean {
    [this.#queue, this.#seen, this.#ends, this.#visitor] = [[], new Set(), false, visitor];
    this.#enter(flow, standing, { before: null, why: '', doubts: [] });
    for (let node = 0; node < this.#queue.length; node += 1) {
      const next = this.#queue[node];
      if (next === undefined) break;
      if (node < nodeLimit) this.#advance(next);
      else {
        this.#cut = true;
        this.cut.add(flow.pk);
        this.#report(flow, null, 'too_many_paths', next, {
          message: `The first ${nodeLimit} places of its ways were walked, and what lies behind them was not.`,
          change: 'Divide the flow, or bind fewer policies in it.',
        });
        break;
      }
    }
    return this.#ends;
  }

  /** Plans a flow for who stands so; false where it does not apply to them. */
  #enter(
    flow: CompiledFlow,
    standing: Standing,
    {
      before,
      why,
      doubts,
    }: { readonly before: WalkedStep | null; readonly why: string; readonly doubts: Node['doubts'] },
  ): boolean {
    if (!isAuthenticatedEnough(flow, standing)) return false;
    const entering = { ...standing, unasked: plus(standing.unasked, flow.slug) };
    let entered = false;
    for (const { passes, why: because, policies, standing: admitted } of admissions(flow, entering, this.#world)) {
      if (!passes) continue;
      entered = true;
      const words = [why, because].filter((part) => part !== '').join(', ');
      const step = { flow, binding: null, what: 'begins', why: words, policies, spares: false, before } as const;
      this.#push({ flow, at: 0, standing: admitted, planned: admitted, step, doubts });
    }
    return entered;
  }

  #push(node: Node): void {
    const planned = node.flow.bindings.some(({ evaluateOnPlan }) => evaluateOnPlan) ? standingKey(node.planned) : '';
    const doubts = node.doubts.map(({ code, binding, said }) => `${code} ${binding.pk} ${said.subject ?? ''}`).join();
    const key = `${node.flow.slug}\n${node.at}\n${standingKey(node.standing)}\n${planned}\n${doubts}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#queue.push(node);
  }

  #advance(node: Node): void {
    const { flow, at, step } = node;
    const binding = flow.bindings[at];
    if (binding === undefined) {
      this.#end(node);
      return;
    }
    for (const { passes, why, policies, standing } of admissionsAt(node, binding, this.#world)) {
      const what = passes ? 'visited' : 'skipped';
      const { proves = [], gate = false } = this.#world.proofOf(flow, binding);
      const factors = this.#world.factors.filter((factor) => proves.includes(factor));
      const walked: WalkedStep = {
        ...{ flow, binding, what, why, policies, before: step },
        spares: !passes && (gate || proves.some((proof) => (identityProofs as readonly string[]).includes(proof))),
      };
      if (passes) this.#visit({ ...node, standing, step: walked }, binding);
      else
        this.#push({
          ...node,
          at: at + 1,
          standing: { ...standing, spared: plus(standing.spared, ...factors) },
          step: walked,
        });
    }
  }

  #visit(node: Node, binding: CompiledBinding): void {
    const { flow, standing, step } = node;
    if (!this.#silent) this.reached.add(binding.pk);
    const stage = this.#world.stages.get(binding.stage.kind);
    const proof = this.#world.proofOf(flow, binding);
    this.#noteNeeds(node, binding, stage?.needs ?? [], proof);
    // What was done up to here is carried out before anybody is asked.
    if (proof.asks) this.#settle(node);
    const doubts: Doubt[] = proof.asks ? [] : [...node.doubts];
    const call: Visit = {
      ...{ flow, binding, proof, gives: stage?.gives ?? [], standing, step, factors: this.#world.factors },
      report: (code, said) => doubts.push({ code, flow, binding, said, step }),
    };
    for (const next of visit(call)) {
      const done = { ...node, standing: next.standing, doubts };
      if (next.kind === 'pass') this.#push({ ...done, at: node.at + 1 });
      else if (next.kind === 'deny') this.#deny({ ...done, doubts: next.undo ? [] : doubts }, binding, next.why);
      else this.#jump(done, binding, next);
    }
  }

  /** What a visitor lacks, and whether somebody else has it there. */
  #noteNeeds(
    { flow, standing, step }: Node,
    binding: CompiledBinding,
    needs: readonly string[],
    proof: StageProof,
  ): void {
    if (this.#silent) return;
    for (const key of needs) {
      const isVisitor = key === 'pending_user' && standing.visitor === 'signed_in' && !proof.signsIn;
      const met = isVisitor || standing.keys.has(key) || (key === 'is_redirected' && standing.redirected);
      const id = `${flow.pk}\n${binding.pk}\n${key}`;
      const known = this.needs.get(id) ?? { met: false, lacking: null, visitor: this.#visitor };
      if (met) known.met = true;
      else if (known.lacking === null) Object.assign(known, { lacking: step, visitor: this.#visitor });
      this.needs.set(id, known);
    }
  }

  /** A denial obeys the binding's invalid_response_action (B-3, W41). */
  #deny(node: Node, binding: CompiledBinding, why: string): void {
    const { flow, step, standing, doubts } = node;
    const action = binding.invalidResponseAction;
    if (action === 'retry') {
      this.#settle(node);
      const byDeny = this.#world.proofOf(flow, binding).denies === true;
      if (this.#denied === null || (this.#denied.byDeny && !byDeny)) this.#denied = { step, why, byDeny };
      return;
    }
    if (standing.unasked.has(flow.slug)) {
      this.#report(flow, binding, 'restart_loop', node, restartLoop(binding, why));
      return;
    }
    const again = action === 'restart_with_context' ? standing : withoutContext(standing);
    this.#enter(flow, again, { before: step, why: `begins anew, since ${why}`, doubts });
  }

  #jump(node: Node, binding: CompiledBinding, next: { readonly flow: string | null; readonly keep: boolean }): void {
    const { flow, step, standing } = node;
    const target = next.flow === null ? undefined : this.#world.flows.get(next.flow);
    if (target === undefined) {
      this.#report(flow, binding, 'jump_to_nowhere', node, jumpToNowhere(binding, next.flow));
      this.#deny(node, binding, 'the flow it leads into does not exist');
      return;
    }
    if (standing.unasked.has(target.slug)) {
      this.#report(flow, binding, 'jump_loop', node, jumpLoop(binding, target.slug));
      return;
    }
    const begins = next.keep ? standing : withoutContext(standing);
    const entering = { before: step, why: `"${binding.stage.name}" leads here`, doubts: [] };
    if (this.#enter(target, { ...begins, redirected: true }, entering)) {
      this.#settle(node);
      this.#ends = true;
    } else this.#deny(node, binding, `the flow ${target.slug} does not apply to them`);
  }

  #end(node: Node): void {
    const { flow, standing } = node;
    this.#ends = true;
    this.#settle(node);
    if (standing.open.size === 0 || !standing.acted) return;
    this.#report(flow, null, 'link_not_used_up', node, linkNotUsedUp([...standing.open]));
  }

  /** What was done stays done. */
  #settle(node: Node): void {
    for (const { code, flow, binding, said, step } of settled(node))
      this.#report(flow, binding, code, { standing: node.standing, step }, said);
  }

  #report(
    flow: CompiledFlow,
    binding: CompiledBinding | null,
    code: FindingCode,
    { standing, step }: Pick<Node, 'standing' | 'step'>,
    said: Said,
  ): void {
    if (this.#silent) return;
    this.#world.findings.add(
      code,
      { flow, binding },
      { ...said, visitor: this.#visitor, path: step, unlikely: standing.unlikely },
    );
  }
}
