/** Responses: their headers, and what an error looks like to a program and to a person. */
import { type DoorwardError, isDoorwardError, DoorwardError as ServerError } from '../kernel/errors.ts';
import { errorPage } from '../pages/error-page.tsx';
import { localize } from '../protocol/localize.ts';
import { text } from '../protocol/text.ts';
import { actingHere } from './acting.ts';
import type { Site, Visit } from './exchange.ts';
import { languageOf } from './language.ts';

const always = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  vary: 'Cookie, Accept, Accept-Language',
} as const;

/**
 * Nothing from elsewhere runs or is loaded, save pictures; nobody may frame the page.
 *
 * @param others whose captcha this page shows: its script, its frame, its styles, and what it asks itself
 */
export function contentSecurityPolicy(others: readonly string[] = []): string {
  const own = ["'self'", ...others].join(' ');
  return [
    "default-src 'none'",
    `style-src ${own}`,
    `script-src ${own}`,
    `connect-src ${own}`,
    ...(others.length === 0 ? [] : [`frame-src ${others.join(' ')}`]),
    "img-src 'self' data: https:",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Seconds, where an error that will pass does not say how long it takes. */
const defaultRetryAfter = 5;

export type HeaderMap = Readonly<Record<string, string>>;

export function jsonAnswer(value: unknown, status = 200, headers: HeaderMap = {}): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: {
      ...always,
      'content-type': 'application/json; charset=utf-8',
      'x-frame-options': 'SAMEORIGIN',
      ...headers,
    },
  });
}

export function htmlAnswer(html: string, status = 200, headers: HeaderMap = {}): Response {
  return new Response(html, {
    status,
    headers: {
      ...always,
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': contentSecurityPolicy(),
      // The address may hold a one-time secret, so it goes to nobody else; same-origin keeps Origin on our own forms.
      'referrer-policy': 'same-origin',
      'x-frame-options': 'DENY',
      ...headers,
    },
  });
}

/** A redirect within this site, or to where an administrator sends people (whose letters a header cannot hold). */
export function redirectAnswer(to: string, status: 302 | 303 | 308 = 303, headers: HeaderMap = {}): Response {
  const location = to.replace(/[^\x21-\x7e]+/g, encodeURI);
  return new Response(null, {
    status,
    headers: { ...always, location, 'referrer-policy': 'same-origin', ...headers },
  });
}

/** What a thrown value becomes: JSON for programs, a page in the visitor's language for people. */
export async function errorAnswer(site: Site, visit: Visit, thrown: unknown): Promise<Response> {
  const error = logged(site, visit, thrown);
  const locale = languageOf(visit);
  const retryAfter = error.retryAfter ?? ([429, 503].includes(error.status) ? defaultRetryAfter : undefined);
  const retry: HeaderMap =
    retryAfter === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfter))) };
  if (wantsJson(visit)) {
    const detail = localize(text(`error.${error.code}`), locale);
    return jsonAnswer({ detail, code: error.code }, error.status, retry);
  }
  const page = {
    status: error.status,
    code: error.code,
    brand: site.brand,
    locale,
    requestId: visit.requestId,
    retryAfter,
    acting: await actingHere(site, visit),
  };
  return htmlAnswer(errorPage(page), error.status, retry);
}

function wantsJson({ url, request }: Visit): boolean {
  const accept = request.headers.get('accept') ?? '';
  if (url.pathname.startsWith('/api/') || url.pathname.startsWith('/-/')) return true;
  return accept.includes('application/json') && !accept.includes('text/html');
}

/**
 * Writes a thrown value to the log. What a visitor did wrong is of little interest; what we did is. The path comes
 * without its query: that may hold secrets.
 */
export function logged({ app }: Site, { url, request, requestId }: Visit, thrown: unknown): DoorwardError {
  const error = isDoorwardError(thrown) ? thrown : new ServerError('internal', String(thrown), { cause: thrown });
  const fields = { method: request.method, path: url.pathname, code: error.code, detail: error.detail, requestId };
  // An overload passes for the visitor, and is the operator's to know.
  if (error.status < 500) app.log(error.code === 'too_busy' ? 'warn' : 'info', 'refused', fields);
  else
    app.log(
      'error',
      'failed',
      thrown instanceof Error && error.code === 'internal' ? { ...fields, stack: thrown.stack } : fields,
    );
  return error;
}
