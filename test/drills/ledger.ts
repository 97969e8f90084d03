import Database from 'libsql';
import pg from 'pg';
import type { DatabaseOption } from '../../src/app/options.ts';

/** Asks a database what is in it, past Doorward: one statement, so that it sees one moment. */
export async function ask(
  database: DatabaseOption,
  text: string,
  params: readonly string[] = [],
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  if ('postgres' in database) {
    const client = new pg.Client({ connectionString: database.postgres });
    await client.connect();
    try {
      return (await client.query(text, [...params])).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  }
  // Opened anew each time: a connection that stays would spare a server that starts its recovery.
  const file = new Database(database.sqlite, { timeout: 60_000 });
  try {
    return file.prepare(text.replace(/\$\d+(?:::\w+)?/g, '?')).all([...params]) as Record<string, unknown>[];
  } finally {
    file.close();
  }
}

/** What must hold at any moment in a database whose users all signed up; each count but `users` must be 0. */
const rules = `
SELECT (SELECT count(*) FROM doorward_user) AS users,
  (SELECT count(*) FROM doorward_user u LEFT JOIN
    (SELECT user_id, count(*) AS n FROM doorward_event WHERE action = 'user_write' GROUP BY user_id) e
    ON e.user_id = u.id WHERE e.n IS NULL) AS users_without_event,
  (SELECT count(*) FROM (SELECT user_id FROM doorward_event WHERE action = 'user_write'
    GROUP BY user_id HAVING count(*) > 1) twice) AS users_with_two_events,
  (SELECT count(*) FROM doorward_event e LEFT JOIN doorward_user u ON u.id = e.user_id WHERE u.id IS NULL)
    AS events_without_user,
  (SELECT count(*) FROM doorward_user u LEFT JOIN doorward_membership m ON m.user_id = u.id WHERE m.user_id IS NULL)
    AS users_without_group,
  (SELECT count(*) FROM doorward_user u LEFT JOIN
    (SELECT user_id, count(*) AS n FROM doorward_outbox GROUP BY user_id) o ON o.user_id = u.id WHERE o.n IS NULL)
    AS users_without_message,
  (SELECT count(*) FROM (SELECT user_id FROM doorward_outbox GROUP BY user_id HAVING count(*) > 1) twice)
    AS users_with_two_messages,
  (SELECT count(*) FROM doorward_outbox o LEFT JOIN doorward_user u ON u.id = o.user_id WHERE u.id IS NULL)
    AS messages_without_user,
  (SELECT count(*) FROM doorward_user u LEFT JOIN doorward_credential c ON c.user_id = u.id WHERE c.user_id IS NULL)
    AS users_without_password`;

/** What a look into the books found. */
export interface Books {
  readonly users: number;
  /** What does not hold, in words; empty when all is well. */
  readonly findings: readonly string[];
}

/** Looks whether whatever was written was written whole, and whether all `acknowledged` usernames are there. */
export async function inspect(database: DatabaseOption, acknowledged: readonly string[]): Promise<Books> {
  const [row = {}] = await ask(database, rules);
  const { users, ...counts } = row;
  const wrong = Object.entries(counts).filter(([, count]) => Number(count) !== 0);
  const missing = await missingOf(database, acknowledged);
  return {
    users: Number(users),
    findings: [
      ...wrong.map(([rule, count]) => `${rule}: ${Number(count)}`),
      ...(missing.length === 0
        ? []
        : [`acknowledged_users_missing: ${missing.length} (${missing.slice(0, 3).join()})`]),
    ],
  };
}

/** Those of the usernames that nobody has. */
async function missingOf(database: DatabaseOption, usernames: readonly string[]): Promise<readonly string[]> {
  if (usernames.length === 0) return [];
  const listed = 'postgres' in database ? 'jsonb_array_elements_text($1::jsonb) AS value' : 'json_each($1)';
  const rows = await ask(
    database,
    `SELECT value FROM ${listed} WHERE value NOT IN (SELECT username FROM doorward_user)`,
    [JSON.stringify(usernames)],
  );
  return rows.map(({ value }) => String(value));
}
