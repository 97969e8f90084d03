import type { CompiledBinding, CompiledFlow } from '../../engine/flow.ts';
import type { AnyStage } from '../../engine/stage.ts';
import { type IdentityProof, identityProofs, type StageProof } from '../../engine/stage-proof.ts';
import { type Admission, admissions, type PolicyWorld } from './admission.ts';
import type { Findings, WalkedStep, Walker } from './finding.ts';
import type { Visit } from './situation.ts';
import { beginning, plus, type Standing, standingKey, trustedBeginning } from './standing.ts';
import { visit } from './visit.ts';
import { jumpLoop, jumpToNowhere, linkNotUsedUp, restartLoop } from './way-words.ts';

/** What a walk goes by. */
export interface ProofWorld extends PolicyWorld {
  readonly flows: ReadonlyMap<string, CompiledFlow>;
  readonly stages: ReadonlyMap<string, AnyStage>;
  readonly factors: readonly IdentityProof[];
  readonly findings: Findings;
  proofOf(flow: CompiledFlow, binding: CompiledBinding): StageProof;
}

/** A place that a visitor has come to. */
interface Node {
  readonly flow: CompiledFlow;
  /** Index of the next binding. */
  readonly at: number;
  readonly standing: Standing;
  /** How they stood when the flow was planned. */
  readonly planned: Standing;
  readonly step: WalkedStep;
}

/** How the ways through one flow ended. */
export interface Ways {
  readonly ends: boolean;
  /** Only where a source or a program began it. */
  readonly endsWhenTrusted: boolean;
  /** The first way that ended in a denial, and why. */
  readonly denied: { readonly step: WalkedStep; readonly why: string; readonly byDeny: boolean } | null;
}

/** Far beyond any flow that a person can follow. */
const nodeLimit = 20_000;

/**
 * Walks every way through the flows, breadth first, so that the first way to a finding is a shortest one. At a binding
 * with policies the stage may be visited or skipped; a stage may pass, deny, begin anew or go over into another flow.
 */
export class Walk {
  readonly reached = new Set<string>();
  /** By binding and key of the plan context: whether it was there, was not, or both. */
  readonly needs = new Map<string, { met: boolean; lacking: WalkedStep | null; visitor: Walker }>();
  readonly #world: ProofWorld;
  #queue: Node[] = [];
  #seen = new Set<string>();
  #ends = false;
  #denied: Ways['denied'] = null;
  #visitor: Walker = 'anonymous';
  #silent = false;

  constructor(world: ProofWorld) {
    this.#world = world;
  }

  /** All ways that begin with this flow. */
  flow(flow: CompiledFlow): Ways {
    this.#denied = null;
    const ends = (['anonymous', 'signed_in'] as const).map((visitor) => this.#run(flow, beginning(visitor), visitor));
    const denied = this.#denied;
    this.#silent = true;
    const keys = new Set([
      'pending_user',
      'prompt_data',
      ...[...this.#world.stages.values()].flatMap(({ needs }) => needs),
    ]);
    const endsWhenTrusted =
      ends.includes(true) ||
      this.#run(flow, trustedBeginning('signed_in', keys), 'signed_in') ||
      this.#run(flow, trustedBeginning('anonymous', keys), 'anonymous');
    this.#silent = false;
    return { ends: ends.includes(true), endsWhenTrusted, denied };
  }

  #run(flow: CompiledFlow, standing: Standing, visitor: Walker): boolean {
    [this.#queue, this.#seen, this.#ends, this.#visitor] = [[], new Set(), false, visitor];
    this.#enter(flow, standing, null);
    for (let node = 0; node < this.#queue.length; node += 1) {
      const next = this.#queue[node];
      if (next === undefined) break;
      if (node < nodeLimit) this.#advance(next);
      else {
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
  #enter(flow: CompiledFlow, standing: Standing, before: WalkedStep | null, why = ''): boolean {
    if (!isAuthenticatedEnough(flow, standing)) return false;
    const entering = { ...standing, unasked: plus(standing.unasked, flow.slug) };
    let entered = false;
    for (const { passes, why: because, policies, standing: admitted } of admissions(flow, entering, this.#world)) {
      if (!passes) continue;
      entered = true;
      const words = [why, because].filter((part) => part !== '').join(', ');
      const step = { flow, binding: null, what: 'begins', why: words, policies, spares: false, before } as const;
      this.#push({ flow, at: 0, standing: admitted, planned: admitted, step });
    }
    return entered;
  }

  #push(node: Node): void {
    const planned = node.flow.bindings.some(({ evaluateOnPlan }) => evaluateOnPlan) ? standingKey(node.planned) : '';
    const key = `${node.flow.slug}\n${node.at}\n${standingKey(node.standing)}\n${planned}`;
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
    for (const { passes, why, policies, standing } of this.#admissions(node, binding)) {
      const what = passes ? 'visited' : 'skipped';
      const proves = this.#world.proofOf(flow, binding).proves ?? [];
      const factors = this.#world.factors.filter((factor) => proves.includes(factor));
      const walked: WalkedStep = {
        ...{ flow, binding, what, why, policies, before: step },
        spares: !passes && proves.some((proof) => (identityProofs as readonly string[]).includes(proof)),
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

  /** Policies are asked when the flow is planned, on arrival, or both. */
  #admissions({ planned, standing }: Node, binding: CompiledBinding): readonly Admission[] {
    const { evaluateOnPlan, reEvaluatePolicies } = binding;
    const onArrival = () =>
      reEvaluatePolicies
        ? admissions(binding, standing, this.#world)
        : [{ passes: true, why: '', policies: {}, standing }];
    if (!evaluateOnPlan) return onArrival();
    const first = admissions(binding, planned, this.#world).map((admission) => {
      const why = admission.why === '' ? '' : `${admission.why} when the flow is planned`;
      const loose = standing.loose || admission.standing.loose;
      return { ...admission, why, standing: { ...standing, loose } };
    });
    return first.flatMap((admission) => (admission.passes ? onArrival() : [admission]));
  }

  #visit(node: Node, binding: CompiledBinding): void {
    const { flow, standing, step } = node;
    if (!this.#silent) this.reached.add(binding.pk);
    const stage = this.#world.stages.get(binding.stage.kind);
    const proof = this.#world.proofOf(flow, binding);
    this.#noteNeeds(node, binding, stage?.needs ?? [], proof);
    const call: Visit = {
      ...{ flow, binding, proof, gives: stage?.gives ?? [], standing, step, factors: this.#world.factors },
      report: (code, said) => this.#report(flow, binding, code, node, said),
    };
    for (const next of visit(call)) {
      if (next.kind === 'pass') this.#push({ ...node, at: node.at + 1, standing: next.standing });
      else if (next.kind === 'deny') this.#deny(node, binding, next.standing, next.why);
      else this.#jump(node, binding, next);
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
  #deny(node: Node, binding: CompiledBinding, standing: Standing, why: string): void {
    const { flow, step } = node;
    const action = binding.invalidResponseAction;
    if (action === 'retry') {
      const byDeny = this.#world.proofOf(flow, binding).denies === true;
      if (this.#denied === null || (this.#denied.byDeny && !byDeny)) this.#denied = { step, why, byDeny };
      return;
    }
    if (standing.unasked.has(flow.slug)) {
      this.#report(flow, binding, 'restart_loop', node, restartLoop(binding, why));
      return;
    }
    const again =
      action === 'restart_with_context' ? standing : { ...beginning(standing.visitor), unasked: standing.unasked };
    this.#enter(flow, again, step, `begins anew, since ${why}`);
  }

  #jump(
    node: Node,
    binding: CompiledBinding,
    next: { readonly flow: string | null; readonly keep: boolean; readonly standing: Standing },
  ): void {
    const { flow, step } = node;
    const { standing, keep } = next;
    const target = next.flow === null ? undefined : this.#world.flows.get(next.flow);
    if (target === undefined) {
      this.#report(flow, binding, 'jump_to_nowhere', node, jumpToNowhere(binding, next.flow));
      this.#deny(node, binding, standing, 'the flow it leads into does not exist');
      return;
    }
    if (standing.unasked.has(target.slug)) {
      this.#report(flow, binding, 'jump_loop', node, jumpLoop(binding, target.slug));
      return;
    }
    const begins = keep ? standing : { ...beginning(standing.visitor), unasked: standing.unasked };
    if (this.#enter(target, { ...begins, redirected: true }, step, `"${binding.stage.name}" leads here`))
      this.#ends = true;
    else this.#deny(node, binding, standing, `the flow ${target.slug} does not apply to them`);
  }

  #end(node: Node): void {
    const { flow, standing } = node;
    this.#ends = true;
    if (standing.open.size === 0 || !standing.acted) return;
    this.#report(flow, null, 'link_not_used_up', node, linkNotUsedUp([...standing.open]));
  }

  #report(
    flow: CompiledFlow,
    binding: CompiledBinding | null,
    code: Parameters<Findings['add']>[0],
    { standing, step }: Pick<Node, 'standing' | 'step'>,
    said: Parameters<Findings['add']>[2],
  ): void {
    if (this.#silent) return;
    this.#world.findings.add(
      code,
      { flow, binding },
      { ...said, visitor: this.#visitor, path: step, unlikely: standing.unlikely },
    );
  }
}

/** As the planner asks it; of administrators too many are rather assumed than too few. */
function isAuthenticatedEnough({ authentication }: CompiledFlow, { visitor, redirected }: Standing): boolean {
  switch (authentication) {
    case 'none':
      return true;
    case 'require_authenticated':
    case 'require_superuser':
      return visitor === 'signed_in';
    case 'require_unauthenticated':
      return visitor === 'anonymous';
    case 'require_redirect':
      return redirected;
    case 'require_outpost':
      return false;
  }
}
