import type { Effect } from '../engine/effects.ts';
import { flag, list, type Sql, sql } from './sql.ts';
import { type Compilers, must, one } from './statement.ts';

/** Two of these in one commit are carried out one after the other: they may mean the same row. */
const anySession = ['session'];

/** Sessions, and the open runs that go with them. */
export const sessionStatements: Compilers<Extract<Effect['kind'], `session.${string}`> | 'run.drop'> = {
  'session.begin': ({ kind, session }) => [
    one(
      kind,
      [],
      sql`INSERT INTO doorward_session (token_hash, uuid, user_id, impersonator_id, created_at, last_used_at, expires_at,
          idle_timeout, persistent, address, agent, auth_method, returns_to, factors, bound_to)
        VALUES (${session.tokenHash}, ${session.uuid}, ${session.userId}, ${session.impersonatorId}, ${session.createdAt},
          ${session.lastUsedAt}, ${session.expiresAt}, ${session.idleTimeout}, ${flag(session.persistent)},
          ${session.address}, ${session.agent}, ${session.authMethod}, ${session.returnsTo},
          ${JSON.stringify(session.factors)}, ${session.boundTo === null ? null : JSON.stringify(session.boundTo)})`,
    ),
  ],
  'session.renew': ({ kind, from, to }) => [
    must(
      { reason: 'used', effect: kind },
      anySession,
      sql`UPDATE doorward_session SET token_hash = ${to} WHERE token_hash = ${from}`,
    ),
  ],
  'session.touch': ({ kind, tokenHash, at, address }) => [
    one(
      kind,
      anySession,
      sql`UPDATE doorward_session SET last_used_at = ${at}, address = ${address} WHERE token_hash = ${tokenHash}`,
    ),
  ],
  'session.end': ({ kind, tokenHash, once }, { ownRuns }) => {
    const end = sql`DELETE FROM doorward_session WHERE token_hash = ${tokenHash}`;
    return [
      one(kind, [], endRuns(sql`session = ${tokenHash}`, ownRuns)),
      once ? must({ reason: 'used', effect: kind }, anySession, end) : one(kind, anySession, end),
    ];
  },
  'session.end_all': ({ kind, userId, except }, { ownRuns, renewed }) => {
    // An impersonator's session as this user is the administrator's own (W36, W37).
    const kept = (except === null ? undefined : renewed.get(except)) ?? except ?? '';
    const ending = sql`user_id = ${userId} AND impersonator_id IS NULL AND token_hash <> ${kept}`;
    return [
      one(kind, [], endRuns(sql`session IN (SELECT token_hash FROM doorward_session WHERE ${ending})`, ownRuns)),
      one(kind, anySession, sql`DELETE FROM doorward_session WHERE ${ending}`),
    ];
  },
  'run.drop': ({ kind, session }, { ownRuns }) => [one(kind, [], endRuns(sql`session = ${session}`, ownRuns))],
};

/** Open runs, those aside that the commit writes itself. */
export function endRuns(which: Sql, ownRuns: readonly string[]): Sql {
  const others = ownRuns.length === 0 ? sql`1 = 1` : sql`id NOT IN (${list(ownRuns)})`;
  return sql`DELETE FROM doorward_run WHERE ${which} AND ended IS NULL AND ${others}`;
}
