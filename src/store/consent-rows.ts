import { type Consent, type ConsentReceiver, receiverKey } from '../engine/consent.ts';
import type { Effect } from '../engine/effects.ts';
import type { Reads } from '../engine/ports.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Permission } from '../protocol/challenge.ts';
import type { Driver } from './driver.ts';
import { int, intOrNull, text } from './rows.ts';
import { every, type Row, type Sql, sql } from './sql.ts';
import { type Compilers, must, one } from './statement.ts';

/** Which consents to list; those that have expired are none. */
export interface ConsentFilter {
  readonly userId?: number;
  readonly uuid?: string;
  readonly givenTo?: ConsentReceiver;
  /** From 1. */
  readonly page?: number;
  /** 100 by default. */
  readonly pageSize?: number;
}

const columns = sql`c.uuid, c.user_id, c.given_to, c.name, c.wording, c.permissions, c.given_at, c.expires_at`;

/** What stages may ask of them. */
export function consentReads(driver: Driver, clock: Clock): Pick<Reads, 'consent'> {
  return {
    consent: async (userId, givenTo) => (await listConsents(driver, clock.now(), { userId, givenTo }))[0] ?? null,
  };
}

/** The newest first. */
export async function listConsents(driver: Driver, now: number, filter: ConsentFilter): Promise<readonly Consent[]> {
  const { page = 1, pageSize = 100 } = filter;
  const rows = await driver.read(sql`
    SELECT ${columns} FROM doorward_consent c WHERE ${conditions(now, filter)}
    ORDER BY c.given_at DESC, c.name, c.uuid LIMIT ${pageSize} OFFSET ${(page - 1) * pageSize}`);
  return rows.map(consentFrom);
}

export async function countConsents(driver: Driver, now: number, filter: ConsentFilter): Promise<number> {
  const [row] = await driver.read(sql`SELECT count(*) FROM doorward_consent c WHERE ${conditions(now, filter)}`);
  return int(row ?? [0], 0);
}

function conditions(now: number, { userId, uuid, givenTo }: ConsentFilter): Sql {
  return every([
    sql`(c.expires_at IS NULL OR c.expires_at > ${now})`,
    ...(userId === undefined ? [] : [sql`c.user_id = ${userId}`]),
    ...(uuid === undefined ? [] : [sql`c.uuid = ${uuid}`]),
    ...(givenTo === undefined ? [] : [sql`c.given_to = ${receiverKey(givenTo)}`]),
  ]);
}

function consentFrom(row: Row): Consent {
  return {
    ...{ uuid: text(row, 0), userId: int(row, 1), givenTo: JSON.parse(text(row, 2)) as ConsentReceiver },
    ...{ name: text(row, 3), wording: text(row, 4), permissions: JSON.parse(text(row, 5)) as readonly Permission[] },
    ...{ givenAt: int(row, 6), expiresAt: intOrNull(row, 7) },
  };
}

/** What users agreed to. */
export const consentStatements: Compilers<Extract<Effect['kind'], `consent.${string}`>> = {
  'consent.give': ({ kind, consent }) => {
    const { uuid, userId, name, wording, permissions, givenAt, expiresAt } = consent;
    const givenTo = receiverKey(consent.givenTo);
    return [
      one(
        kind,
        [`consent:${userId}:${givenTo}`],
        sql`INSERT INTO doorward_consent (uuid, user_id, given_to, name, wording, permissions, given_at, expires_at)
          VALUES (${uuid}, ${userId}, ${givenTo}, ${name}, ${wording}, ${JSON.stringify(permissions)}, ${givenAt},
            ${expiresAt})
          ON CONFLICT (user_id, given_to) DO UPDATE SET uuid = excluded.uuid, name = excluded.name,
            wording = excluded.wording, permissions = excluded.permissions, given_at = excluded.given_at,
            expires_at = excluded.expires_at`,
      ),
    ];
  },
  'consent.withdraw': ({ kind, uuid, userId }) => [
    must(
      { reason: 'missing', effect: kind },
      [`consent:${uuid}`],
      sql`DELETE FROM doorward_consent WHERE uuid = ${uuid} AND user_id = ${userId}`,
    ),
  ],
};
