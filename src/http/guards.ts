/** Who may change something here: the checks against foreign sites (CONTRACT: Trust). */
import { readStepToken } from '../engine/step-token.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { hashToken } from '../kernel/ids.ts';
import type { Keyring } from '../kernel/secrets.ts';
import { isStorable } from '../kernel/text.ts';
import type { ReadBody } from './body.ts';

export interface OriginSetting {
  readonly origins: readonly string[];
  readonly keyring: Keyring;
}

/**
 * Origin must be ours; without one, Sec-Fetch-Site must say same-origin; without both, only JSON counts (a form of
 * another site cannot send it) or a form with a step token of this very session.
 *
 * @param sessionToken the browser's token, null for one without a cookie
 * @throws DoorwardError `foreign_origin`
 */
export function checkOrigin(
  setting: OriginSetting,
  request: Request,
  body: ReadBody,
  sessionToken: string | null,
): void {
  const origin = request.headers.get('origin');
  const site = request.headers.get('sec-fetch-site');
  // Browsers hide the origin (null) of a form on a page with no-referrer, and still say that it is the same site.
  if (origin !== null && origin !== 'null') {
    if (setting.origins.includes(origin)) return;
    throw new DoorwardError(
      'foreign_origin',
      `the origin ${origin.slice(0, 200)} is not one of ${setting.origins.join(', ')}`,
    );
  }
  if (site !== null) {
    if (site === 'same-origin') return;
    throw new DoorwardError('foreign_origin', `Sec-Fetch-Site is ${site.slice(0, 50)}`);
  }
  if (origin !== null) throw new DoorwardError('foreign_origin', 'the origin is hidden');
  if (body.kind === 'json') return;
  const token = body.stepToken === null ? null : readStepToken(setting.keyring, body.stepToken);
  if (token !== null && sessionToken !== null && token.session === hashToken(sessionToken)) return;
  throw new DoorwardError('foreign_origin', 'a form without Origin, Sec-Fetch-Site and a step token of this session');
}

/** A navigation from another site, or a prefetch: it may change its own run and nothing else. */
export function isCautious(request: Request): boolean {
  const header = (name: string): string => request.headers.get(name)?.toLowerCase() ?? '';
  if (request.method === 'HEAD') return true;
  if (header('sec-purpose').includes('prefetch') || header('purpose') === 'prefetch') return true;
  return ['cross-site', 'same-site'].includes(header('sec-fetch-site'));
}

/**
 * A query string as a map; the first of several values counts.
 *
 * @throws DoorwardError `invalid_request` for broken escapes and texts that cannot be stored
 */
export function readQuery(search: string): Readonly<Record<string, string>> {
  const query: Record<string, string> = Object.create(null) as Record<string, string>;
  if (search === '') return query;
  if (search.length > 8_192) throw new DoorwardError('invalid_request', 'the query is longer than 8192 characters');
  try {
    decodeURIComponent(search.replaceAll('+', ' '));
  } catch {
    throw new DoorwardError('invalid_request', 'the query has a broken escape');
  }
  for (const [name, value] of new URLSearchParams(search)) {
    if (!isStorable(name) || !isStorable(value))
      throw new DoorwardError('invalid_request', 'the query holds NUL or a broken character');
    query[name] ??= value;
  }
  return query;
}
