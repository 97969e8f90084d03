/** Who asks the REST API: a signed-in browser, or a program with a token. Flows know browsers alone. */
import { DoorwardError } from '../kernel/errors.ts';
import { accountOf, type Caller } from './account-routes.ts';
import type { ReadBody } from './body.ts';
import type { Site, Visit } from './exchange.ts';
import { checkOrigin } from './guards.ts';

/**
 * A token beats a cookie. The reference answers 403, not 401, to anonymous clients.
 *
 * @throws DoorwardError `forbidden`, `invalid_token`
 */
export async function callerOf(site: Site, visit: Visit): Promise<Caller> {
  const [, secret] = /^bearer +(\S{1,200})$/i.exec(visit.request.headers.get('authorization')?.trim() ?? '') ?? [];
  if (secret !== undefined) {
    const user = await site.app.tokens.userOf(secret);
    if (user === null) throw new DoorwardError('invalid_token', 'the token is unknown, void or expired');
    return { user, impersonator: null, session: null };
  }
  const account = await accountOf(site, visit);
  if (account === null) throw new DoorwardError('forbidden', 'this resource needs a session or a token');
  return account.signedIn;
}

/**
 * The caller of a request that changes something. Another site can make a browser send its cookie, but no token: so
 * the origin is checked for browsers.
 *
 * @throws DoorwardError `forbidden`, `invalid_token`, `foreign_origin`
 */
export async function changingCaller(
  site: Site,
  visit: Visit,
  body: ReadBody = { body: {}, stepToken: null, kind: 'json' },
): Promise<Caller> {
  const caller = await callerOf(site, visit);
  if (caller.session !== null) checkOrigin(site.app, visit.request, body, visit.browser?.token ?? null);
  return caller;
}

/** @throws DoorwardError `forbidden`, `invalid_token` */
export async function administratorOf(site: Site, visit: Visit): Promise<Caller> {
  return checkedAdministrator(site, await callerOf(site, visit));
}

/** @throws DoorwardError `forbidden`, `invalid_token`, `foreign_origin` */
export async function changingAdministratorOf(site: Site, visit: Visit, body: ReadBody): Promise<Caller> {
  return checkedAdministrator(site, await changingCaller(site, visit, body));
}

async function checkedAdministrator({ app }: Site, caller: Caller): Promise<Caller> {
  if (await app.isAdministrator(caller.user.id)) return caller;
  throw new DoorwardError('forbidden', `${caller.user.username} is not an administrator`);
}
