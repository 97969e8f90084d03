import type { Effect } from '../engine/effects.ts';
import { flag, sql } from './sql.ts';
import { type Compilers, must, one } from './statement.ts';

/** Groups and who is in them. */
export const groupStatements: Compilers<Extract<Effect['kind'], `group.${string}`>> = {
  'group.create': ({ kind, group }) => [
    one(
      kind,
      [`group:${group.pk}`],
      sql`INSERT INTO doorward_group (pk, name, is_superuser, parent, attributes)
        VALUES (${group.pk}, ${group.name}, ${flag(group.isSuperuser)}, ${group.parent}, ${JSON.stringify(group.attributes)})`,
    ),
  ],
  'group.update': ({ kind, pk, set }) => [
    must(
      { reason: 'missing', effect: kind },
      [`group:${pk}`],
      sql`UPDATE doorward_group SET
          name = coalesce(${set.name ?? null}, name),
          is_superuser = coalesce(${set.isSuperuser === undefined ? null : flag(set.isSuperuser)}, is_superuser),
          parent = CASE WHEN ${flag(set.parent === undefined)} = 1 THEN parent ELSE ${set.parent ?? null} END,
          attributes = coalesce(${set.attributes === undefined ? null : JSON.stringify(set.attributes)}, attributes)
        WHERE pk = ${pk}`,
    ),
  ],
  'group.delete': ({ kind, pk }) => [
    must({ reason: 'missing', effect: kind }, [`group:${pk}`], sql`DELETE FROM doorward_group WHERE pk = ${pk}`),
  ],
  'group.join': ({ kind, group, userId }) => [
    one(
      kind,
      [`membership:${userId}:${group}`],
      sql`INSERT INTO doorward_membership (user_id, group_pk) VALUES (${userId}, ${group}) ON CONFLICT DO NOTHING`,
    ),
  ],
  'group.leave': ({ kind, group, userId }) => [
    one(
      kind,
      [`membership:${userId}:${group}`],
      sql`DELETE FROM doorward_membership WHERE user_id = ${userId} AND group_pk = ${group}`,
    ),
  ],
};
