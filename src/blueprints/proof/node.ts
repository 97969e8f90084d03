import type { CompiledBinding, CompiledFlow } from '../../engine/flow.ts';
import type { AnyStage } from '../../engine/stage.ts';
import type { IdentityProof, StageProof } from '../../engine/stage-proof.ts';
import { type Admission, admissions, type PolicyWorld } from './admission.ts';
import type { FindingCode } from './codes.ts';
import type { Findings, Said, WalkedStep } from './finding.ts';
import type { Standing } from './standing.ts';

/** What a walk goes by. */
export interface ProofWorld extends PolicyWorld {
  readonly flows: ReadonlyMap<string, CompiledFlow>;
  readonly stages: ReadonlyMap<string, AnyStage>;
  readonly factors: readonly IdentityProof[];
  readonly findings: Findings;
  proofOf(flow: CompiledFlow, binding: CompiledBinding): StageProof;
}

/** A place that a visitor has come to. */
export interface Node {
  readonly flow: CompiledFlow;
  /** Index of the next binding. */
  readonly at: number;
  readonly standing: Standing;
  /** How they stood when the flow was planned. */
  readonly planned: Standing;
  readonly step: WalkedStep;
  /** What stages did since the visitor's last answer: a gate that closes takes it back. */
  readonly doubts: readonly Doubt[];
}

/** Something found that holds once it is carried out. */
export interface Doubt {
  readonly code: FindingCode;
  readonly flow: CompiledFlow;
  readonly binding: CompiledBinding;
  readonly said: Said;
  readonly step: WalkedStep;
}

/** How the ways through one flow ended. */
export interface Ways {
  readonly ends: boolean;
  /** Some were not walked to their end. */
  readonly cut: boolean;
  /** Only where a source or a program began it. */
  readonly endsWhenTrusted: boolean;
  /** The first way that ended in a denial, and why. */
  readonly denied: { readonly step: WalkedStep; readonly why: string; readonly byDeny: boolean } | null;
}

/** How the policies of a binding may turn out: asked when the flow is planned, on arrival, or both. */
export function admissionsAt(
  { planned, standing }: Node,
  binding: CompiledBinding,
  world: PolicyWorld,
): readonly Admission[] {
  const { evaluateOnPlan, reEvaluatePolicies } = binding;
  const onArrival = reEvaluatePolicies
    ? admissions(binding, standing, world)
    : [{ passes: true, why: '', policies: {}, standing }];
  if (!evaluateOnPlan) return onArrival;
  return admissions(binding, planned, world).flatMap((early) => {
    const why = early.why === '' ? [] : [`${early.why} when the flow is planned`];
    const loose = standing.loose || early.standing.loose;
    if (!early.passes) return [{ ...early, why: why.join(), standing: { ...standing, loose } }];
    return onArrival.map((late) => ({
      passes: late.passes,
      why: [...why, ...(late.why === '' ? [] : [late.why])].join(', '),
      policies: { ...early.policies, ...late.policies },
      standing: { ...late.standing, loose: late.standing.loose || loose },
    }));
  });
}

/** What was done since the last answer. A path goes on to a gate that was skipped, since that would have taken it back. */
export function settled({ doubts, step }: Node): readonly Doubt[] {
  return doubts.map((doubt) => {
    let spared: WalkedStep | null = step;
    while (spared !== null && spared !== doubt.step && !spared.spares) spared = spared.before;
    if (spared === null || spared === doubt.step || spared.binding === null) return doubt;
    const more = ` "${spared.binding.stage.name}" could take it back, and is skipped where ${spared.why}.`;
    return { ...doubt, step: spared, said: { ...doubt.said, message: doubt.said.message + more } };
  });
}

/** As the planner asks it; of administrators too many are rather assumed than too few. */
export function isAuthenticatedEnough({ authentication }: CompiledFlow, { visitor, redirected }: Standing): boolean {
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
