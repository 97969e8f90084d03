/** Requests for approval: the page behind a personal link, what waits for a member of the group, and the way back. */
import { checkReason, approvalRequest as requestOf } from '../app/approval-requests.ts';
import type { ApprovalFile, Heard } from '../app/approvals.ts';
import type { User } from '../engine/user.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { newToken } from '../kernel/ids.ts';
import { approvalPage, approvalsPage, wayBackPage } from '../pages/approval.tsx';
import { deviceText } from '../protocol/device.ts';
import { type Locale, localize } from '../protocol/localize.ts';
import { accountOf, titlesOf } from './account-routes.ts';
import { formToken } from './acting.ts';
import { htmlAnswer, jsonAnswer, redirectAnswer } from './answers.ts';
import { readBody } from './body.ts';
import { callerOf, changingCaller } from './caller.ts';
import { sessionCookie } from './cookies.ts';
import type { Site, Visit } from './exchange.ts';
import { checkOrigin, readQuery } from './guards.ts';
import { languageOf } from './language.ts';
import { paginated } from './pagination.ts';

const path = '/if/approvals/';

/** `GET /if/approvals/`: what waits for whoever is signed in. */
export async function approvals(site: Site, visit: Visit): Promise<Response> {
  const found = await accountOf(site, visit);
  if (found === null) return toSignIn(path);
  const files = found.signedIn.impersonator === null ? await site.app.approvals.list(found.signedIn.user) : [];
  return htmlAnswer(
    approvalsPage(
      settingOf(site, visit, found.signedIn.user),
      files.map(({ approval }) => approval),
      await titlesOf(
        site,
        files.map(({ approval }) => approval.flow),
      ),
    ),
  );
}

/** `GET POST /if/approvals/<uuid>/`, with a personal link's `?key=`, or signed in. To look at it decides nothing. */
export async function approval(site: Site, visit: Visit): Promise<Response> {
  const { request, params } = visit;
  const uuid = params.uuid ?? '';
  const sent = request.method === 'POST' ? await readBody(request) : null;
  if (sent !== null) checkOrigin(site.app, request, sent, visit.browser?.token ?? null);
  const approver = await approverOf(site, visit, uuid);
  if (approver === 'nobody') return toSignIn(`${path}${uuid}/`);
  const file = approver === null ? null : await site.app.approvals.show(uuid, approver);
  if (approver === null || file === null) return htmlAnswer(approvalPage(settingOf(site, visit), null), 404);
  const reason = typeof sent?.body.reason === 'string' ? sent.body.reason : '';
  const verdict = verdictIn(sent?.body.verdict);
  const isMissing = verdict === 'deny' && reason.trim() === '';
  if (verdict !== null && !isMissing) {
    await decide(site, visit, { uuid, by: approver, verdict, reason });
    return redirectAnswer(`${visit.url.pathname}${visit.url.search}`);
  }
  const own = file.words.find(({ userId }) => userId === approver.id)?.verdict ?? null;
  const isLate = file.approval.deadlineAt <= site.app.now();
  const csrf = visit.browser === null ? '' : formToken(site.app, visit.browser.token);
  const action = `${visit.url.pathname}${visit.url.search}`;
  const byLink = visit.url.searchParams.has('key');
  const setting = settingOf(site, visit, approver);
  const shown = { file: await located(site, file, setting.locale), own, isLate, csrf, action, isMissing, byLink };
  return htmlAnswer(approvalPage(setting, shown));
}

/** With the place beside the address that the applicant asked from. */
async function located(site: Site, file: ApprovalFile, locale: Locale): Promise<ApprovalFile> {
  const { asked } = file.approval;
  const address = await site.app.places.beside(asked.address, locale);
  return { ...file, approval: { ...file.approval, asked: { ...asked, address } } };
}

/** Whoever a link was sent to; else whoever is signed in, and not an administrator who acts as them. */
async function approverOf(site: Site, visit: Visit, uuid: string): Promise<User | null | 'nobody'> {
  const { key } = readQuery(visit.url.search.slice(1));
  if (key !== undefined) return site.app.approvals.holder(uuid, key);
  const found = await accountOf(site, visit);
  if (found === null) return 'nobody';
  return found.signedIn.impersonator === null ? found.signedIn.user : null;
}

/** `GET POST /if/approvals/<uuid>/return/?key=…`: the applicant's way back into their run, after a click. */
export async function wayBack(site: Site, visit: Visit): Promise<Response> {
  const { request, params } = visit;
  const sent = request.method === 'POST' ? await readBody(request) : null;
  if (sent !== null) checkOrigin(site.app, request, sent, visit.browser?.token ?? null);
  const { key = '' } = readQuery(visit.url.search.slice(1));
  const freshToken = newToken();
  const signedIn = (await accountOf(site, visit))?.signedIn ?? null;
  const way = await site.app.approvals.wayBack(params.uuid ?? '', key, { signedIn, freshToken }, sent !== null);
  if (way.kind === 'back') {
    const cookie = sessionCookie(site.app, { token: freshToken, kind: 'anonymous' }, null);
    return redirectAnswer(way.path, 303, way.anonymous ? { 'set-cookie': cookie } : {});
  }
  const csrf = visit.browser === null ? '' : formToken(site.app, visit.browser.token);
  const action = `${visit.url.pathname}${visit.url.search}`;
  return htmlAnswer(
    wayBackPage(settingOf(site, visit, signedIn?.user), { state: way.kind, action, csrf }),
    way.kind === 'gone' ? 404 : 200,
  );
}

/** `GET /api/v3/stages/approval/requests/`: what waits for the caller. */
export async function approvalRequests(site: Site, visit: Visit): Promise<Response> {
  const { user } = await decidingCaller(await callerOf(site, visit));
  const files = await site.app.approvals.list(user);
  const results = files.map((file) => wire(file, visit, user));
  return jsonAnswer(paginated(results, results.length, { page: 1, pageSize: Math.max(1, results.length) }));
}

/** `/api/v3/stages/approval/requests/<pk>/`: GET shows one, POST `{verdict, reason}` decides it. */
export async function approvalRequest(site: Site, visit: Visit): Promise<Response> {
  const uuid = visit.params.pk ?? '';
  const isPost = visit.request.method === 'POST';
  const sent = isPost ? await readBody(visit.request) : null;
  const { user } = decidingCaller(
    sent === null ? await callerOf(site, visit) : await changingCaller(site, visit, sent),
  );
  if (sent !== null) {
    const verdict = verdictIn(sent.body.verdict);
    if (verdict === null) throw new DoorwardError('invalid_request', 'verdict: must be approve or deny');
    const { reason = '' } = sent.body;
    if (typeof reason !== 'string') throw new DoorwardError('invalid_request', 'reason: must be a text');
    refuse(await decide(site, visit, { uuid, by: user, verdict, reason }), uuid);
  }
  const file = await site.app.approvals.show(uuid, user);
  if (file === null) throw new DoorwardError('not_found', `no request ${uuid} waits for this user`);
  return jsonAnswer(wire(file, visit, user));
}

function decidingCaller<C extends { readonly impersonator: User | null }>(caller: C): C {
  if (caller.impersonator === null) return caller;
  throw new DoorwardError('forbidden', 'nobody approves while they act as somebody else');
}

/** @throws DoorwardError `not_found`, `refused` */
function refuse(heard: Heard, uuid: string): void {
  if (['approved', 'denied', 'counted'].includes(heard)) return;
  if (heard === 'forbidden' || heard === 'gone')
    throw new DoorwardError('not_found', `no request ${uuid} waits for this user`);
  throw new DoorwardError('refused', `the request ${uuid} takes no word of this user any more: ${heard}`);
}

interface Decision {
  readonly uuid: string;
  readonly by: User;
  readonly verdict: 'approve' | 'deny';
  readonly reason: string;
}

function decide({ app }: Site, { address, requestId }: Visit, { uuid, ...word }: Decision): Promise<Heard> {
  checkReason(word.verdict, word.reason);
  return app.approvals.decide(uuid, { ...word, address, requestId });
}

function verdictIn(value: unknown): 'approve' | 'deny' | null {
  return value === 'approve' || value === 'deny' ? value : null;
}

function wire(file: ApprovalFile, visit: Visit, user: User): object {
  const locale = languageOf(visit, user);
  const { id: pk, facts, agent, address, createdAt, deadlineAt, decisions, ...rest } = requestOf(file, locale);
  return {
    ...{ pk, ...rest },
    facts: Object.fromEntries(facts.map(({ key, value }) => [key, value])),
    labels: Object.fromEntries(facts.map(({ key, label }) => [key, label])),
    asked_from: { device: localize(deviceText(agent), locale), address },
    ...{ created: new Date(createdAt).toISOString(), deadline: new Date(deadlineAt).toISOString() },
    decisions: decisions.map(({ at, ...said }) => ({ ...said, created: new Date(at).toISOString() })),
  };
}

function settingOf({ brand }: Site, visit: Visit, user: User | null = null) {
  return { brand, locale: languageOf(visit, user) };
}

function toSignIn(next: string): Response {
  return redirectAnswer(`/flows/-/default/authentication/?next=${encodeURIComponent(next)}`, 302);
}
