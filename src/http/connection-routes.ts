/** Users' links to identity providers: on the account page, and as the reference's API has them. */
import type { Disconnecting } from '../app/connections.ts';
import { eventActor } from '../engine/acting.ts';
import type { Connection } from '../engine/connection.ts';
import { DoorwardError, isDoorwardError } from '../kernel/errors.ts';
import { type Caller, checkedPost } from './account-routes.ts';
import { jsonAnswer, redirectAnswer } from './answers.ts';
import { callerOf, changingCaller } from './caller.ts';
import { atTheDoor, type Site, type Visit } from './exchange.ts';
import { readQuery } from './guards.ts';
import { checkProven, isProven, toProof } from './own-proof.ts';
import { scopeOf } from './owned.ts';
import { paginated, pagingOf } from './pagination.ts';

/** `GET /api/v3/sources/user_connections/all/`: one's own; an administrator's are all. */
export async function userConnections(site: Site, visit: Visit): Promise<Response> {
  const query = readQuery(visit.url.search.slice(1));
  const [paging, scope] = [pagingOf(query), await scopeOf(site, await callerOf(site, visit), query)];
  const { accounts } = site.app.store;
  const [count, found] = await Promise.all([
    accounts.countConnections(scope),
    accounts.listConnections({ ...scope, ...paging }),
  ]);
  return jsonAnswer(paginated(found.map(wire), count, paging));
}

/** `/api/v3/sources/user_connections/all/<pk>/`: GET shows one, DELETE disconnects it. One's own takes a fresh proof. */
export async function userConnection(site: Site, visit: Visit): Promise<Response> {
  const isDelete = visit.request.method === 'DELETE';
  const caller = isDelete ? await changingCaller(site, visit) : await callerOf(site, visit);
  const found = await findIn(site, visit.params.pk ?? '', await scopeOf(site, caller));
  if (!isDelete) return jsonAnswer(wire(found));
  if (found.userId === caller.user.id) await checkProven(site, caller);
  await site.app.connections.disconnect(found, await by(site, visit, caller, found));
  return new Response(null, { status: 204 });
}

/** `POST /if/user/connections/<pk>/disconnect` */
export async function disconnect(site: Site, visit: Visit): Promise<Response> {
  const { signedIn } = await checkedPost(site, visit);
  if (!(await isProven(site, signedIn))) return toProof();
  const found = await findIn(site, visit.params.uuid ?? '', { userId: signedIn.user.id });
  try {
    await site.app.connections.disconnect(found, await by(site, visit, signedIn, found));
  } catch (error) {
    if (!isDoorwardError(error) || error.code !== 'only_sign_in') throw error;
    return redirectAnswer('/if/user/?notice=connection-needed');
  }
  return redirectAnswer('/if/user/?notice=connection-removed');
}

async function findIn({ app }: Site, uuid: string, scope: { readonly userId?: number }): Promise<Connection> {
  const [found] = await app.store.accounts.listConnections({ ...scope, uuid });
  if (found === undefined) throw new DoorwardError('not_found', 'no such connection of this user');
  return found;
}

async function by({ app }: Site, visit: Visit, caller: Caller, { userId }: Connection): Promise<Disconnecting> {
  const isOwn = userId === caller.user.id;
  const owner = isOwn ? caller.user : await app.store.read.user(userId);
  const { address, requestId } = visit;
  const context = isOwn ? {} : { unlinked_by: caller.user.username };
  return { event: { ...eventActor(caller, owner), context, address, requestId }, visitor: atTheDoor(visit) };
}

function wire({ uuid: pk, userId: user, source, identifier, createdAt }: Connection): object {
  const created = new Date(createdAt).toISOString();
  return { pk, user, source, source_obj: { name: source, slug: source }, identifier, created, last_updated: created };
}
