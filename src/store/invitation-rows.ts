import type { Effect } from '../engine/effects.ts';
import type { Invitation } from '../engine/invitation.ts';
import type { Driver, Statement } from './driver.ts';
import { int, intOrNull, json, text, textOrNull } from './rows.ts';
import { every, flag, type Row, type Sql, sql } from './sql.ts';

type Of<Kind extends Effect['kind']> = Extract<Effect, { readonly kind: Kind }>;

/** Which invitations to list. */
export interface InvitationFilter {
  /** In the name, whatever the case. */
  readonly search?: string;
  readonly name?: string;
  /** Slug of the flow that they are tied to. */
  readonly flow?: string;
  /** 100 by default. */
  readonly limit?: number;
  readonly offset?: number;
}

/** An invitation with the username of who made it. */
export interface ListedInvitation extends Invitation {
  readonly creator: string | null;
}

/** Of the table as `i`. */
const columns = sql`i.uuid, i.name, i.flow, i.fixed_data, i.single_use, i.created_by, i.created_at, i.expires_at, i.uses`;
const creatorAt = 9;

/** By the hash of its secret, expired or not. */
export async function invitationByHash(driver: Driver, hash: string): Promise<Invitation | null> {
  const [row] = await driver.read(sql`SELECT ${columns} FROM doorward_invitation i WHERE i.hash = ${hash}`);
  return row === undefined ? null : invitationFrom(row);
}

/** Those that expire last come first. */
export async function listInvitations(driver: Driver, filter: InvitationFilter): Promise<readonly ListedInvitation[]> {
  const { limit = 100, offset = 0 } = filter;
  return listed(driver, sql`${where(filter)} ORDER BY i.expires_at DESC, i.uuid LIMIT ${limit} OFFSET ${offset}`);
}

/** How many there are, whatever the limit. */
export async function countInvitations(driver: Driver, filter: InvitationFilter): Promise<number> {
  const [row] = await driver.read(sql`SELECT count(*) FROM doorward_invitation i WHERE ${where(filter)}`);
  return int(row ?? [0], 0);
}

export async function findInvitation(driver: Driver, uuid: string): Promise<ListedInvitation | null> {
  return (await listed(driver, sql`i.uuid = ${uuid}`))[0] ?? null;
}

async function listed(driver: Driver, which: Sql): Promise<readonly ListedInvitation[]> {
  const rows = await driver.read(sql`
    SELECT ${columns}, u.username FROM doorward_invitation i LEFT JOIN doorward_user u ON u.id = i.created_by
    WHERE ${which}`);
  return rows.map((row) => ({ ...invitationFrom(row), creator: textOrNull(row, creatorAt) }));
}

function where({ search = '', name, flow }: InvitationFilter): Sql {
  const pattern = `%${search.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
  return every([
    ...(search === '' ? [] : [sql`lower(i.name) LIKE ${pattern} ESCAPE '\\'`]),
    ...(name === undefined ? [] : [sql`i.name = ${name}`]),
    ...(flow === undefined ? [] : [sql`i.flow = ${flow}`]),
  ]);
}

function invitationFrom(row: Row): Invitation {
  return {
    ...{ uuid: text(row, 0), name: text(row, 1), flow: textOrNull(row, 2), fixedData: json(row, 3) },
    ...{ singleUse: row[4] === 1, createdBy: intOrNull(row, 5), createdAt: int(row, 6), expiresAt: int(row, 7) },
    uses: int(row, 8),
  };
}

export function makeInvitation({ kind, hash, invitation }: Of<'invitation.make'>): Statement {
  const { uuid, name, flow, fixedData, singleUse, createdBy, createdAt, expiresAt } = invitation;
  return {
    ...{ effect: kind, touches: [`invitation:${uuid}`] },
    sql: sql`
      INSERT INTO doorward_invitation (uuid, hash, name, flow, fixed_data, single_use, created_by, created_at, expires_at,
        uses)
      VALUES (${uuid}, ${hash}, ${name}, ${flow}, ${JSON.stringify(fixedData)}, ${flag(singleUse)}, ${createdBy},
        ${createdAt}, ${expiresAt}, 0)`,
  };
}

/** Of many who use a single-use invitation at the same time, one writes the row; the others are refused (IN-6). */
export function useInvitation({ kind, uuid }: Of<'invitation.use'>, now: number): Statement {
  return {
    ...{ effect: kind, touches: [`invitation:${uuid}`], expect: 1, otherwise: { reason: 'used', effect: kind } },
    sql: sql`
      UPDATE doorward_invitation SET uses = uses + 1
      WHERE uuid = ${uuid} AND expires_at > ${now} AND (single_use = 0 OR uses = 0)`,
  };
}

export function changeInvitation(effect: Of<'invitation.change'> | Of<'invitation.revoke'>): Statement {
  const { kind, uuid } = effect;
  return {
    ...{ effect: kind, touches: [`invitation:${uuid}`], expect: 1, otherwise: { reason: 'missing', effect: kind } },
    sql:
      effect.kind === 'invitation.revoke' ? sql`DELETE FROM doorward_invitation WHERE uuid = ${uuid}` : update(effect),
  };
}

function update({ uuid, set }: Of<'invitation.change'>): Sql {
  return sql`
    UPDATE doorward_invitation SET
      name = coalesce(${set.name ?? null}, name),
      flow = CASE WHEN ${flag(set.flow === undefined)} = 1 THEN flow ELSE ${set.flow ?? null} END,
      fixed_data = coalesce(${set.fixedData === undefined ? null : JSON.stringify(set.fixedData)}, fixed_data),
      single_use = coalesce(${set.singleUse === undefined ? null : flag(set.singleUse)}, single_use),
      expires_at = coalesce(${set.expiresAt ?? null}, expires_at)
    WHERE uuid = ${uuid}`;
}
