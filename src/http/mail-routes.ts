/**
 * The mailbox of a server on one's own machine: mail that no mail server took. It holds links that sign people in, so
 * it opens to whoever holds the terminal's one-time secret or is an administrator, here alone: not where mail leaves,
 * not at a public address, and not through a proxy.
 */
import { DoorwardError } from '../kernel/errors.ts';
import { mailboxPage, mailPage } from '../pages/mail-page.tsx';
import { htmlAnswer, redirectAnswer } from './answers.ts';
import { administratorOf } from './caller.ts';
import type { Site, Visit } from './exchange.ts';
import { isCautious } from './guards.ts';
import { languageOf } from './language.ts';

const path = '/if/mail/';
const cookie = 'doorward_mailbox';
const forwarding = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via'];

/** `GET /if/mail/`, and once with `?secret=…`. */
export async function mailbox(site: Site, visit: Visit): Promise<Response> {
  const key = keyOf(site, visit);
  const secret = visit.url.searchParams.get('secret');
  if (secret !== null && !isCautious(visit.request)) {
    const claimed = key.claim(secret);
    const set =
      claimed === null
        ? {}
        : { 'set-cookie': `${cookie}=${claimed}; Path=${site.app.basePath}${path}; HttpOnly; SameSite=Strict` };
    if (claimed !== null) return redirectAnswer(path, 303, set);
  }
  await checkReader(site, visit);
  return htmlAnswer(mailboxPage(settingOf(site, visit), await site.app.mailbox.list()));
}

/** `GET /if/mail/<id>/` */
export async function mail(site: Site, visit: Visit): Promise<Response> {
  await checkReader(site, visit);
  return htmlAnswer(mailPage(settingOf(site, visit), await site.app.mailbox.show(visit.params.id ?? '')));
}

function settingOf({ brand }: Site, visit: Visit) {
  return { brand, locale: languageOf(visit) };
}

/** @throws DoorwardError `not_found` where there is no such page */
function keyOf({ app }: Site, { request }: Visit) {
  if (app.mailboxKey === null || forwarding.some((name) => request.headers.has(name)))
    throw new DoorwardError('not_found', 'the mailbox is for a server on one’s own machine that has no mail server');
  return app.mailboxKey;
}

/** @throws DoorwardError `not_found`, `forbidden` */
async function checkReader(site: Site, visit: Visit): Promise<void> {
  const key = keyOf(site, visit);
  const given = (visit.request.headers.get('cookie') ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${cookie}=`));
  if (given !== undefined && key.fits(given.slice(cookie.length + 1))) return;
  await administratorOf(site, visit);
}
