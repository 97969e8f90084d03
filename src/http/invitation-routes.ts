/** Invitations for administrators and their programs (stages.md 4). */
import type { Invitation, InvitationChanges, ListedInvitation, NewInvitation } from '../app/invitations.ts';
import type { Actor } from '../app/users.ts';
import type { CompiledFlow } from '../engine/flow.ts';
import type { Response as Answer } from '../engine/stage.ts';
import { DoorwardError, isDoorwardError } from '../kernel/errors.ts';
import { isPlainObject, type JsonObject } from '../kernel/json.ts';
import { isLocale } from '../protocol/localize.ts';
import { jsonAnswer } from './answers.ts';
import { readBody } from './body.ts';
import { administratorOf, changingAdministratorOf } from './caller.ts';
import type { Site, Visit } from './exchange.ts';
import { readQuery } from './guards.ts';
import { paginated, pagingOf } from './pagination.ts';

/** `/api/v3/stages/invitation/invitations/`: GET lists, POST makes one. */
export async function invitations(site: Site, visit: Visit): Promise<Response> {
  if (visit.request.method === 'POST') return explained(() => create(site, visit));
  await administratorOf(site, visit);
  const query = readQuery(visit.url.search.slice(1));
  const paging = pagingOf(query);
  const { search, name, flow__slug: flow } = query;
  const { invitations: found, total } = await site.app.invitations.list({
    ...paging,
    ...(search === undefined ? {} : { search }),
    ...(name === undefined ? {} : { name }),
    ...(flow === undefined ? {} : { flow }),
  });
  return jsonAnswer(paginated(await Promise.all(found.map((one) => wire(site, one))), total, paging));
}

/** `/api/v3/stages/invitation/invitations/<pk>/`: GET, PATCH, DELETE. */
export async function invitation(site: Site, visit: Visit): Promise<Response> {
  const { request, params } = visit;
  const pk = params.pk ?? '';
  if (request.method === 'PATCH') return explained(() => change(site, visit, pk));
  if (request.method === 'DELETE') {
    const actor = await actorOf(site, visit, {});
    await site.app.invitations.revoke(pk, actor);
    return new Response(null, { status: 204, headers: { 'cache-control': 'no-store' } });
  }
  await administratorOf(site, visit);
  const found = await site.app.invitations.get(pk);
  if (found === null) throw new DoorwardError('not_found', `there is no invitation with the id ${pk}`);
  return jsonAnswer(await wire(site, found));
}

async function create(site: Site, visit: Visit): Promise<Response> {
  const sent = await readBody(visit.request);
  const actor = await actorOf(site, visit, sent);
  const { name, ...rest } = changesIn(sent.body);
  if (name === undefined) throw new DoorwardError('invalid_request', 'name: is required');
  const { mail, locale } = sent.body;
  if (mail !== undefined && typeof mail !== 'string')
    throw new DoorwardError('invalid_request', 'mail: must be an e-mail address');
  if (locale !== undefined && (typeof locale !== 'string' || !isLocale(locale)))
    throw new DoorwardError('invalid_request', 'locale: is not known');
  const input: NewInvitation = {
    ...{ name, ...rest },
    ...(mail === undefined ? {} : { mail }),
    ...(locale === undefined ? {} : { locale }),
  };
  const made = await site.app.invitations.create(input, actor);
  // Once: the secret is kept as its hash alone.
  const { address, secret: itoken } = made;
  return jsonAnswer({ ...(await wire(site, made.invitation)), itoken, address }, 201);
}

async function change(site: Site, visit: Visit, pk: string): Promise<Response> {
  const sent = await readBody(visit.request);
  const actor = await actorOf(site, visit, sent);
  return jsonAnswer(await wire(site, await site.app.invitations.update(pk, changesIn(sent.body), actor)));
}

async function actorOf(site: Site, visit: Visit, sent: Partial<Awaited<ReturnType<typeof readBody>>>): Promise<Actor> {
  const { user } = await changingAdministratorOf(site, visit, { body: {}, stepToken: null, kind: 'json', ...sent });
  return { via: 'api', by: user.id, address: visit.address, requestId: visit.requestId };
}

/** What a body says by the reference's names; `expires: null` is what the product takes by default. */
function changesIn({ name, flow, fixed_data, single_use, expires }: Answer): InvitationChanges {
  const wrong = (member: string, what: string) => new DoorwardError('invalid_request', `${member}: must be ${what}`);
  if (name !== undefined && typeof name !== 'string') throw wrong('name', 'a text');
  if (flow !== undefined && flow !== null && typeof flow !== 'string') throw wrong('flow', 'the slug or pk of a flow');
  if (fixed_data !== undefined && !isPlainObject(fixed_data)) throw wrong('fixed_data', 'an object');
  if (single_use !== undefined && typeof single_use !== 'boolean') throw wrong('single_use', 'true or false');
  const at = expires === undefined || expires === null ? undefined : timeOf(expires);
  if (at !== undefined && Number.isNaN(at)) throw wrong('expires', 'a time such as 2025-12-31T18:00:00Z');
  return {
    ...(name === undefined ? {} : { name }),
    ...(flow === undefined ? {} : { flow }),
    ...(fixed_data === undefined ? {} : { fixedData: fixed_data as JsonObject }),
    ...(single_use === undefined ? {} : { singleUse: single_use }),
    ...(at === undefined ? {} : { expiresAt: at }),
  };
}

/** Without a zone it would be the server's, which nobody outside knows. */
function timeOf(written: unknown): number {
  const complete = typeof written === 'string' && /^\d{4}-\d\d-\d\dT.+(?:Z|[+-]\d\d:\d\d)$/i.test(written);
  return complete ? Date.parse(written) : Number.NaN;
}

/** An administrator is told what is wrong, and with which member. */
async function explained(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    const about = isDoorwardError(error) ? /^(\w+): (.+)$/s.exec(error.detail) : null;
    if (!isDoorwardError(error) || about === null || error.status >= 500) throw error;
    const [detail, member = '', what = ''] = about;
    return jsonAnswer({ [member]: [what], detail, code: error.code }, error.status === 409 ? 400 : error.status);
  }
}

async function wire({ app }: Site, invitation: ListedInvitation): Promise<object> {
  const { uuid: pk, name, singleUse: single_use, fixedData: fixed_data, createdBy, creator, uses } = invitation;
  const flow = invitation.flow === null ? null : await app.currentFlow(invitation.flow);
  return {
    ...{ pk, name, expires: new Date(invitation.expiresAt).toISOString(), fixed_data, single_use, uses },
    created_by: createdBy === null ? null : { pk: createdBy, username: creator },
    ...wireFlow(invitation, flow),
  };
}

/** The pk, as the reference has it; what is tied to a flow that is gone is not free for all. */
function wireFlow({ flow: slug }: Invitation, flow: CompiledFlow | null): object {
  if (slug === null) return { flow: null, flow_obj: null };
  if (flow === null) return { flow: slug, flow_obj: { slug } };
  const { pk, name, designation } = flow;
  return { flow: pk, flow_obj: { pk, slug, name, designation } };
}
