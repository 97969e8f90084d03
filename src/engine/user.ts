import type { JsonObject } from '../kernel/json.ts';
import { usernameKey } from '../kernel/text.ts';
import type { SessionBinding } from './session-binding.ts';

/** The kinds of user (user-write.md, configuration). */
export const userTypes = ['internal', 'external', 'service_account', 'internal_service_account'] as const;
export type UserType = (typeof userTypes)[number];

/** A user's own row. Times are milliseconds since the epoch. */
export interface User {
  /** Known to the application before the row is written, from blocks that the store hands out. */
  readonly id: number;
  readonly uuid: string;
  readonly username: string;
  readonly name: string;
  readonly email: string;
  /** When it was proven that the address is theirs; null where nobody knows. */
  readonly emailVerifiedAt: number | null;
  readonly path: string;
  readonly type: UserType;
  readonly isActive: boolean;
  readonly attributes: JsonObject;
  readonly dateJoined: number;
  readonly lastLogin: number | null;
  readonly passwordChangedAt: number | null;
  /** When a password was set that is not committed yet: in this very request. */
  readonly passwordPendingAt?: number;
  readonly lastUpdated: number;
  /** Counts the writes to this row; an update names the version that it was decided on. */
  readonly version: number;
}

/** The columns that an update may change. */
export type UserChanges = Partial<
  Pick<
    User,
    | 'username'
    | 'name'
    | 'email'
    | 'emailVerifiedAt'
    | 'path'
    | 'type'
    | 'isActive'
    | 'attributes'
    | 'lastLogin'
    | 'passwordChangedAt'
  >
>;

/**
 * The user as an update leaves them: what was proven of one address does not hold for another, and what is proven again
 * is as old as the first time.
 */
export function userAfter(user: User, set: UserChanges): User {
  const after = { ...user, ...set };
  const known = usernameKey(after.email) === usernameKey(user.email) ? user.emailVerifiedAt : null;
  const { emailVerifiedAt: said = known } = set;
  return { ...after, emailVerifiedAt: said === null ? null : (known ?? said) };
}

/** A group. Membership in a child counts as membership in all its ancestors. */
export interface Group {
  readonly pk: string;
  readonly name: string;
  readonly isSuperuser: boolean;
  readonly parent: string | null;
  readonly attributes: JsonObject;
  /** Among a user's groups: theirs by a descendant of it alone. */
  readonly inherited?: true;
}

/** A signed-in browser. The cookie's token is stored as its hash alone. */
export interface Session {
  readonly tokenHash: string;
  /** Public id, for lists and for revoking. */
  readonly uuid: string;
  readonly userId: number;
  /** The administrator who acts as this user, if any. */
  readonly impersonatorId: number | null;
  /** Token hash of the administrator's own session, which they go back to; when it ends, this one ends with it. */
  readonly returnsTo: string | null;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  /** Absolute end. */
  readonly expiresAt: number;
  /** Ends when unused for so long, milliseconds; null for never. */
  readonly idleTimeout: number | null;
  /** The cookie outlives the browser. */
  readonly persistent: boolean;
  readonly address: string;
  readonly agent: string;
  /** How the visitor proved who they are (`password`, …). */
  readonly authMethod: string;
  /** Kinds of authenticator that the visitor used besides or instead of a password. */
  readonly factors: readonly string[];
  /** Where it holds (UL-4); null for everywhere. */
  readonly boundTo: SessionBinding | null;
}

/** A secret that stands for its user: a one-time link into a flow, or a program's access. Stored as its hash alone. */
export interface Token {
  readonly hash: string;
  /** Public id, for lists and for revoking. */
  readonly uuid: string;
  /** `recovery`, `api`, … */
  readonly purpose: string;
  /** Slug of the one flow that it opens; null for a program's access. A user has one link of a purpose at a time. */
  readonly flow: string | null;
  readonly userId: number;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly description: string;
}
