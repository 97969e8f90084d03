import type { Effect, Refusal } from '../engine/effects.ts';
import { DoorwardError } from '../kernel/errors.ts';
import type { Statement } from './driver.ts';
import { sql } from './sql.ts';

/** Anybody, active or not, in a superuser group or a descendant of one: a locked administrator does not reopen the setup. */
export const administrators = sql`
  WITH RECURSIVE below (pk, depth) AS (
    SELECT pk, 0 FROM doorward_group WHERE is_superuser = 1
    UNION SELECT child.pk, below.depth + 1 FROM below JOIN doorward_group child ON child.parent = below.pk WHERE below.depth < 20
  )
  SELECT member.user_id FROM below JOIN doorward_membership member ON member.group_pk = below.pk`;

export const noAdministrator = sql`NOT EXISTS (${administrators})`;

const somebodyActs = sql`EXISTS (SELECT 1 FROM doorward_user WHERE is_active = 1 AND id IN (${administrators}))`;

/** Whether an effect can take away an administrator who is active. */
function mayTakeAway(effect: Effect): boolean {
  if (effect.kind === 'user.update') return effect.set.isActive === false;
  if (effect.kind === 'group.update') return effect.set.isSuperuser === false || effect.set.parent !== undefined;
  return ['user.delete', 'group.delete', 'group.leave'].includes(effect.kind);
}

/**
 * A commit that leaves nobody who may administer is refused, whatever its effects were (decision 19): `first` and `last`
 * stand around its other statements. They share a row, which each such commit locks before it looks, so that two
 * administrators who delete each other at once do not both find the other one still there.
 */
export function keepsAnAdministrator(effects: readonly Effect[]): {
  readonly first: readonly Statement[];
  readonly last: readonly Statement[];
} {
  const taking = effects.find(mayTakeAway);
  if (taking === undefined) return { first: [], last: [] };
  const otherwise: Refusal = { reason: 'last_administrator', effect: taking.kind };
  const statement = { effect: taking.kind, touches: ['administrators'], expect: 1, otherwise };
  const own = sql`key = 'administrators'`;
  return {
    first: [
      {
        ...statement,
        sql: sql`INSERT INTO doorward_install (key, value) VALUES ('administrators', '')
          ON CONFLICT (key) DO UPDATE SET value = ''`,
      },
      {
        ...statement,
        sql: sql`UPDATE doorward_install SET value = CASE WHEN ${somebodyActs} THEN 'some' ELSE 'none' END WHERE ${own}`,
      },
    ],
    last: [
      {
        ...statement,
        sql: sql`UPDATE doorward_install SET value = '' WHERE ${own} AND (value = 'none' OR ${somebodyActs})`,
      },
    ],
  };
}

/** What a refusal with that reason means outside of a flow. */
export function wouldLeaveNobody(): DoorwardError {
  return new DoorwardError(
    'last_administrator',
    'nobody active would be left who may administer: make somebody else an administrator first, such as by doorward user create NAME --admin',
  );
}
