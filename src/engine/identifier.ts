import { usernameKey } from '../kernel/text.ts';
import type { User } from './user.ts';

/** What a flow lets users be named by. */
export type IdentifierField = 'username' | 'email' | 'upn';

/** Everybody whom a typed text could mean, by the fields of the flow; of several two are enough to tell. */
export interface Named {
  readonly username: User | null;
  /** Who verified this address. */
  readonly verified: readonly User[];
  /** Who has this address, verified or not. */
  readonly email: readonly User[];
  readonly upn: readonly User[];
}

/**
 * Whom a typed text means (decision 17). An address that somebody verified is theirs: nobody else's account gets it by
 * claiming that address or by being called like it, and of several who verified it, it means nobody. What nobody
 * verified means who is called so, then the only one who has it.
 */
export function identifiedBy(
  named: Named,
  fields: readonly IdentifierField[],
  typed: string,
  exact: boolean,
): User | null {
  const means = (user: User, field: IdentifierField): boolean => !exact || ownText(user, field) === typed;
  const { username, verified } = named;
  const [owner, another] = verified;
  if (owner !== undefined) {
    if (username !== null && hasVerified(username, typed) && means(username, 'username')) return username;
    return another === undefined && means(owner, 'email') ? owner : null;
  }
  const found = { ...named, username: username === null ? [] : [username] };
  for (const field of ['username', ...fields] as const) {
    const [only, second] = found[field];
    if (only !== undefined && second === undefined && means(only, field)) return only;
  }
  return null;
}

/** Whether the user has proven this address to be theirs. */
export function hasVerified(user: User, address: string): boolean {
  return user.emailVerifiedAt !== null && usernameKey(user.email) === usernameKey(address);
}

function ownText(user: User, field: IdentifierField): unknown {
  return field === 'upn' ? user.attributes.upn : user[field];
}
