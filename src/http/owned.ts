/** What belongs to users, for its owners and for administrators. */
import { DoorwardError } from '../kernel/errors.ts';
import type { Caller } from './account-routes.ts';
import type { Site } from './exchange.ts';

/**
 * Whose a caller may see: an administrator's are all, or those of `?user=<pk>`; anybody else's their own.
 *
 * @throws DoorwardError `invalid_request`
 */
export async function scopeOf(
  { app }: Site,
  { user }: Caller,
  query: Readonly<Record<string, string>> = {},
): Promise<{ readonly userId?: number }> {
  const { user: wanted } = query;
  if (wanted !== undefined && !/^\d{1,15}$/.test(wanted))
    throw new DoorwardError('invalid_request', 'user: the pk of a user');
  if (!(await app.isAdministrator(user.id))) return { userId: user.id };
  return wanted === undefined ? {} : { userId: Number(wanted) };
}

/** Who owns what is listed, as the API shows them; each is looked up once. */
export async function ownersOf(
  { app }: Site,
  owned: readonly { readonly userId: number }[],
): Promise<ReadonlyMap<number, object>> {
  const ids = [...new Set(owned.map(({ userId }) => userId))];
  const users = await Promise.all(ids.map((id) => app.store.read.user(id)));
  return new Map(
    users.flatMap((user): [number, object][] =>
      user === null ? [] : [[user.id, { pk: user.id, username: user.username, name: user.name, email: user.email }]],
    ),
  );
}
