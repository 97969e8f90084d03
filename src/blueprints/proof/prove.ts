/**
 * Proves flows before anybody meets them: it walks every way through each flow by what stages declare, and finds those
 * on which something happens that must not. It gets compiled flows and gives findings; it runs no stage and no policy.
 * What it proves and what it does not: docs/proof.md.
 */
import type { CompiledBinding, CompiledFlow } from '../../engine/flow.ts';
import type { StageProof } from '../../engine/stage-proof.ts';
import type { Installed } from '../models.ts';
import type { Place } from '../place.ts';
import { questionOf } from './admission.ts';
import { checkDeclared } from './declared.ts';
import { type Finding, Findings } from './finding.ts';
import type { ProofWorld, Ways } from './node.ts';
import { Walk } from './walk.ts';

export interface ProofInput {
  /** All flows of the installation: one may lead into another. */
  readonly flows: readonly CompiledFlow[];
  readonly installed: Installed;
  /** Where flows, stages and bindings are declared, by pk. */
  readonly places?: ReadonlyMap<string, Place>;
  /** Our own, so that an address on it does not count as another site. */
  readonly origin?: string;
}

/**
 * Everything that can happen in these flows and should not, the severest first.
 *
 * @example
 * const { compiled, places } = await planBlueprints({ files, ...rest });
 * const findings = proveFlows({ flows: compiled, installed, places });
 */
export function proveFlows({ flows, installed, places = new Map(), origin }: ProofInput): readonly Finding[] {
  const findings = new Findings(places);
  const world = worldOf(flows, installed, findings);
  const walk = new Walk(world);
  const led = new Set(
    flows
      .flatMap((flow) => flow.bindings.map((binding) => world.proofOf(flow, binding).goesTo))
      .flatMap((way) => (way !== undefined && 'flow' in way && way.flow !== null ? [way.flow] : [])),
  );
  for (const flow of flows) {
    checkDeclared(flow, world, origin ?? null);
    if (flow.bindings.length === 0) continue;
    const ways = walk.flow(flow);
    judgeWays(flow, ways, led, findings);
  }
  judgeNeeds(flows, walk, world);
  for (const flow of flows) judgeReach(flow, walk, findings);
  return findings.all();
}

function worldOf(flows: readonly CompiledFlow[], installed: Installed, findings: Findings): ProofWorld {
  const stages = new Map(installed.stages.map((stage) => [stage.kind, stage]));
  const questions = flows
    .flatMap((flow) => [flow, ...flow.bindings])
    .flatMap(({ policies }) => policies.map(questionOf));
  const proofs = new Map<CompiledBinding, StageProof>();
  const proofOf = (flow: CompiledFlow, binding: CompiledBinding): StageProof => {
    const known = proofs.get(binding);
    if (known !== undefined) return known;
    const { kind, config } = binding.stage;
    const declared = stages.get(kind);
    const object = (pk: string) => (Object.hasOwn(flow.objects, pk) ? (flow.objects[pk] ?? null) : null);
    const proof = declared === undefined ? { denies: true } : (declared.proof?.(config, object) ?? { asks: true });
    proofs.set(binding, proof);
    return proof;
  };
  const asked = flows
    .filter(({ designation }) => designation === 'authentication')
    .flatMap((flow) => flow.bindings.flatMap((binding) => proofOf(flow, binding).proves ?? []));
  return {
    ...{ stages, findings, proofOf, flows: new Map(flows.map((flow) => [flow.slug, flow])) },
    policies: new Map(installed.policies.map((policy) => [policy.kind, policy])),
    repeated: new Set(questions.filter((question, index) => questions.indexOf(question) !== index)),
    factors: (['authenticator', 'code'] as const).filter((factor) => asked.includes(factor)),
  };
}

function judgeWays(
  flow: CompiledFlow,
  { ends, cut, endsWhenTrusted, denied }: Ways,
  led: ReadonlySet<string>,
  findings: Findings,
): void {
  if (ends || cut) return;
  const spot = { flow, binding: null };
  if (flow.authentication === 'require_redirect') {
    if (led.has(flow.slug)) return;
    findings.add('unreachable_flow', spot, {
      message: 'The flow requires that visitors are led into it (require_redirect), and no redirect stage leads here.',
      change:
        'Add a redirect stage of the mode "flow" to the flow that should lead here, or change its authentication.',
    });
  } else if (flow.authentication === 'require_outpost')
    findings.add('unreachable_flow', spot, {
      message: 'The flow is for outposts alone, and there are none here: it applies to nobody.',
      change: "Change the flow's authentication.",
    });
  else deadEnd(flow, { endsWhenTrusted, denied }, findings);
}

function deadEnd(
  flow: CompiledFlow,
  { endsWhenTrusted, denied }: Pick<Ways, 'endsWhenTrusted' | 'denied'>,
  findings: Findings,
): void {
  const spot = { flow, binding: null };
  const path = denied?.step ?? null;
  const why = denied === null ? 'its policies admit nobody' : denied.why;
  const deliberate = denied?.byDeny === true;
  findings.add('dead_end', path === null ? spot : { flow: path.flow, binding: path.binding }, {
    path,
    ...(deliberate || endsWhenTrusted ? { severity: 'warning' as const } : {}),
    message:
      endsWhenTrusted && !deliberate
        ? `No visitor can finish this flow: ${why}. Only a source, a program or a policy that brings what is missing gets through.`
        : `Nobody can finish this flow: ${why}.`,
    change: deliberate
      ? 'Nothing, if the flow is meant to be closed; else bind a policy to the deny stage.'
      : 'Mend the stage at the end of the path, or what leads to it.',
  });
}

function judgeNeeds(flows: readonly CompiledFlow[], walk: Walk, world: ProofWorld): void {
  for (const [id, { met, lacking, visitor }] of walk.needs) {
    if (lacking === null) continue;
    const [flowPk, bindingPk, key = ''] = id.split('\n');
    const flow = flows.find(({ pk }) => pk === flowPk);
    const binding = flow?.bindings.find(({ pk }) => pk === bindingPk);
    if (flow === undefined || binding === undefined) continue;
    const { name } = binding.stage;
    const said = { subject: key, path: lacking, visitor };
    const later = flow.bindings.slice(flow.bindings.indexOf(binding) + 1);
    const writer = later.find((one) => world.proofOf(flow, one).writes !== undefined);
    const signsIn = world.proofOf(flow, binding).signsIn === true;
    if (met)
      world.findings.add(
        'may_lack',
        { flow, binding },
        {
          ...{ ...said, message: `"${name}" needs ${key}, which this way does not give: it denies here.` },
          change: 'Nothing, if that is meant; else see that every way gives it.',
        },
      );
    else if (signsIn && writer !== undefined)
      world.findings.add(
        'sign_in_before_write',
        { flow, binding },
        {
          ...{
            ...said,
            message: `"${name}" is to sign somebody in before "${writer.stage.name}" has made a user: everybody is turned away.`,
          },
          change: `Bind "${name}" behind "${writer.stage.name}" (a higher order).`,
        },
      );
    else
      world.findings.add(
        'unmet_need',
        { flow, binding },
        {
          ...{ ...said, message: `"${name}" needs ${key}, which no stage before it gives on any way.` },
          change: `Bind a stage that gives ${key} before it, unless a source, a program or a policy brings it.`,
        },
      );
  }
}

/** Only where the flow itself can be entered: else one finding is enough. */
function judgeReach(flow: CompiledFlow, walk: Walk, findings: Findings): void {
  if (walk.cut.has(flow.pk) || !flow.bindings.some(({ pk }) => walk.reached.has(pk))) return;
  for (const binding of flow.bindings)
    if (!walk.reached.has(binding.pk))
      findings.add(
        'unreachable_stage',
        { flow, binding },
        {
          message: `Nobody reaches "${binding.stage.name}": every way ends or leads elsewhere before.`,
          change: 'Bind it before the stage that ends the way, or take it out.',
        },
      );
}
