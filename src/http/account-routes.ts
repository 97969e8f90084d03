/** The account page, and the ways in and out. */
import type { SignedIn } from '../app/app.ts';
import { eventActor } from '../engine/acting.ts';
import { provenanceByField } from '../engine/provenance.ts';

import { DoorwardError } from '../kernel/errors.ts';
import type { JsonObject } from '../kernel/json.ts';
import { accountPage } from '../pages/account-page.tsx';
import type { ListedConsent } from '../pages/page-data.ts';
import type { ShownProvenance } from '../pages/provenance-line.tsx';
import { type Text, text } from '../protocol/text.ts';
import { actingAs, formToken } from './acting.ts';
import { htmlAnswer, redirectAnswer } from './answers.ts';
import { readBody } from './body.ts';
import { newAnonymous, sessionCookie } from './cookies.ts';
import type { Site, Visit } from './exchange.ts';
import { checkOrigin, isCautious } from './guards.ts';
import { languageOf } from './language.ts';

const accountPath = '/if/user/';

const confirmFlow = 'default-email-verification';

const notices: Readonly<Record<string, Text>> = {
  'email-confirmed': text('account.email_confirmed_notice'),
  'sessions-ended': text('account.sessions_ended'),
  'authenticator-removed': text('account.authenticator_removed'),
  'authenticator-renamed': text('account.authenticator_renamed'),
  'consent-withdrawn': text('account.consent_withdrawn'),
  'connection-removed': text('account.connection_removed'),
  'connection-needed': text('account.connection_needed'),
};

/** Who is signed in, with the token that says so. */
export interface Account {
  readonly signedIn: SignedIn;
  readonly token: string;
}

/** Who asks, and with whose rights: a signed-in browser, or a program, which has no session. */
export interface Caller extends Omit<SignedIn, 'session'> {
  readonly session: SignedIn['session'] | null;
}

/** null for an anonymous visitor. */
export async function accountOf({ app }: Site, visit: Visit): Promise<Account | null> {
  const { browser } = visit;
  if (browser?.kind !== 'signed-in') return null;
  const signedIn = await app.session(browser.token, visit);
  return signedIn === null ? null : { signedIn, token: browser.token };
}

/** `/`: to the account page, or to sign in. */
export async function home(site: Site, visit: Visit): Promise<Response> {
  const found = await accountOf(site, visit);
  return found === null ? toSignIn(site, accountPath, chosenIn(visit)) : redirectAnswer(accountPath, 302);
}

export async function account(site: Site, visit: Visit): Promise<Response> {
  const found = await accountOf(site, visit);
  if (found === null) return toSignIn(site, accountPath, chosenIn(visit));
  const { app, brand } = site;
  const { user, session } = found.signedIn;
  const locale = languageOf(visit, user);
  const sessions = await app.store.accounts.listSessions(user.id, session.tokenHash);
  const notice = visit.url.searchParams.get('notice') ?? '';
  const settings = (await app.stageSettings()).filter(({ kind }) => kind.startsWith('authenticator_'));
  const html = accountPage({
    ...{ user, brand, csrf: formToken(app, found.token) },
    acting: actingAs(site, visit, found.signedIn.impersonator === null ? null : user.username),
    provenance: await provenanceOf(site, user.id),
    sessions: await Promise.all(
      sessions.map(async (listed) => {
        return { ...listed, device: listed.agent, place: await app.places.named(listed.address, locale) };
      }),
    ),
    locale,
    notice: Object.hasOwn(notices, notice) ? (notices[notice] ?? null) : null,
    authenticators: await app.store.read.authenticatorsOf(user.id),
    confirm: (await app.currentFlow(confirmFlow))?.slug ?? null,
    connections: await app.connections.of(user.id),
    consents: await consentsOf(site, user.id),
    approvals: found.signedIn.impersonator === null ? await app.approvals.desk(user) : null,
    leave: await app.flowFor('unenrollment'),
    addable: settings.map(({ stage, kind, title }) => ({ href: `/flows/-/configure/${stage}/`, kind, title })),
  });
  return htmlAnswer(html);
}

async function provenanceOf(site: Site, userId: number): Promise<ShownProvenance> {
  const fields = provenanceByField(await site.app.store.read.provenance(userId));
  const slugs = [...fields.values()].flatMap(({ origin }) => ('flow' in origin ? [origin.flow] : []));
  return { fields, flows: await titlesOf(site, slugs) };
}

/** More than anybody has. */
const consentsListed = 1_000;

/** What belongs to no application is called by its flow. */
async function consentsOf(site: Site, userId: number): Promise<readonly ListedConsent[]> {
  const consents = await site.app.store.accounts.listConsents({ userId, pageSize: consentsListed });
  const titles = await titlesOf(
    site,
    consents.flatMap(({ givenTo }) => ('flow' in givenTo ? [givenTo.flow] : [])),
  );
  return consents.map((one) => {
    return { ...one, name: ('flow' in one.givenTo ? titles.get(one.givenTo.flow) : null) ?? one.name };
  });
}

/** Flows are called by their title, or by their name where the title is a template. */
export async function titlesOf({ app }: Site, slugs: readonly string[]): Promise<ReadonlyMap<string, Text>> {
  const titles = await Promise.all(
    [...new Set(slugs)].map(async (slug): Promise<[string, Text][]> => {
      const flow = await app.currentFlow(slug);
      return flow === null ? [] : [[slug, JSON.stringify(flow.title).includes('%(') ? flow.name : flow.title]];
    }),
  );
  return new Map(titles.flat());
}

/** Ends one of one's own sessions. */
export async function endSession(site: Site, visit: Visit): Promise<Response> {
  const own = await endOwn(site, visit, await checkedForm(site, visit));
  if (!own) return redirectAnswer(`${accountPath}?notice=sessions-ended`);
  return redirectAnswer('/', 303, { 'set-cookie': sessionCookie(site.app, newAnonymous(), null) });
}

/**
 * Ends the session of the address, if it is the user's own. True when it was the one that asks.
 *
 * @throws DoorwardError `not_found`, for other people's as well
 */
export async function endOwn(site: Site, visit: Visit, caller: Caller): Promise<boolean> {
  const { user, session } = caller;
  const found = await site.app.store.accounts.findSession(visit.params.uuid ?? '');
  if (found === null || found.userId !== user.id) throw new DoorwardError('not_found', 'no such session of this user');
  // With a session in which an administrator acts as this user, theirs ends too: nobody is left signed in behind it.
  const ending = [found.tokenHash, ...(found.returnsTo === null ? [] : [found.returnsTo])];
  await site.app.change([
    ...ending.map((tokenHash) => ({ kind: 'session.end', tokenHash }) as const),
    sessionEvent(site, visit, caller, 1),
  ]);
  return found.tokenHash === session?.tokenHash;
}

/** Ends all of one's own sessions but this one. */
export async function endOtherSessions(site: Site, visit: Visit): Promise<Response> {
  const signedIn = await checkedForm(site, visit);
  const { user, session } = signedIn;
  const sessions = await site.app.store.read.sessionsOf(user.id);
  const others = sessions.filter(
    ({ tokenHash, impersonatorId }) => impersonatorId === null && tokenHash !== session.tokenHash,
  );
  await site.app.change([
    { kind: 'session.end_all', userId: user.id, except: session.tokenHash },
    sessionEvent(site, visit, signedIn, others.length),
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

/**
 * "Not you?": gives the open runs up. An anonymous browser gets a new session, so that none is found again; who is
 * signed in is signed out, as the reference does. With `?stay` they stay signed in: they said no to a question alone.
 */
export async function cancel(site: Site, visit: Visit): Promise<Response> {
  // A link on another site gives nothing up.
  if (isCautious(visit.request)) return redirectAnswer('/');
  const found = await accountOf(site, visit);
  if (found === null) return redirectAnswer('/', 303, { 'set-cookie': sessionCookie(site.app, newAnonymous(), null) });
  await site.app.change([{ kind: 'run.drop', session: found.signedIn.session.tokenHash }]);
  return redirectAnswer(visit.url.searchParams.has('stay') ? '/' : '/flows/-/default/invalidation/');
}

/** The language that was chosen in the address goes along. */
function chosenIn({ url }: Visit): string {
  const locale = url.searchParams.get('locale') ?? '';
  return locale === '' ? '' : `&locale=${encodeURIComponent(locale)}`;
}

/** To sign in first, and then on to where one wanted; `more` goes along in the query. */
export async function toSignIn(site: Site, next: string, more = ''): Promise<Response> {
  const slug = await site.app.flowFor('authentication');
  if (slug === null) throw new DoorwardError('flow_not_found', 'there is no flow to sign in with');
  return redirectAnswer(`/if/flow/${encodeURIComponent(slug)}/?next=${encodeURIComponent(next)}${more}`, 302);
}

async function checkedForm(site: Site, visit: Visit): Promise<SignedIn> {
  return (await checkedPost(site, visit)).signedIn;
}

/** What a form of the account page sent, and who sent it. */
export async function checkedPost(
  site: Site,
  visit: Visit,
): Promise<{ readonly signedIn: SignedIn; readonly body: JsonObject }> {
  const sent = await readBody(visit.request);
  checkOrigin(site.app, visit.request, sent, visit.browser?.token ?? null);
  const found = await accountOf(site, visit);
  if (found === null) throw new DoorwardError('not_authenticated', 'the account page needs a session');
  return { signedIn: found.signedIn, body: sent.body };
}

function sessionEvent(
  { app }: Site,
  { address, requestId }: Visit,
  signedIn: Pick<SignedIn, 'user' | 'impersonator'>,
  count: number,
) {
  return {
    kind: 'event',
    event: {
      ...{ action: 'sessions_ended', ...eventActor(signedIn, signedIn.user), context: { count } },
      ...{ address, requestId, flow: null, at: app.now() },
    },
  } as const;
}
