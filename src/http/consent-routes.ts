/** What users agreed to: on the account page, and as the reference's API has it (stages.md 5.1). */
import { eventActor } from '../engine/acting.ts';
import type { Consent } from '../engine/consent.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { type Caller, checkedPost } from './account-routes.ts';
import { jsonAnswer, redirectAnswer } from './answers.ts';
import { callerOf, changingCaller } from './caller.ts';
import type { Site, Visit } from './exchange.ts';
import { readQuery } from './guards.ts';
import { ownersOf, scopeOf } from './owned.ts';
import { paginated, pagingOf } from './pagination.ts';

/** `GET /api/v3/core/user_consent/`: one's own; an administrator's are all. */
export async function userConsents(site: Site, visit: Visit): Promise<Response> {
  const query = readQuery(visit.url.search.slice(1));
  const [paging, scope] = [pagingOf(query), await scopeOf(site, await callerOf(site, visit), query)];
  const { accounts } = site.app.store;
  const [count, found] = await Promise.all([
    accounts.countConsents(scope),
    accounts.listConsents({ ...scope, ...paging }),
  ]);
  const owners = await ownersOf(site, found);
  return jsonAnswer(
    paginated(
      found.map((one) => wire(one, owners)),
      count,
      paging,
    ),
  );
}

/** `/api/v3/core/user_consent/<pk>/`: GET shows one, DELETE withdraws it. */
export async function userConsent(site: Site, visit: Visit): Promise<Response> {
  const isDelete = visit.request.method === 'DELETE';
  const caller = isDelete ? await changingCaller(site, visit) : await callerOf(site, visit);
  const found = await findIn(site, visit.params.pk ?? '', await scopeOf(site, caller));
  if (!isDelete) return jsonAnswer(wire(found, await ownersOf(site, [found])));
  await withdraw(site, visit, caller, found);
  return new Response(null, { status: 204 });
}

/** `POST /if/user/consents/<pk>/withdraw` */
export async function withdrawConsent(site: Site, visit: Visit): Promise<Response> {
  const { signedIn } = await checkedPost(site, visit);
  const found = await findIn(site, visit.params.uuid ?? '', { userId: signedIn.user.id });
  await withdraw(site, visit, signedIn, found);
  return redirectAnswer('/if/user/?notice=consent-withdrawn');
}

async function findIn({ app }: Site, uuid: string, scope: { readonly userId?: number }): Promise<Consent> {
  const [found] = await app.store.accounts.listConsents({ ...scope, uuid });
  if (found === undefined) throw new DoorwardError('not_found', 'no such consent of this user');
  return found;
}

async function withdraw({ app }: Site, visit: Visit, caller: Caller, consent: Consent): Promise<void> {
  const { uuid, userId, givenTo, name, permissions } = consent;
  const owner = userId === caller.user.id ? caller.user : await app.store.read.user(userId);
  const by = userId === caller.user.id ? {} : { withdrawn_by: caller.user.username };
  const event = {
    ...{ action: 'consent_withdrawn', ...eventActor(caller, owner), flow: null, at: app.now() },
    context: { consent: uuid, given_to: { ...givenTo, name }, permissions: permissions.map(({ id }) => id), ...by },
    ...{ address: visit.address, requestId: visit.requestId },
  };
  const answer = await app.change([
    { kind: 'consent.withdraw', uuid, userId },
    { kind: 'event', event },
  ]);
  if (answer.status !== 'done') throw new DoorwardError('not_found', 'it was withdrawn a moment ago');
}

/** The reference knows applications alone: what was agreed to in a stage has its flow and stage besides. */
function wire(
  { uuid, userId, givenTo, name, wording, permissions, givenAt, expiresAt }: Consent,
  owners: Owners,
): object {
  return {
    ...{ pk: uuid, expires: expiresAt === null ? null : time(expiresAt), expiring: expiresAt !== null },
    user: owners.get(userId) ?? null,
    ...('application' in givenTo
      ? { application: { slug: givenTo.application, name } }
      : { application: null, flow: givenTo.flow, stage: { pk: givenTo.stage, name }, wording }),
    permissions: permissions.map(({ id }) => id).join(' '),
    created: time(givenAt),
  };
}

type Owners = Awaited<ReturnType<typeof ownersOf>>;

function time(at: number): string {
  return new Date(at).toISOString();
}
