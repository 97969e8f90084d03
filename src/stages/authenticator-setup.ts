/**
 * What the stages that set an authenticator up have in common: for whom, after which proof, and what is written. An
 * authenticator is a way in, so nobody adds one to an account that they did not prove to be theirs (CVE-2026-37982).
 */
import { eventActor } from '../engine/acting.ts';
import type { AuthenticatorKind, NewAuthenticator } from '../engine/authenticator.ts';
import type { Effect } from '../engine/effects.ts';
import { factorsOf, namedAuthenticator } from '../engine/factors.ts';
import { isFreshProof, provePath } from '../engine/fresh-proof.ts';
import { notice } from '../engine/mail.ts';
import type { PlanContext } from '../engine/plan-context.ts';
import { flowPath } from '../engine/run-writes.ts';
import type { Desk, Outcome } from '../engine/stage.ts';
import type { User } from '../engine/user.ts';
import { newUuid } from '../kernel/ids.ts';
import { isLocale, localize } from '../protocol/localize.ts';
import { type Text, text } from '../protocol/text.ts';

/** So many authenticators a user may have. */
const most = 50;

/** Plan context: uuids of the authenticators that this run set up. */
const setUpKey = 'doorward/set_up';

/** The user that an authenticator may be set up for now, or what becomes of the run instead. */
export async function whoSetsUp(desk: Desk): Promise<{ readonly user: User } | { readonly outcome: Outcome }> {
  const { context, visitor, read, tools } = desk;
  const pending = context.pending_user;
  const id = pending === undefined ? visitor.user?.id : 'ref' in pending ? pending.ref : null;
  // TO-1: nobody is there. A stand-in goes no further.
  if (id === undefined) return { outcome: { kind: 'pass' } };
  const user = id === null ? null : await read.user(id);
  if (user === null) return { outcome: { kind: 'deny', message: null } };
  if (visitor.impersonator !== null) return { outcome: deny('authenticator.acting') };
  const known = await read.authenticatorsOf(user.id);
  if (known.length >= most) return { outcome: deny('authenticator.too_many') };
  const older = known.filter(({ uuid }) => !setUp(context).includes(uuid));
  if (wasMadeHere(context, user)) return { user };
  if (pending !== undefined && context.auth_method !== undefined)
    if (older.length === 0 || factorsOf(context).length > 0) return { user };
  if (visitor.user?.id !== user.id || visitor.session === null) return { outcome: deny('authenticator.not_proven') };
  if (isFreshProof(visitor.session, older, tools.now())) return { user };
  const back = flowPath(desk.flow.slug, desk.query);
  return { outcome: { kind: 'finish', to: `${provePath}?next=${encodeURIComponent(back)}` } };
}

/** @param name what it is called until its owner gives it a name */
export function newAuthenticator(
  { visitor, tools }: Desk,
  user: User,
  kind: AuthenticatorKind,
  name: Text,
): NewAuthenticator {
  return {
    ...{ uuid: newUuid(), userId: user.id, kind, createdAt: tools.now(), lastUsedAt: null, credential: null },
    name: localize(name, isLocale(visitor.locale) ? visitor.locale : 'en'),
    ...{ secret: null, data: {}, counter: 0, codes: [] },
  };
}

/** To be kept, with its event; the owner of an account that was there before is told by mail. */
export function added(desk: Desk, user: User, authenticator: NewAuthenticator): readonly Effect[] {
  const { context, visitor, tools } = desk;
  return [
    { kind: 'authenticator.add', authenticator },
    changeEvent(desk, user, 'authenticator_added', authenticator),
    ...(wasMadeHere(context, user) ? [] : notice('authenticator_added', { user, visitor, at: tools.now() })),
  ];
}

/** What the rest of the run knows of it. */
export function contextAfter({ context }: Desk, { uuid }: NewAuthenticator): Readonly<Record<string, unknown>> {
  return { [setUpKey]: [...setUp(context), uuid] };
}

export function changeEvent(
  { visitor, flow, tools }: Desk,
  user: User,
  action: 'authenticator_added' | 'authenticator_removed',
  authenticator: Parameters<typeof namedAuthenticator>[0],
): Effect {
  return {
    kind: 'event',
    event: {
      ...{ action, ...eventActor(visitor, user), context: { authenticator: namedAuthenticator(authenticator) } },
      ...{ address: visitor.address, requestId: visitor.requestId, flow: flow.slug, at: tools.now() },
    },
  };
}

function deny(key: 'authenticator.acting' | 'authenticator.too_many' | 'authenticator.not_proven'): Outcome {
  return { kind: 'deny', message: text(key) };
}

function wasMadeHere(context: PlanContext, { id }: User): boolean {
  return Object.values(context['doorward/made'] ?? {}).includes(id);
}

function setUp(context: PlanContext): readonly unknown[] {
  const uuids = context[setUpKey];
  return Array.isArray(uuids) ? uuids : [];
}
