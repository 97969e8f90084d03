import type { KeysAccepted, WriteProof } from '../../engine/stage-proof.ts';
import { type Next, type Visit, withoutProof } from './situation.ts';
import { about, type Standing } from './standing.ts';

/** What a stage that writes users does: to whom, with what, and whether the visitor proved to be them (W1 to W9). */
export function write(call: Visit, proof: WriteProof, standing: Standing): readonly Next[] {
  if (!standing.keys.has('prompt_data') && !standing.loose)
    return [{ kind: 'deny', standing, why: 'nothing was collected to be written' }];
  const accepted = proof.accepts([...standing.answers.keys()]);
  if (accepted.refused !== null) return [refused(call, standing, accepted.refused)];
  reportDiscarded(call, standing, accepted);
  const { pending, visitor } = standing;
  const makes = proof.creates === 'always' || (pending === 'nobody' && visitor === 'anonymous');
  if (makes && proof.creates === 'never')
    return [{ kind: 'deny', standing, why: 'nobody is there to be written, and user_creation_mode is never_create' }];
  const names = accepted.written.some(({ field }) => field === 'username');
  if (names && standing.nameUsed === 'other' && !isAskedHere(call, standing))
    return [{ kind: 'deny', standing, why: 'the username belongs to the user who was written before' }];
  const written = { ...standing, fresh: new Set<string>(), acted: true };
  const used = names ? ({ nameUsed: 'own' } as const) : {};
  if (makes) return [created(call, proof, { ...written, ...used }, accepted)];
  if (accepted.written.length > 0 || proof.joins) judgeUpdate(call, standing, accepted);
  const target = pending === 'nobody' ? about(written, 'self') : written;
  return [{ kind: 'pass', standing: { ...target, ...used } }];
}

/** Then a username that is taken is asked once more (W32). */
function isAskedHere({ flow }: Visit, { answers, loose }: Standing): boolean {
  const asked = answers.get('username')?.binding;
  return loose || flow.bindings.some(({ pk }) => pk === asked);
}

function created(call: Visit, proof: WriteProof, standing: Standing, accepted: KeysAccepted): Next {
  const { flow, binding } = call;
  if (!standing.loose && !accepted.written.some(({ field }) => field === 'username')) {
    call.report('no_username', {
      message: `"${binding.stage.name}" makes a user, but no stage before it asks for a username: it refuses every time.`,
      change: 'Ask for it: a prompt with the field_key "username", of the type username or email.',
    });
    return { kind: 'deny', standing, why: 'a new user needs a username' };
  }
  if (flow.designation !== 'enrollment' && standing.allowed.size === 0 && standing.pending !== 'trusted')
    reportCreation(call, standing);
  const hasPassword = accepted.written.some(({ field }) => field === 'password');
  const made = { active: proof.active, hasPassword, joined: proof.joins || standing.loose, nameUsed: 'own' } as const;
  return { kind: 'pass', standing: { ...about(standing, 'new'), ...made } };
}

function reportCreation({ flow, binding, report }: Visit, { visitor, pending }: Standing): void {
  const anonymous = visitor === 'anonymous' && pending !== 'self';
  const combined = flow.designation === 'authentication' && anonymous;
  report('creates_users', {
    subject: anonymous ? '' : 'signed in',
    ...(combined ? { severity: 'warning' as const } : {}),
    message: anonymous
      ? `Anybody may make users in the flow ${flow.slug}, whose designation is ${flow.designation}.`
      : `Who is signed in makes another user each time in the flow ${flow.slug}, instead of changing their own.`,
    change: combined
      ? 'Nothing, if this flow is meant for signing up as well; else set user_creation_mode to never_create.'
      : `Set user_creation_mode of "${binding.stage.name}" to never_create, or the flow's designation to enrollment.`,
  });
}

function judgeUpdate(call: Visit, standing: Standing, { written }: KeysAccepted): void {
  const { flow, binding, report } = call;
  const { pending, proven } = standing;
  if (proven.size > 0) return;
  const setsPassword = written.some(({ field }) => field === 'password');
  const fields = written.map(({ field }) => field).join(', ') || 'the groups';
  if (pending === 'named') {
    if (setsPassword)
      report('password_without_proof', withoutProof(call, "sets that user's password and so takes the account over"));
    else report('write_without_proof', withoutProof(call, `writes to that user's account (${fields})`));
    return;
  }
  if (pending !== 'nobody' && pending !== 'self') return;
  const open = !['require_authenticated', 'require_superuser', 'require_redirect'].includes(flow.authentication);
  if (flow.designation === 'enrollment' && open) {
    report('overwrites_signed_in', {
      message: `Who is signed in and comes to this enrollment (by a link, say) has their own account overwritten: ${fields}.`,
      change: `Set the flow's authentication to require_unauthenticated, or user_creation_mode of "${binding.stage.name}" to always_create.`,
    });
    return;
  }
  if (setsPassword)
    report('password_by_session', {
      message: 'Whoever sits down at a browser that was left signed in sets a new password and keeps the account.',
      change: `Put a password stage before "${binding.stage.name}", as the shipped flow default-password-change has it.`,
    });
}

function refused({ binding, report }: Visit, standing: Standing, key: string): Next {
  report('write_refused', {
    ...{
      subject: key,
      message: `With "${key}" nothing can be written: another key makes a plain value of what it needs to be a map.`,
    },
    change: `Change the field_key of one of the prompts before "${binding.stage.name}": of attributes.a and attributes.a.b only one can be.`,
  });
  return { kind: 'deny', standing, why: `the write stage refuses "${key}" with the other answers` };
}

const reasons: Readonly<Record<string, string>> = {
  protected:
    'that field is protected: list it in writable_fields if prompts may write it (path, type and is_active alone can be listed)',
  unknown: 'users have no such field: attributes of your own begin with "attributes."',
  disallowed: 'groups and ids are never written from answers',
  empty_path: 'a part of the path is empty',
  unsafe_path: 'a part of the path is not a safe name',
};

function reportDiscarded(call: Visit, standing: Standing, accepted: KeysAccepted): void {
  const form = standing.answers.get('password')?.binding;
  for (const { key, reason } of accepted.discarded) {
    const answer = standing.answers.get(key);
    if (answer === undefined || answer.shown) continue;
    // A password is repeated under a key of its own, which is compared and not written.
    if (answer.secret && form !== undefined && answer.binding === form) continue;
    if (answer.secret && form !== undefined) reportApart(call, key);
    else
      call.report('discarded_key', {
        ...{ subject: key, message: `"${key}" is asked for and then thrown away here: ${reasons[reason] ?? reason}.` },
        change: 'Give the prompt another field_key, or do not ask for it.',
      });
  }
}

function reportApart({ report }: Visit, key: string): void {
  report('password_repeat_apart', {
    ...{
      subject: key,
      message: `"${key}" and "password" are asked on different pages, and only the answers of one page are compared: a mistyped password is saved.`,
    },
    change: 'Ask both in the same prompt stage.',
  });
}
