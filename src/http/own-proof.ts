/** What only users themselves change, and only when they have lately proved who they are. */
import { isFreshProof, provePath } from '../engine/fresh-proof.ts';
import { DoorwardError } from '../kernel/errors.ts';
import type { Caller } from './account-routes.ts';
import { redirectAnswer } from './answers.ts';
import type { Site } from './exchange.ts';

/** @throws DoorwardError `forbidden` while an administrator acts as the user, and to a program's token: it may be what was stolen */
export async function isProven({ app }: Site, { user, session, impersonator }: Caller): Promise<boolean> {
  if (session === null || impersonator !== null)
    throw new DoorwardError('forbidden', 'only the users themselves change how they sign in, in a browser');
  return isFreshProof(session, await app.store.read.authenticatorsOf(user.id), app.now());
}

/** The same where nobody can be sent elsewhere. @throws DoorwardError `forbidden`, `proof_required` */
export async function checkProven(site: Site, caller: Caller): Promise<void> {
  if (!(await isProven(site, caller)))
    throw new DoorwardError('proof_required', 'a change of how one signs in takes a fresh sign-in');
}

/** To where it is proved, and back to the account page. */
export function toProof(): Response {
  return redirectAnswer(`${provePath}?next=${encodeURIComponent('/if/user/')}`);
}
