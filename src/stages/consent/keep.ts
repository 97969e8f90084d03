/** A consent that is kept: for a user who is there, in this step's commit; for one who is not, with their write. */
import { eventActor } from '../../engine/acting.ts';
import type { Claim } from '../../engine/claim.ts';
import { type Consent, receiverKey } from '../../engine/consent.ts';
import type { Effect, NewEvent } from '../../engine/effects.ts';
import type { Desk } from '../../engine/stage.ts';
import { text } from '../../protocol/text.ts';

/** The consent of a user, with the event that tells of it. */
export async function keep(desk: Desk, given: Consent): Promise<readonly Effect[]> {
  const { visitor, flow, tools, read } = desk;
  const actor = eventActor(visitor, await read.user(given.userId));
  const event = {
    ...{ ...told(desk, given), ...actor, flow: flow.slug, at: tools.now() },
    ...{ address: visitor.address, requestId: visitor.requestId },
  };
  return [
    { kind: 'consent.give', consent: given },
    { kind: 'event', event },
  ];
}

/** What the write that follows keeps; of two to the same receiver the later one. */
export function claimsWith(desk: Desk, given: Consent): readonly Claim[] {
  const key = receiverKey(given.givenTo);
  const others = (desk.context['doorward/claims'] ?? []).filter(
    ({ used, effect }) =>
      used === true || effect.kind !== 'consent.give' || receiverKey(effect.consent.givenTo) !== key,
  );
  const effect = { kind: 'consent.give', consent: given } as const;
  return [...others, { effect, event: told(desk, given), otherwise: text('user_write.failed') }];
}

function told({ stage }: Desk, { uuid, givenTo, name, permissions, expiresAt }: Consent): Told {
  const expires = expiresAt === null ? null : new Date(expiresAt).toISOString();
  return {
    action: 'consent_given',
    context: {
      ...{ consent: uuid, given_to: { ...givenTo, name }, permissions: permissions.map(({ id }) => id), expires },
      stage: { pk: stage.pk, name: stage.name },
    },
  };
}

type Told = Pick<NewEvent, 'action' | 'context'>;
