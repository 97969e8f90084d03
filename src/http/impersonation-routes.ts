/**
 * An administrator acts as a user (stages.md 8.1, W37). The browser gets a second session, which names the
 * administrator and leads back to their own: that one is kept, and when it ends the second one ends with it.
 */
import { commitOrThrow } from '../app/users.ts';
import { actingEvent } from '../engine/acting.ts';
import { languageSetting } from '../engine/scene.ts';
import type { Session, User } from '../engine/user.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { hashToken, newToken, newUuid } from '../kernel/ids.ts';
import { codePoints } from '../kernel/text.ts';
import { chooseLocale, localize } from '../protocol/localize.ts';
import { text } from '../protocol/text.ts';
import { jsonAnswer, redirectAnswer } from './answers.ts';
import { readBody } from './body.ts';
import { changingCaller } from './caller.ts';
import { newAnonymous, sessionCookie } from './cookies.ts';
import type { Site, Visit } from './exchange.ts';
import { checkOrigin, isCautious } from './guards.ts';

/** `POST /api/v3/core/users/<pk>/impersonate/` with `{reason}`. */
export async function impersonate(site: Site, visit: Visit): Promise<Response> {
  const { app } = site;
  const sent = await readBody(visit.request);
  const { user: administrator, impersonator, session } = await changingCaller(site, visit, sent);
  if (session === null || impersonator !== null || !(await app.isAdministrator(administrator.id)))
    throw new DoorwardError('forbidden', `${administrator.username} may not act as others here`);
  const user = /^\d{1,15}$/.test(visit.params.pk ?? '') ? await app.users.get({ pk: Number(visit.params.pk) }) : null;
  if (user === null) throw new DoorwardError('not_found', 'no such user');
  const locale = chooseLocale(languageSetting(administrator), visit.request.headers.get('accept-language'));
  // The reference's 401.
  if (user.id === administrator.id)
    return jsonAnswer({ detail: localize(text('acting.oneself'), locale), code: 'not_authenticated' }, 401);
  if (!user.isActive || (!app.mayActAsAdministrators && (await app.isAdministrator(user.id))))
    throw new DoorwardError('forbidden', `nobody acts as ${user.username}: deactivated, or an administrator`);
  const reason = typeof sent.body.reason === 'string' ? sent.body.reason.trim() : '';
  if (reason === '' || codePoints(reason) > 1_000) {
    const detail = localize(text('acting.reason_required'), locale);
    return jsonAnswer({ reason: [detail], detail, code: 'invalid_request' }, 400);
  }
  const token = await begin(site, visit, { administrator, own: session, user, reason });
  return noContent(sessionCookie(app, { token, kind: 'signed-in' }, null));
}

interface Beginning {
  readonly administrator: User;
  readonly own: Session;
  readonly user: User;
  readonly reason: string;
}

async function begin({ app }: Site, visit: Visit, { administrator, own, user, reason }: Beginning): Promise<string> {
  const token = newToken();
  const now = app.now();
  const { address, requestId, request } = visit;
  const session: Session = {
    ...{ tokenHash: hashToken(token), uuid: newUuid(), userId: user.id, impersonatorId: administrator.id },
    ...{ returnsTo: own.tokenHash, createdAt: now, lastUsedAt: now, persistent: false, address },
    // Never longer than the administrator's own, which nobody uses meanwhile.
    expiresAt: Math.min(own.expiresAt, own.idleTimeout === null ? own.expiresAt : now + own.idleTimeout),
    idleTimeout: own.idleTimeout,
    agent: (request.headers.get('user-agent') ?? '').slice(0, 500).toWellFormed().replaceAll('\0', ''),
    authMethod: 'impersonation',
    factors: [],
    boundTo: own.boundTo,
  };
  const event = { impersonator: administrator, user, address, requestId, flow: null, at: now } as const;
  await commitOrThrow(app.store, [
    { kind: 'session.touch', tokenHash: own.tokenHash, at: now, address },
    { kind: 'session.begin', session },
    actingEvent({ action: 'impersonation_started', ...event, context: { reason } }),
  ]);
  return token;
}

/**
 * `/api/v3/core/users/impersonate_end/`: 204, also when nobody acts as anybody. A GET from another site changes
 * nothing; a POST is checked as every other.
 */
export async function impersonateEnd(site: Site, visit: Visit): Promise<Response> {
  if (visit.request.method === 'POST') await checkedPost(site, visit);
  else if (isCautious(visit.request)) throw new DoorwardError('foreign_origin', 'a navigation from another site');
  return noContent(await end(site, visit));
}

/** `/if/user/impersonation/end`: the banner's button. */
export async function stopActing(site: Site, visit: Visit): Promise<Response> {
  await checkedPost(site, visit);
  const cookie = await end(site, visit);
  return redirectAnswer('/', 303, cookie === null ? {} : { 'set-cookie': cookie });
}

async function checkedPost({ app }: Site, visit: Visit): Promise<void> {
  checkOrigin(app, visit.request, await readBody(visit.request), visit.browser?.token ?? null);
}

/**
 * The cookie that leads back: the administrator's own session under a new id, so that no run of before goes on. null
 * where nobody acts as anybody (a second click among them).
 */
async function end({ app }: Site, { browser, address, requestId }: Visit): Promise<string | null> {
  if (browser?.kind !== 'signed-in') return null;
  const now = app.now();
  const loadedBy = async (sessionHash: string) =>
    (await app.store.load({ sessionHash, flow: '', variant: '', now })).signedIn;
  // As it stands in the store: a user who was deactivated meanwhile must not keep the administrator from going back.
  const acting = await loadedBy(hashToken(browser.token));
  if (acting === null || acting.impersonator === null) return null;
  const { user, impersonator, session } = acting;
  const own = session.returnsTo === null ? null : await loadedBy(session.returnsTo);
  // Another click was first, and its answer holds the cookie; or the administrator's own session has expired.
  if (own === null && (await loadedBy(session.tokenHash)) === null) return null;
  const token = newToken();
  const event = { impersonator, user, address, requestId, flow: null, at: now, context: {} } as const;
  const answer = await app.change([
    { kind: 'session.end', tokenHash: session.tokenHash },
    ...(own === null ? [] : [{ kind: 'session.renew', from: own.session.tokenHash, to: hashToken(token) } as const]),
    actingEvent({ action: 'impersonation_ended', ...event }),
  ]);
  if (answer.status !== 'done') return null;
  if (own === null) return sessionCookie(app, newAnonymous(), null);
  const maxAge = own.session.persistent ? (own.session.expiresAt - now) / 1000 : null;
  return sessionCookie(app, { token, kind: 'signed-in' }, maxAge);
}

function noContent(cookie: string | null): Response {
  const headers = { 'cache-control': 'no-store', ...(cookie === null ? {} : { 'set-cookie': cookie }) };
  return new Response(null, { status: 204, headers });
}
