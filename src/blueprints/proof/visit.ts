import { prove } from './proving.ts';
import { type Next, type Visit, withoutProof } from './situation.ts';
import { about, plus, type Standing } from './standing.ts';
import { write } from './write.ts';

/** All that may happen at a stage, by what it declares: it names, proves, collects, writes and acts in this order. */
export function visit(call: Visit): readonly Next[] {
  const { proof, binding } = call;
  const standing = proof.asks ? { ...call.standing, unasked: new Set<string>() } : call.standing;
  if (proof.denies) return [{ kind: 'deny', standing, why: `the stage "${binding.stage.name}" lets nobody pass` }];
  const nexts = prove(call, standing).flatMap((next) => (next.kind === 'pass' ? act(call, next.standing) : [next]));
  const judges = proof.asks === true && (proof.identifies ?? proof.proves ?? proof.collects) !== undefined;
  if (!judges || binding.invalidResponseAction === 'retry') return nexts;
  return [...nexts, { kind: 'deny', standing, why: 'the answer is wrong' }];
}

function act(call: Visit, standing: Standing): readonly Next[] {
  const { proof } = call;
  const next: Next = {
    kind: 'pass',
    standing: {
      ...collected(call, standing),
      ...{ keys: plus(standing.keys, ...call.gives), loose: standing.loose || proof.bringsAnswers === true },
    },
  };
  if (proof.writes !== undefined) return write(call, proof.writes, next.standing);
  if (proof.deletes) return [{ kind: 'pass', standing: deleted(call, next.standing) }];
  if (proof.signsIn) return [signedIn(call, next.standing)];
  if (proof.signsOut) return [{ kind: 'pass', standing: { ...next.standing, visitor: 'anonymous' } }];
  if (proof.goesTo === undefined || 'address' in proof.goesTo) return [next];
  const { flow, keepContext } = proof.goesTo;
  return [{ kind: 'jump', flow, keep: keepContext, standing: next.standing }];
}

function collected(call: Visit, standing: Standing): Standing {
  const keys = call.proof.collects ?? [];
  if (keys.length === 0) return standing;
  const answers = new Map(standing.answers);
  for (const { key, secret, shown } of keys) {
    const known = answers.get(key);
    if (known !== undefined && known.binding !== call.binding.pk && standing.fresh.has(key) && !shown)
      call.report('key_asked_twice', {
        ...{
          subject: key,
          message: `"${key}" was asked before on this way; this answer takes the place of the first one.`,
        },
        change: `Ask "${key}" once, or give one of the two prompts another field_key.`,
      });
    answers.set(key, { secret, shown, binding: call.binding.pk });
  }
  const nameUsed = keys.some(({ key }) => key === 'username') ? 'no' : standing.nameUsed;
  return { ...standing, answers, nameUsed, fresh: plus(standing.fresh, ...keys.map(({ key }) => key)) };
}

function deleted(call: Visit, standing: Standing): Standing {
  const { pending, proven } = standing;
  if (pending === 'named' && proven.size === 0)
    call.report('delete_without_proof', {
      message: "Anybody who knows a user's name deletes that user: nothing on this way proves who the visitor is.",
      change: `Put a stage that proves it (password, link by mail, authenticator) before "${call.binding.stage.name}".`,
    });
  if ((pending === 'self' || pending === 'nobody') && proven.size === 0)
    call.report('delete_by_session', {
      message: 'Whoever sits down at a browser that was left signed in deletes the account.',
      change: `Put a password stage before "${call.binding.stage.name}".`,
    });
  return { ...about(standing, 'nobody'), visitor: pending === 'named' ? standing.visitor : 'anonymous', acted: true };
}

function signedIn(call: Visit, standing: Standing): Next {
  const { pending, proven, active } = standing;
  if (pending === 'nobody') {
    const later = call.flow.bindings.slice(call.flow.bindings.indexOf(call.binding) + 1);
    return { kind: 'deny', standing, why: `nobody is there to sign in${later.length > 0 ? ' yet' : ''}` };
  }
  if (pending === 'new' && !active) {
    call.report('inactive_sign_in', {
      message:
        'The write stage makes users inactive, and an inactive user is never signed in: everybody is turned away here.',
      change: `Take "${call.binding.stage.name}" out, or let the write stage make users active.`,
    });
    return { kind: 'deny', standing, why: 'the new user is inactive' };
  }
  if (pending === 'named' && proven.size === 0)
    call.report('sign_in_without_proof', withoutProof(call, 'is signed in as that user'));
  else if (pending === 'named') judgeFactors(call, standing);
  return { kind: 'pass', standing: { ...standing, visitor: 'signed_in', acted: true } };
}

function judgeFactors({ flow, binding, factors, report }: Visit, standing: Standing): void {
  const lacking = factors.filter((factor) => !standing.asked.has(factor));
  if (flow.designation === 'recovery' && lacking.length > 0)
    report('recovery_skips_factor', {
      ...{
        subject: lacking.join(),
        message: `Recovery signs in without ${lacking.join(' and ')}, which sign-in asks for: whoever can read the user's mail is past it.`,
      },
      change: `Ask it before "${binding.stage.name}" too, or take "${binding.stage.name}" out, so that the user signs in by the usual way.`,
    });
  const spared = [...standing.spared].filter((factor) => !standing.asked.has(factor));
  if (spared.length > 0)
    report('factor_skippable', {
      ...{
        subject: spared.join(),
        message: `Whether ${spared.join(' and ')} is asked before the sign-in is up to a policy.`,
      },
      change: 'Nothing, if that is meant. A policy that cannot run denies; it never skips the factor.',
    });
}
