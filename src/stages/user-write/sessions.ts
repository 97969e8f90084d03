/** What a password written to an existing user does to their sessions (W36–W38). */
import type { Effect } from '../../engine/effects.ts';
import type { Desk, SessionChange } from '../../engine/stage.ts';
import { hashToken, newToken } from '../../kernel/ids.ts';

export interface SessionsAfter {
  readonly effects: readonly Effect[];
  /** The visitor's own session goes on under a new id. */
  readonly renewed: boolean;
  readonly ended: number;
  readonly change: SessionChange | null;
}

export const sessionsUntouched: SessionsAfter = { effects: [], renewed: false, ended: 0, change: null };

/**
 * Ends the user's sessions, but renews the visitor's own where the visitor is that user. A session in which an
 * administrator acts as the user is the administrator's, and stays.
 */
export async function sessionsAfterPassword(desk: Desk, userId: number): Promise<SessionsAfter> {
  const { visitor, read } = desk;
  const renewed = visitor.user?.id === userId && visitor.impersonator === null;
  const own = renewed ? (visitor.session?.tokenHash ?? null) : null;
  const sessions = await read.sessionsOf(userId);
  const ended = sessions.filter(({ tokenHash, impersonatorId }) => impersonatorId === null && tokenHash !== own).length;
  const endAll: Effect = { kind: 'session.end_all', userId, except: own };
  if (own === null) return { effects: [endAll], renewed, ended, change: null };
  const token = newToken();
  const renew: Effect = { kind: 'session.renew', from: own, to: hashToken(token) };
  return { effects: [endAll, renew], renewed, ended, change: { kind: 'renew', token } };
}
