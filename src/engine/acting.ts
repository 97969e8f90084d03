/** An administrator who acts as a user: whom events name, and what ends with whose session. */
import type { JsonObject } from '../kernel/json.ts';
import type { Effect, NewEvent } from './effects.ts';
import type { Loaded, Reads, Tools } from './ports.ts';
import type { User } from './user.ts';
import type { Visitor } from './visitor.ts';

/**
 * Who a session stands for at this moment. A deactivated user is nobody: the flag is checked at every step
 * (CVE-2025-53942); and nobody acts as another without being an administrator still.
 */
export async function signedInNow(
  signedIn: Loaded['signedIn'],
  read: Pick<Reads, 'groupsOf'>,
): Promise<Loaded['signedIn']> {
  if (signedIn === null || !signedIn.user.isActive) return null;
  if (signedIn.session.impersonatorId === null) return signedIn;
  const { impersonator } = signedIn;
  if (impersonator === null || !impersonator.isActive) return null;
  return (await read.groupsOf(impersonator.id)).some((group) => group.isSuperuser) ? signedIn : null;
}

/**
 * Whom an event names (W37, UW-53): the user; but while an administrator acts as somebody, the administrator, and on
 * whose behalf.
 *
 * @param user the one whom the event is about, null for nobody
 */
export function eventActor(
  { user: visitor, impersonator }: Pick<Visitor, 'user' | 'impersonator'>,
  user: User | null,
): Pick<NewEvent, 'user' | 'onBehalfOf'> {
  if (impersonator === null) return { user: user === null ? null : identityOf(user) };
  const actedAs = visitor ?? user;
  return { user: identityOf(impersonator), ...(actedAs === null ? {} : { onBehalfOf: identityOf(actedAs) }) };
}

/** How the event `impersonation_started` or `impersonation_ended` is made. */
export interface ActingEvent {
  readonly action: 'impersonation_started' | 'impersonation_ended';
  readonly impersonator: User;
  readonly user: User;
  readonly context: JsonObject;
  readonly address: string;
  readonly requestId: string;
  readonly flow: string | null;
  readonly at: number;
}

/** The event of an impersonation's start or end; it names both. */
export function actingEvent({ impersonator, user, ...event }: ActingEvent): Effect {
  return { kind: 'event', event: { ...event, ...eventActor({ user, impersonator }, user) } };
}

/** Whose session ends, and where; a stage's desk says all of it. */
interface Leaving {
  readonly visitor: Pick<Visitor, 'session' | 'user' | 'impersonator' | 'address' | 'requestId'>;
  readonly sessionHash: string;
  readonly flow: { readonly slug: string } | null;
  readonly tools: Pick<Tools, 'now'>;
  /** Refused with `used` when the session has ended already. */
  readonly once?: true;
}

/**
 * Ends the browser's session. Where an administrator acts as the user, theirs ends too: who signs out, or signs in as
 * somebody else, leaves nobody signed in behind them.
 */
export function endSessions({ visitor, sessionHash, flow, tools, once }: Leaving): readonly Effect[] {
  const { session, user, impersonator, address, requestId } = visitor;
  if (session === null) return [];
  const own: Effect = { kind: 'session.end', tokenHash: sessionHash, ...(once ? { once } : {}) };
  if (session.returnsTo === null || user === null || impersonator === null) return [own];
  const context = { signed_out: true };
  const event = { action: 'impersonation_ended', impersonator, user, context, address, requestId } as const;
  return [
    own,
    { kind: 'session.end', tokenHash: session.returnsTo },
    actingEvent({ ...event, flow: flow?.slug ?? null, at: tools.now() }),
  ];
}

function identityOf({ id, username }: User): { readonly pk: number; readonly username: string } {
  return { pk: id, username };
}
