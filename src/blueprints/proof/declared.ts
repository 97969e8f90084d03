import type { Bound, CompiledBinding, CompiledFlow, PolicyBinding } from '../../engine/flow.ts';
import type { StageProof } from '../../engine/stage-proof.ts';
import { nameOf } from './admission.ts';
import type { Findings } from './finding.ts';
import type { ProofWorld } from './node.ts';

/** What a flow's declaration shows without walking it. */
export function checkDeclared(flow: CompiledFlow, world: ProofWorld, origin: string | null): void {
  const { findings } = world;
  if (flow.bindings.length === 0)
    findings.add(
      'empty_flow',
      { flow, binding: null },
      {
        message: 'The flow has no stage: whoever opens it is at its end.',
        change: 'Bind stages to it, or delete it.',
      },
    );
  checkPolicies(flow, null, flow, world, acts(flow, world));
  checkLinks(flow, world);
  for (const binding of flow.bindings) {
    const proof = world.proofOf(flow, binding);
    checkKind(flow, binding, world);
    checkPolicies(flow, binding, binding, world, isAct(proof));
    checkForm(flow, binding, proof, findings);
    checkWay(flow, binding, proof, { findings, origin });
    checkTelling(flow, binding, proof, findings);
  }
}

function isAct({ writes, signsIn, deletes }: StageProof): boolean {
  return writes !== undefined || signsIn === true || deletes === true;
}

function acts(flow: CompiledFlow, world: ProofWorld): boolean {
  return flow.bindings.some((binding) => isAct(world.proofOf(flow, binding)));
}

function checkKind(flow: CompiledFlow, binding: CompiledBinding, { stages, findings }: ProofWorld): void {
  const { kind, name } = binding.stage;
  const stage = stages.get(kind);
  if (stage === undefined)
    findings.add(
      'not_installed',
      { flow, binding },
      {
        message: `"${name}" is a stage of the kind ${kind}, which is not installed here: the flow fails when it is reached.`,
        change: 'Give the stage with the option "stages", or take it out of the flow.',
      },
    );
  else if (stage.proof === undefined)
    findings.add(
      'unknown_stage',
      { flow, binding },
      {
        message: `Stages of the kind ${kind} do not declare what they do: "${name}" is taken for a page that proves nothing and changes nothing.`,
        change: `Add "proof" to the declaration of ${kind}.`,
      },
    );
}

/** `flow_token` in the address means one thing in a flow. */
function checkLinks(flow: CompiledFlow, { stages, findings }: ProofWorld): void {
  const taker = flow.bindings.find(({ stage }) => stages.get(stage.kind)?.opensByLink === true);
  if (taker === undefined) return;
  for (const binding of flow.bindings)
    if (stages.get(binding.stage.kind)?.confirmation !== undefined)
      findings.add(
        'link_taken',
        { flow, binding },
        {
          message: `The link in the message of "${binding.stage.name}" is refused: "${taker.stage.name}" takes links to this flow for its own. Only the code works.`,
          change: 'Put them into flows of their own, with a redirect stage from one into the other.',
        },
      );
}

function checkPolicies(
  flow: CompiledFlow,
  binding: CompiledBinding | null,
  { policies }: Bound,
  world: ProofWorld,
  guards: boolean,
): void {
  for (const bound of policies) {
    if (!bound.enabled) continue;
    checkPolicy(flow, binding, bound, world);
    if (!guards || bound.policy === null || !bound.failureResult) continue;
    const what = binding === null ? 'the flow opens to everybody' : `"${binding.stage.name}" is carried out`;
    world.findings.add(
      'fails_open',
      { flow, binding },
      {
        ...{
          subject: bound.pk,
          message: `When ${nameOf(bound)} cannot run (an error, a timeout), ${what}: its failure_result is true.`,
        },
        change: 'Set failure_result to false: then a policy that cannot run denies (CVE-2024-47070).',
      },
    );
  }
}

function checkPolicy(
  flow: CompiledFlow,
  binding: CompiledBinding | null,
  bound: PolicyBinding,
  world: ProofWorld,
): void {
  const { findings, policies } = world;
  const { policy, pk, writableContext } = bound;
  const spot = { flow, binding };
  if (writableContext.length > 0)
    findings.add('policy_says_who', spot, {
      ...{
        subject: pk,
        message: `${sentence(nameOf(bound))} may set ${writableContext.join(', ')}, which say who the flow is about and what was proven: an error in it lets a visitor be somebody else.`,
      },
      change: 'Take writable_context off the binding, unless the policy is meant to decide that.',
    });
  if (policy === null) return;
  if (!policies.has(policy.kind))
    findings.add('not_installed', spot, {
      ...{
        subject: pk,
        message: `${sentence(nameOf(bound))} is of the kind ${policy.kind}, which is not installed here: it never runs, and so ${bound.failureResult ? 'always passes (failure_result)' : 'always denies'}.`,
      },
      change: 'Give the policy with the option "policies", or take the binding out.',
    });
  const { expression } = policy.config;
  if (typeof expression === 'string' && /["'.](?:redirect|redirect_stage_target)\b/.test(expression))
    findings.add('policy_redirects', spot, {
      ...{
        subject: pk,
        message: `${sentence(nameOf(bound))} sets where visitors are sent; that address is the policy's own word and is not checked.`,
      },
      change: 'See that no part of it comes from the visitor.',
    });
}

function checkForm(
  flow: CompiledFlow,
  binding: CompiledBinding,
  { collects = [] }: StageProof,
  findings: Findings,
): void {
  const spot = { flow, binding };
  const keys = collects.map(({ key }) => key);
  for (const key of new Set(keys.filter((one, index) => keys.indexOf(one) !== index)))
    findings.add('key_asked_twice', spot, {
      ...{
        subject: key,
        message: `Two prompts of "${binding.stage.name}" have the key "${key}": the later one alone is shown.`,
      },
      change: 'Take one of them out, or give it another field_key.',
    });
  const old = collects.find(({ key, secret }) => secret && /(?:^|[._-])(?:old|current|present|previous)/i.test(key));
  if (old !== undefined && collects.filter(({ secret }) => secret).length > 1)
    findings.add('passwords_must_match', spot, {
      message: `All passwords of one form must be equal, "${old.key}" and the new one too: nobody can get past "${binding.stage.name}" with a password that is new.`,
      change: `Ask the present password in a password stage before it, and take "${old.key}" out.`,
    });
}

function checkWay(
  flow: CompiledFlow,
  binding: CompiledBinding,
  { goesTo }: StageProof,
  { findings, origin }: { readonly findings: Findings; readonly origin: string | null },
): void {
  if (goesTo === undefined || !('address' in goesTo) || !URL.canParse(goesTo.address, 'https://here.invalid')) return;
  const url = new URL(goesTo.address, 'https://here.invalid');
  if (url.origin === 'https://here.invalid' || url.origin === origin) return;
  const plain = url.protocol === 'http:' ? ', unencrypted' : '';
  findings.add(
    'redirect_out',
    { flow, binding },
    {
      message: `"${binding.stage.name}" sends visitors to another site${plain}: ${url.origin}.`,
      change: 'See that the site is yours; a path such as "/welcome" stays on this one.',
    },
  );
}

function checkTelling(flow: CompiledFlow, binding: CompiledBinding, { reveals }: StageProof, findings: Findings): void {
  if (reveals === undefined) return;
  const accounts = reveals === 'accounts';
  findings.add(
    'reveals_accounts',
    { flow, binding },
    {
      message: accounts
        ? `"${binding.stage.name}" refuses names that nobody has: anybody can find out who has an account (CVE-2023-39522).`
        : `After an address was typed into "${binding.stage.name}" the next page shows whose it is: anybody can find out who has an account, and their username (CVE-2023-39522).`,
      change: accounts
        ? 'Set pretend_user_exists to true.'
        : 'Set show_matched_user to false, or set password_stage so that both are asked together.',
    },
  );
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
