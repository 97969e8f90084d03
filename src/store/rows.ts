import { thaw } from '../engine/plan-context.ts';
import type { Run, RunState } from '../engine/run.ts';
import type { SessionBinding } from '../engine/session-binding.ts';
import type { Group, Session, Token, User, UserType } from '../engine/user.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { Keyring } from '../kernel/secrets.ts';
import type { Row, Sql } from './sql.ts';

/** Columns that a record is read from, in the order of its `…From` function. */
interface Columns {
  readonly names: readonly string[];
  /** For SELECT, each name led by the table's alias. */
  of(alias: string): Sql;
}

function columns(names: string): Columns {
  const all = names.split(' ');
  const byAlias = new Map<string, Sql>();
  return {
    names: all,
    of(alias) {
      let found = byAlias.get(alias);
      if (found === undefined) {
        found = { text: all.map((name) => `${alias}.${name}`).join(', '), params: [] };
        byAlias.set(alias, found);
      }
      return found;
    },
  };
}

export const userColumns = columns(
  'id uuid username name email path type is_active attributes date_joined last_login password_changed_at last_updated version email_verified_at',
);
export const sessionColumns = columns(
  'token_hash uuid user_id impersonator_id created_at last_used_at expires_at idle_timeout persistent address agent auth_method returns_to factors bound_to',
);
export const tokenColumns = columns('hash uuid purpose flow user_id created_at expires_at description');
export const groupColumns = columns('pk name is_superuser parent attributes');
export const runColumns = columns(
  'id session origin_session flow variant version user_id impersonator_id seq state ended created_at expires_at',
);

/** The user whose columns begin at `at`; null where an outer join found none. */
export function userFrom(row: Row, at = 0): User | null {
  if (row[at] === null || row[at] === undefined) return null;
  return {
    id: int(row, at),
    uuid: text(row, at + 1),
    username: text(row, at + 2),
    name: text(row, at + 3),
    email: text(row, at + 4),
    path: text(row, at + 5),
    type: text(row, at + 6) as UserType,
    isActive: row[at + 7] === 1,
    attributes: json(row, at + 8),
    dateJoined: int(row, at + 9),
    lastLogin: intOrNull(row, at + 10),
    passwordChangedAt: intOrNull(row, at + 11),
    lastUpdated: int(row, at + 12),
    version: int(row, at + 13),
    emailVerifiedAt: intOrNull(row, at + 14),
  };
}

export function sessionFrom(row: Row, at = 0): Session | null {
  if (row[at] === null || row[at] === undefined) return null;
  return {
    tokenHash: text(row, at),
    uuid: text(row, at + 1),
    userId: int(row, at + 2),
    impersonatorId: intOrNull(row, at + 3),
    createdAt: int(row, at + 4),
    lastUsedAt: int(row, at + 5),
    expiresAt: int(row, at + 6),
    idleTimeout: intOrNull(row, at + 7),
    persistent: row[at + 8] === 1,
    address: text(row, at + 9),
    agent: text(row, at + 10),
    authMethod: text(row, at + 11),
    returnsTo: textOrNull(row, at + 12),
    factors: JSON.parse(text(row, at + 13)) as readonly string[],
    boundTo: row[at + 14] === null ? null : (json(row, at + 14) as SessionBinding),
  };
}

export function tokenFrom(row: Row): Token {
  return {
    hash: text(row, 0),
    uuid: text(row, 1),
    purpose: text(row, 2),
    flow: textOrNull(row, 3),
    userId: int(row, 4),
    createdAt: int(row, 5),
    expiresAt: int(row, 6),
    description: text(row, 7),
  };
}

export function groupFrom(row: Row): Group {
  return {
    pk: text(row, 0),
    name: text(row, 1),
    isSuperuser: row[2] === 1,
    parent: textOrNull(row, 3),
    attributes: json(row, 4),
  };
}

/** The layout of the kept state; a run of another one cannot be continued. */
export const stateSchema = 2;

/**
 * The run whose columns begin at `at`, its secrets opened.
 *
 * @throws when the state is of another schema, or sealed with a key that is gone
 */
export function runFrom(row: Row, at: number, keyring: Keyring): Run {
  const id = text(row, at);
  const { schema, context, challenge, memo, ...state } = JSON.parse(text(row, at + 9)) as JsonObject & {
    readonly context: JsonObject;
  };
  if (schema !== stateSchema) throw new Error(`state of schema ${String(schema)}`);
  const known = thaw<Pick<RunState, 'context' | 'challenge' | 'memo'>>(
    { context, challenge: challenge ?? null, memo: memo ?? null },
    (sealed) => {
      const plain = keyring.open('run-secret', sealed, id);
      if (plain === null) throw new Error('a sealed value does not open');
      return plain;
    },
  );
  const ended = textOrNull(row, at + 10);
  return {
    id,
    session: text(row, at + 1),
    originSession: textOrNull(row, at + 2),
    flow: text(row, at + 3),
    variant: text(row, at + 4),
    version: int(row, at + 5),
    userId: intOrNull(row, at + 6),
    impersonatorId: intOrNull(row, at + 7),
    seq: int(row, at + 8),
    state: { ...(state as unknown as Omit<RunState, keyof typeof known>), ...known },
    ended: ended === null ? null : (JSON.parse(ended) as Run['ended']),
    createdAt: int(row, at + 11),
    expiresAt: int(row, at + 12),
  };
}

export function text(row: Row, at: number): string {
  return String(row[at]);
}

export function int(row: Row, at: number): number {
  return Number(row[at]);
}

export function textOrNull(row: Row, at: number): string | null {
  const value = row[at];
  return value === null || value === undefined ? null : String(value);
}

export function intOrNull(row: Row, at: number): number | null {
  const value = row[at];
  return value === null || value === undefined ? null : Number(value);
}

export function json(row: Row, at: number): JsonObject {
  return JSON.parse(text(row, at)) as JsonObject;
}
