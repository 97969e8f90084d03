import type { Effect } from '../engine/effects.ts';
import { noAdministrator } from './administrators.ts';
import { flag, sql } from './sql.ts';
import { type Compilers, must, one } from './statement.ts';

/** What is known by a hash alone and lets somebody in: tokens, keys of runs, the setup's secret. */
export const tokenStatements: Compilers<
  Extract<Effect['kind'], `token.${string}` | `run_key.${string}`> | 'setup.claim'
> = {
  'setup.claim': ({ kind, secretHash }) => [
    must(
      { reason: 'used', effect: kind },
      ['setup'],
      sql`DELETE FROM doorward_setup WHERE secret_hash = ${secretHash} AND ${noAdministrator}`,
    ),
  ],
  'token.create': ({ kind, token }) => [
    one(
      kind,
      [`token:${token.hash}`],
      sql`INSERT INTO doorward_token (hash, uuid, purpose, flow, user_id, created_at, expires_at, description)
        VALUES (${token.hash}, ${token.uuid}, ${token.purpose}, ${token.flow}, ${token.userId}, ${token.createdAt},
          ${token.expiresAt}, ${token.description})
        ON CONFLICT (user_id, purpose) WHERE flow IS NOT NULL DO UPDATE SET hash = excluded.hash, uuid = excluded.uuid,
          flow = excluded.flow, created_at = excluded.created_at, expires_at = excluded.expires_at,
          description = excluded.description`,
    ),
  ],
  'token.claim': ({ kind, hash, at }) => [
    must(
      { reason: 'used', effect: kind },
      [`token:${hash}`],
      sql`DELETE FROM doorward_token WHERE hash = ${hash} AND expires_at > ${at}`,
    ),
  ],
  'token.revoke': ({ kind, uuid }) => [
    must({ reason: 'missing', effect: kind }, [`token:${uuid}`], sql`DELETE FROM doorward_token WHERE uuid = ${uuid}`),
  ],
  'run_key.make': ({ kind, key }) => [
    one(kind, [], sql`DELETE FROM doorward_run_key WHERE run = ${key.run} AND binding = ${key.binding}`),
    one(
      kind,
      [`run_key:${key.hash}`],
      sql`INSERT INTO doorward_run_key (hash, code_hash, purpose, flow, version, run, binding, user_id, address, asked,
          takes_over, expires_at)
        VALUES (${key.hash}, ${key.codeHash}, ${key.purpose}, ${key.flow}, ${key.version}, ${key.run}, ${key.binding},
          ${key.userId}, ${key.address}, ${JSON.stringify(key.asked)}, ${flag(key.takesOver)}, ${key.expiresAt})`,
    ),
  ],
  'run_key.use': ({ kind, hash, at }) => [
    must(
      { reason: 'used', effect: kind },
      [`run_key:${hash}`],
      sql`DELETE FROM doorward_run_key WHERE hash = ${hash} AND expires_at > ${at}`,
    ),
  ],
};
