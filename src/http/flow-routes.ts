/** The flow executor, as JSON and as pages. */
import { isDoorwardError } from '../kernel/errors.ts';
import { flowPage } from '../pages/flow-page.tsx';
import type { FlowPageData } from '../pages/page-data.ts';
import { drawQrCode, type QrCode } from '../pages/qr-code.ts';
import type { Challenge } from '../protocol/challenge.ts';
import { isConfidential } from '../protocol/confidential.ts';
import { actingAs } from './acting.ts';
import { type HeaderMap, htmlAnswer, jsonAnswer, logged, redirectAnswer } from './answers.ts';
import { captchaPolicy } from './captcha-policy.ts';
import { lookOf, type Site, type TakenStep, takeStep, type Visit, withDevice } from './exchange.ts';
import { readQuery } from './guards.ts';
import { wireChallenge } from './wire.ts';

/** `/api/v3/flows/executor/<slug>/?query=…`: the page's own query string, one level deeper. */
export async function executor(site: Site, visit: Visit): Promise<Response> {
  const search = readQuery(visit.url.search).query ?? '';
  try {
    const taken = await takeStep(site, visit, visit.params.slug ?? '', search);
    const challenge = wireChallenge(taken.reply, search, site.brand.background);
    return withDevice(site, taken, jsonAnswer(challenge, 200, headersOf(taken)));
  } catch (error) {
    if (isDoorwardError(error) && error.code !== 'internal') throw error;
    // 3.8: a stage that throws is answered with a challenge; the run stays where it was, so it can be tried again.
    logged(site, visit, error);
    const shown = await mayRead(site, visit);
    return jsonAnswer({
      ...{ component: 'ak-stage-flow-error', request_id: visit.requestId },
      ...(shown ? { error: String(error) } : {}),
    });
  }
}

/** `/if/flow/<slug>/`: the same run as a page, which works without JavaScript. */
export async function page(site: Site, visit: Visit): Promise<Response> {
  const taken = await takeStep(site, visit, visit.params.slug ?? '', visit.url.search.slice(1));
  return withDevice(site, taken, await pageOf(site, visit, taken));
}

async function pageOf(site: Site, visit: Visit, taken: TakenStep): Promise<Response> {
  const { url } = visit;
  const { reply, sent } = taken;
  const headers = headersOf(taken);
  if (reply.challenge.component === 'xak-flow-redirect') {
    const { to } = reply.challenge as { readonly to: string };
    // A browser that just sent a form may not be redirected to another site (form-action), so that is a link on a page.
    if (new URL(to, site.app.origin).origin === site.app.origin) return redirectAnswer(to, 303, headers);
  } else if (sent !== null && reply.problems === null && reply.stepToken !== null) {
    // The next challenge is shown by its own GET, so that a reload does not send the answer again.
    return redirectAnswer(`${url.pathname}${url.search}`, 303, headers);
  }
  const values = sent === null ? {} : typedValues(sent.body);
  const html = flowPage({
    reply,
    brand: site.brand,
    action: `${url.pathname}${url.search}`,
    values,
    query: url.search.slice(1),
    acting: actingAs(site, visit, reply.actingAs),
    inspector: await inspectorOf(site, visit),
    qrCode: await qrCodeOf(reply.challenge),
  });
  return htmlAnswer(html, 200, { ...headers, ...captchaPolicy(reply.challenge) });
}

async function qrCodeOf(challenge: Challenge): Promise<QrCode | null> {
  const address = challenge.component === 'ak-stage-authenticator-totp' ? challenge.config_url : null;
  return isConfidential(address) ? drawQrCode(address.reveal()) : null;
}

/** `?inspector` shows an administrator the run behind the page; `?inspector=available` leaves it closed. */
async function inspectorOf(site: Site, visit: Visit): Promise<NonNullable<FlowPageData['inspector']> | null> {
  const wished = visit.url.searchParams.get('inspector');
  if (wished === null || !(await mayRead(site, visit))) return null;
  const look = lookOf(site, visit, visit.params.slug ?? '', visit.url.search.slice(1));
  // The page is there for the visitor: it does not fail because of its inspector.
  const inspected = await site.app.inspect(look).catch((error: unknown) => {
    logged(site, visit, error);
    return null;
  });
  return inspected === null ? null : { inspected, open: wished !== 'available' };
}

function headersOf({ reply, cookie }: TakenStep): HeaderMap {
  return {
    ...(reply.stepToken === null ? {} : { 'doorward-step': reply.stepToken }),
    ...(cookie === null ? {} : { 'set-cookie': cookie }),
    'content-language': reply.locale,
  };
}

/** What was typed, to stand in the form again beside its problem. The page never shows passwords. */
function typedValues(body: Readonly<Record<string, unknown>>): Record<string, string | readonly string[]> {
  const values: Record<string, string | readonly string[]> = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(body)) {
    if (typeof value === 'string') values[name] = value;
    else if (Array.isArray(value)) values[name] = value.filter((item) => typeof item === 'string');
  }
  return values;
}

/** Only administrators see what went wrong. */
async function mayRead({ app }: Site, visit: Visit): Promise<boolean> {
  const { browser } = visit;
  if (browser?.kind !== 'signed-in') return false;
  const signedIn = await app.session(browser.token, visit).catch(() => null);
  return signedIn !== null && (await app.isAdministrator(signedIn.user.id).catch(() => false));
}
