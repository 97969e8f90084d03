import { sql } from './sql.ts';

/** Anybody, active or not, in a superuser group or a descendant of one: a locked administrator does not reopen the setup. */
export const administrators = sql`
  WITH RECURSIVE below (pk, depth) AS (
    SELECT pk, 0 FROM doorward_group WHERE is_superuser = 1
    UNION SELECT child.pk, below.depth + 1 FROM below JOIN doorward_group child ON child.parent = below.pk WHERE below.depth < 20
  )
  SELECT member.user_id FROM below JOIN doorward_membership member ON member.group_pk = below.pk`;

export const noAdministrator = sql`NOT EXISTS (${administrators})`;
