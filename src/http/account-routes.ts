/** The account page, and the ways in and out. */
import type { SignedIn } from '../app/app.ts';
import { languageSetting } from '../engine/scene.ts';
import { mintStepToken } from '../engine/step-token.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { hashToken, newToken } from '../kernel/ids.ts';
import { accountPage } from '../pages/account-page.tsx';
import { chooseLocale } from '../protocol/localize.ts';
import { text } from '../protocol/text.ts';
import { htmlAnswer, redirectAnswer } from './answers.ts';
import { readBody } from './body.ts';
import { newAnonymous, sessionCookie } from './cookies.ts';
import type { Site, Visit } from './exchange.ts';
import { checkOrigin } from './guards.ts';

const accountPath = '/if/user/';

/** Who is signed in, with the token that says so. */
export interface Account {
  readonly signedIn: SignedIn;
  readonly token: string;
}

/** null for an anonymous visitor. */
export async function accountOf({ app }: Site, { browser }: Visit): Promise<Account | null> {
  if (browser?.kind !== 'signed-in') return null;
  const signedIn = await app.session(browser.token);
  return signedIn === null ? null : { signedIn, token: browser.token };
}

/** `/`: to the account page, or to sign in. */
export async function home(site: Site, visit: Visit): Promise<Response> {
  return (await accountOf(site, visit)) === null ? toSignIn(site, accountPath) : redirectAnswer(accountPath, 302);
}

export async function account(site: Site, visit: Visit): Promise<Response> {
  const found = await accountOf(site, visit);
  if (found === null) return toSignIn(site, accountPath);
  const { app, brand } = site;
  const { user, session } = found.signedIn;
  const sessions = await app.store.accounts.listSessions(user.id, session.tokenHash);
  const notice = visit.url.searchParams.get('notice');
  const html = accountPage({
    ...{ user, brand, csrf: formToken(site, found.token) },
    sessions: sessions.map((listed) => ({ ...listed, device: listed.agent })),
    locale: chooseLocale(languageSetting(user), visit.request.headers.get('accept-language')),
    notice: notice === 'sessions-ended' ? text('account.sessions_ended') : null,
  });
  return htmlAnswer(html);
}

/** Ends one of one's own sessions. */
export async function endSession(site: Site, visit: Visit): Promise<Response> {
  const { user, session } = await checkedForm(site, visit);
  const found = await site.app.store.accounts.findSession(visit.params.uuid ?? '');
  if (found === null || found.userId !== user.id) throw new DoorwardError('not_found', 'no such session of this user');
  await site.app.change([{ kind: 'session.end', tokenHash: found.tokenHash }, sessionEvent(site, visit, user, 1)]);
  if (found.tokenHash !== session.tokenHash) return redirectAnswer(`${accountPath}?notice=sessions-ended`);
  return redirectAnswer('/', 303, { 'set-cookie': sessionCookie(site.app, newAnonymous(), null) });
}

/** Ends all of one's own sessions but this one. */
export async function endOtherSessions(site: Site, visit: Visit): Promise<Response> {
  const { user, session } = await checkedForm(site, visit);
  const others = (await site.app.store.read.sessionsOf(user.id)).length - 1;
  await site.app.change([
    { kind: 'session.end_all', userId: user.id, except: session.tokenHash },
    sessionEvent(site, visit, user, others),
  ]);
  return redirectAnswer(`${accountPath}?notice=sessions-ended`);
}

/** `/flows/-/default/<designation>/`: the page of the flow that stands for it, the query kept. */
export function defaultFlow(designation: 'authentication' | 'invalidation') {
  return async (site: Site, visit: Visit): Promise<Response> => {
    const slug = await site.app.flowFor(designation);
    if (slug === null) throw new DoorwardError('flow_not_found', `no flow has the designation ${designation}`);
    return redirectAnswer(`/if/flow/${encodeURIComponent(slug)}/${visit.url.search}`, 302);
  };
}

/** Gives a flow up: an anonymous browser gets a new session, so none of its open runs is found again. */
export async function cancel(site: Site, visit: Visit): Promise<Response> {
  const signedIn = (await accountOf(site, visit)) !== null;
  const cookie = signedIn
    ? {}
    : { 'set-cookie': sessionCookie(site.app, { token: newToken(), kind: 'anonymous' }, null) };
  return redirectAnswer('/', 303, cookie);
}

async function toSignIn(site: Site, next: string): Promise<Response> {
  const slug = await site.app.flowFor('authentication');
  if (slug === null) throw new DoorwardError('flow_not_found', 'there is no flow to sign in with');
  return redirectAnswer(`/if/flow/${encodeURIComponent(slug)}/?next=${encodeURIComponent(next)}`, 302);
}

/** A token for the page's own forms, bound to the session like a step. */
function formToken({ app }: Site, token: string): string {
  return mintStepToken(app.keyring, { run: 'account', seq: 0, session: hashToken(token), mintedAt: app.now() });
}

async function checkedForm(site: Site, visit: Visit): Promise<SignedIn> {
  const body = await readBody(visit.request);
  checkOrigin(site.app, visit.request, body, visit.browser?.token ?? null);
  const found = await accountOf(site, visit);
  if (found === null) throw new DoorwardError('not_authenticated', 'the account page needs a session');
  return found.signedIn;
}

function sessionEvent({ app }: Site, { address, requestId }: Visit, user: SignedIn['user'], count: number) {
  return {
    kind: 'event',
    event: {
      ...{ action: 'sessions_ended', user: { pk: user.id, username: user.username }, context: { count } },
      ...{ address, requestId, flow: null, at: app.now() },
    },
  } as const;
}
