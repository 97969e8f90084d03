import { type IdentityProof, identityProofs, type Permission, permissions } from '../../engine/stage-proof.ts';
import type { Next, Visit } from './situation.ts';
import { about, minus, plus, type Standing } from './standing.ts';

/** What a stage leaves behind that names somebody or asks for a proof, and why it denies. */
export function prove(call: Visit, before: Standing): readonly Next[] {
  const { proof } = call;
  const { proves = [], gate = false } = proof;
  const [secret] = proves;
  if (gate && secret !== undefined && before.open.has(secret)) return [usedUp(call, before, secret)];
  if (gate && secret !== undefined && before.usedUp.has(secret))
    return [{ kind: 'deny', standing: before, undo: true, why: 'what would open it was used up' }];
  const identity = proves.filter((one) => isOneOf(identityProofs, one));
  const allowed = proves.filter((one) => isOneOf(permissions, one));
  const target = whoProves(call, before, identity);
  if (typeof target === 'string') return [{ kind: 'deny', standing: before, why: target }];
  warnOfActiveUser(call, target, identity);
  const active = target.active || (proof.activates === true && target.pending === 'new');
  const asked: Standing = { ...target, active, asked: plus(target.asked, ...identity) };
  const given = identity.filter((one) => one !== 'email' || provesAccount(before, asked));
  const proven: Standing = {
    ...{ ...asked, proven: plus(asked.proven, ...given), allowed: plus(asked.allowed, ...allowed) },
    open: gate ? plus(asked.open, ...proves) : asked.open,
  };
  return [proven, ...(proof.mayPassWithout ? [asked] : [])].map((standing) => ({ kind: 'pass', standing }));
}

/** Whom the flow is about once the proof was asked; or why nobody can give it. */
function whoProves({ proof }: Visit, before: Standing, identity: readonly IdentityProof[]): Standing | string {
  const { identifies } = proof;
  const isNobody = before.pending === 'nobody';
  if (identifies === 'anybody' || identifies === 'holder' || (identifies === 'holder_if_nobody' && isNobody))
    return about(before, 'named');
  if (identity.length === 0) return before;
  if (isNobody && before.visitor === 'anonymous') {
    const hasAddress = before.answers.has('email') || before.loose;
    return identity.includes('email') && hasAddress ? before : 'it is not known whose proof to ask';
  }
  if (identity.includes('password') && before.pending === 'new' && !before.hasPassword && !before.loose)
    return 'the new user has no password yet';
  return isNobody ? about(before, 'self') : before;
}

/** A mail to an address that was typed proves that address, and not that the account is the visitor's. */
function provesAccount(before: Standing, { pending }: Standing): boolean {
  if (pending === 'nobody') return false;
  return pending !== 'self' || !(before.answers.has('email') || before.loose);
}

/**
 * The second place of a gate: for who opened the first one, and for nobody else's user. Whom it denies, it also takes
 * back what was done since their last answer.
 */
function usedUp({ binding }: Visit, standing: Standing, secret: IdentityProof | Permission): Next {
  const holds = isOneOf(identityProofs, secret) ? standing.proven.has(secret) : true;
  if (!holds)
    return { kind: 'deny', standing, undo: true, why: `what opened "${binding.stage.name}" was about another user` };
  return {
    kind: 'pass',
    standing: { ...standing, open: minus(standing.open, secret), usedUp: plus(standing.usedUp, secret) },
  };
}

function warnOfActiveUser(call: Visit, standing: Standing, proofs: readonly IdentityProof[]): void {
  if (!proofs.includes('email') || standing.pending !== 'new' || !standing.active) return;
  call.report('active_before_email', {
    message:
      'The new user exists and may sign in before the address is proven: who leaves the flow here has an account.',
    change: `Ask for the proof before the write stage, or set create_users_as_inactive there and let "${call.binding.stage.name}" activate the user.`,
  });
}

function isOneOf<One extends string>(all: readonly One[], one: string): one is One {
  return all.some((known) => known === one);
}
