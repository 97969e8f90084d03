/** Forms of pages outside of flows, and the banner while an administrator acts as a user. */
import type { App } from '../app/app.ts';
import { mintStepToken } from '../engine/step-token.ts';
import { hashToken } from '../kernel/ids.ts';
import type { Acting } from '../pages/page-data.ts';
import type { Site, Visit } from './exchange.ts';

/** A token for a page's own forms, bound to the session like a step. */
export function formToken(app: Pick<App, 'keyring' | 'now'>, token: string): string {
  return mintStepToken(app.keyring, { run: 'account', seq: 0, session: hashToken(token), mintedAt: app.now() });
}

/** @param username of the user whom an administrator acts as here; null for everybody else */
export function actingAs({ app }: Site, { browser }: Visit, username: string | null): Acting | null {
  return username === null || browser === null ? null : { username, csrf: formToken(app, browser.token) };
}

/** For pages that know nothing of the visitor; a store that is away is no reason to fail once more. */
export async function actingHere(site: Site, visit: Visit): Promise<Acting | null> {
  if (visit.browser?.kind !== 'signed-in') return null;
  const signedIn = await site.app.session(visit.browser.token, visit).catch(() => null);
  return actingAs(site, visit, signedIn?.impersonator == null ? null : signedIn.user.username);
}
