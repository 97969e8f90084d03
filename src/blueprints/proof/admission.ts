import type { Bound, PolicyBinding } from '../../engine/flow.ts';
import type { AnyPolicy } from '../../engine/policy.ts';
import type { PolicyWord } from './finding.ts';
import { passesUntilProven } from './known-expressions.ts';
import { about, type Standing } from './standing.ts';

/** One way in which what is bound somewhere may turn out. */
export interface Admission {
  readonly passes: boolean;
  /** In words; '' where nothing is bound. */
  readonly why: string;
  readonly policies: Readonly<Record<string, PolicyWord>>;
  readonly standing: Standing;
}

/** What the walk knows of policies. */
export interface PolicyWorld {
  readonly policies: ReadonlyMap<string, AnyPolicy>;
  /** Keys (`questionOf`) that are asked in several places: there one answer is compared with the other. */
  readonly repeated: ReadonlySet<string>;
}

/** So many bindings at one place are gone through in every combination; of more, all pass or none does. */
const exactLimit = 5;

/**
 * All ways in which bindings may turn out, by the engine's rules: a policy that cannot run denies unless its
 * failure_result is true, so a denial is no way on and is left out.
 */
export function admissions(bound: Bound, standing: Standing, world: PolicyWorld): readonly Admission[] {
  const bindings = bound.policies.filter(({ enabled }) => enabled);
  if (bindings.length === 0) return [{ passes: true, why: '', policies: {}, standing }];
  const words = bindings.map((binding) => possibleWords(binding, standing, world));
  const found = new Map<string, Admission>();
  for (const combination of combinations(words)) {
    const admission = judge(bound, bindings, combination, { standing, world });
    if (admission === null) continue;
    const key = `${admission.passes} ${JSON.stringify([...admission.standing.said])} ${admission.standing.unlikely}`;
    if (!found.has(key)) found.set(key, admission);
  }
  return [...found.values()].flatMap((admission) => [admission, ...saidWho(bindings, admission)]);
}

/** What a binding asks, whatever it makes of the answer. */
export function questionOf({ policy, group, user }: PolicyBinding): string {
  return policy !== null ? `policy ${policy.pk}` : group !== null ? `group ${group}` : `user ${user}`;
}

/** `policy "office hours"`. */
export function nameOf({ policy, group, user }: PolicyBinding): string {
  if (policy !== null) return `policy "${policy.name}"`;
  return group !== null ? 'group' : `user ${user}`;
}

/** An error comes last: a path that needs none is likelier. */
function possibleWords(binding: PolicyBinding, standing: Standing, { policies }: PolicyWorld): readonly PolicyWord[] {
  const { policy } = binding;
  if (policy === null) return mayBeMember(standing) ? ['pass', 'fail'] : ['fail'];
  if (!policies.has(policy.kind)) return ['error'];
  const spared = standing.proven.size > 0 || standing.pending === 'new';
  const mayFail = spared || !passesUntilProven(policy);
  return mayFail ? ['pass', 'fail', 'error'] : ['pass', 'error'];
}

/** Nobody is a member of anything, and a new user only of what they were put into. */
function mayBeMember({ pending, visitor, joined }: Standing): boolean {
  if (pending === 'new') return joined;
  return pending !== 'nobody' || visitor === 'signed_in';
}

function combinations(words: readonly (readonly PolicyWord[])[]): readonly (readonly PolicyWord[])[] {
  if (words.length > exactLimit) {
    const all = (word: PolicyWord) => words.map((possible) => (possible.includes(word) ? word : (possible[0] ?? word)));
    return [all('pass'), all('fail'), all('error')];
  }
  let found: readonly (readonly PolicyWord[])[] = [[]];
  for (const possible of words) found = found.flatMap((before) => possible.map((word) => [...before, word]));
  const errors = (combination: readonly PolicyWord[]) => combination.filter((word) => word === 'error').length;
  return found.toSorted((a, b) => errors(a) - errors(b));
}

function judge(
  { policyEngineMode }: Bound,
  bindings: readonly PolicyBinding[],
  words: readonly PolicyWord[],
  { standing, world }: { readonly standing: Standing; readonly world: PolicyWorld },
): Admission | null {
  const judged = bindings.map((binding, index) => ({ binding, word: words[index] ?? 'error' }));
  const holds = ({ binding, word }: (typeof judged)[number]) =>
    word === 'error' ? binding.failureResult : (word === 'pass') !== binding.negate;
  const passes = policyEngineMode === 'all' ? judged.every(holds) : judged.some(holds);
  if (!passes && judged.some(({ binding, word }) => word === 'error' && !binding.failureResult)) return null;
  return {
    passes,
    why: judged
      .filter((one) => holds(one) === passes)
      .map(inWords)
      .join(', '),
    policies: Object.fromEntries(judged.map(({ binding, word }) => [binding.pk, word])),
    standing: remembered(judged, standing, world),
  };
}

function inWords({ binding, word }: { readonly binding: PolicyBinding; readonly word: PolicyWord }): string {
  const name = nameOf(binding);
  if (word === 'error') return `${name} cannot run, and its failure_result is true`;
  if (binding.policy !== null) return `${name} ${word === 'pass' ? 'passes' : 'does not pass'}${negated(binding)}`;
  return `the user is ${word === 'pass' ? '' : 'not '}${binding.group !== null ? 'in the group' : 'that user'}${negated(binding)}`;
}

function negated({ negate }: PolicyBinding): string {
  return negate ? ' (negated)' : '';
}

/** A policy that said one thing and now says another was asked about something that changed: possible, but not likely. */
function remembered(
  judged: readonly { readonly binding: PolicyBinding; readonly word: PolicyWord }[],
  standing: Standing,
  { repeated, policies }: PolicyWorld,
): Standing {
  const said = new Map(standing.said);
  let { unlikely } = standing;
  for (const { binding, word } of judged) {
    const question = questionOf(binding);
    if (word === 'error' || !repeated.has(question)) continue;
    const before = said.get(question);
    if (before !== undefined && before !== (word === 'pass')) unlikely = true;
    said.set(question, word === 'pass');
  }
  const loose =
    standing.loose ||
    judged.some(({ binding: { policy } }) => policy !== null && policies.get(policy.kind)?.setsNothing !== true);
  return { ...standing, said, unlikely, loose };
}

/** A policy that is allowed to may make somebody the pending user: on the administrator's own word. */
function saidWho(bindings: readonly PolicyBinding[], admission: Admission): readonly Admission[] {
  const sayer = bindings.find(({ writableContext }) => writableContext.includes('pending_user'));
  if (sayer === undefined) return [];
  const why = [admission.why, `${nameOf(sayer)} says who the flow is about`].join(', ');
  return [{ ...admission, why, standing: about(admission.standing, 'trusted') }];
}
