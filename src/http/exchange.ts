/** Between a request and the engine: who asks, which step, and what goes back in headers. */
import type { BlockList } from 'node:net';
import type { App } from '../app/app.ts';
import type { StepInput, StepReply } from '../engine/exchange.ts';
import type { Visitor } from '../engine/visitor.ts';
import type { Brand } from '../pages/brand.ts';
import { chooseLocale } from '../protocol/localize.ts';
import { clientAddress } from './address.ts';
import { type ReadBody, readBody } from './body.ts';
import {
  type BrowserToken,
  deviceCookie,
  newAnonymous,
  readDeviceCookie,
  readSessionCookie,
  sessionCookie,
} from './cookies.ts';
import { checkOrigin, isCautious, readQuery } from './guards.ts';

/** Answers a request; `address` is the peer address of its socket. Never rejects. */
export type Handler = (request: Request, info?: { readonly address?: string }) => Promise<Response>;

/** What every handler works with. */
export interface Site {
  readonly app: App;
  readonly brand: Brand;
  readonly trusted: BlockList;
}

/** One request, with what was found out about it on the way in. */
export interface Visit {
  readonly request: Request;
  readonly url: URL;
  readonly requestId: string;
  readonly address: string;
  readonly params: Readonly<Record<string, string>>;
  /** null for a browser without a cookie of ours. */
  readonly browser: BrowserToken | null;
}

/** Reads who asks. */
export function visitOf(
  { app, trusted }: Site,
  request: Request,
  {
    requestId,
    socket,
    params,
  }: { requestId: string; socket: string | undefined; params: Readonly<Record<string, string>> },
): Visit {
  return {
    ...{ request, url: new URL(request.url), requestId, params },
    address: clientAddress(trusted, socket, request.headers.get('x-forwarded-for')),
    browser: readSessionCookie(app, request.headers.get('cookie')),
  };
}

/** A step that was taken, with the cookie that goes back. */
export interface TakenStep {
  readonly reply: StepReply;
  readonly cookie: string | null;
  readonly sent: ReadBody | null;
}

/**
 * Takes one step of a flow.
 *
 * @param search the page's own query string
 * @throws DoorwardError of the guards and of the engine
 */
export async function takeStep(site: Site, visit: Visit, slug: string, search: string): Promise<TakenStep> {
  const { app } = site;
  const { request, browser } = visit;
  const sent = request.method === 'POST' ? await readBody(request) : null;
  if (sent !== null) checkOrigin(app, request, sent, browser?.token ?? null);
  const anonymous = newAnonymous();
  const input: StepInput = {
    ...lookOf(site, visit, slug, search),
    sessionToken: (browser ?? anonymous).token,
    ...(browser?.kind === 'signed-in' ? { freshToken: anonymous.token } : {}),
    answer: sent === null ? null : { body: sent.body, stepToken: sent.stepToken },
    cautious: sent === null && isCautious(request),
  };
  const reply = await located(app, await app.step(input));
  return { reply, sent, cookie: cookieAfter(app, anonymous, browser === null, reply) };
}

/** Where somebody asked from is shown with its place, in the language of whoever reads it. */
async function located({ places }: App, reply: StepReply): Promise<StepReply> {
  const { challenge, locale } = reply;
  if (challenge.component !== 'ak-stage-consent' || challenge.asked === undefined) return reply;
  const place = await places.beside(challenge.asked.place, locale);
  return { ...reply, challenge: { ...challenge, asked: { ...challenge.asked, place } } };
}

/** What a request says of a flow without answering anything. A browser without a cookie has the token ''. */
export function lookOf({ app }: Site, visit: Visit, slug: string, search: string): StepInput {
  const { request, browser } = visit;
  return {
    ...{ slug, query: readQuery(search), origin: app.origin, address: visit.address, requestId: visit.requestId },
    ...{ sessionToken: browser?.token ?? '', newcomer: browser === null, answer: null, cautious: true },
    agent: agentOf(request),
    acceptLanguage: request.headers.get('accept-language'),
    remembered: readDeviceCookie(app, request.headers.get('cookie')),
  };
}

/** Who is at the door outside of a flow, for the reader of a message. */
export function atTheDoor({ request, address }: Visit): Pick<Visitor, 'agent' | 'address' | 'locale'> {
  return { agent: agentOf(request), address, locale: chooseLocale(undefined, request.headers.get('accept-language')) };
}

function agentOf({ headers }: Request): string {
  return (headers.get('user-agent') ?? '').slice(0, 500).toWellFormed().replaceAll('\0', '');
}

/** An answer with the cookie of what the browser is trusted with from now on, if that changed. */
export function withDevice({ app }: Site, { reply }: TakenStep, response: Response): Response {
  if (reply.remember === undefined) return response;
  const { value, until } = reply.remember;
  response.headers.append('set-cookie', deviceCookie(app, value, { until, now: app.now() }));
  return response;
}

/**
 * A new session's cookie; or that of the anonymous token minted here, which nobody else knows: for a newcomer, in place
 * of a session that is gone, and after the end of one.
 */
function cookieAfter(app: App, anonymous: BrowserToken, newcomer: boolean, { session }: StepReply): string | null {
  if (session === 'end' || session === 'fresh') return sessionCookie(app, anonymous, null);
  if (session === null) return newcomer ? sessionCookie(app, anonymous, null) : null;
  const { token, persistent, expiresAt } = session;
  if (expiresAt === null) return sessionCookie(app, { token, kind: 'anonymous' }, null);
  return sessionCookie(app, { token, kind: 'signed-in' }, persistent ? (expiresAt - app.now()) / 1000 : null);
}
