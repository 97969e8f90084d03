/** What is known of the address that a write leaves its user with: which run may write it, and whether it is proven. */
import type { Desk } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';
import { isAddress, usernameKey } from '../../kernel/text.ts';
import type { Changes } from './dispatch.ts';
import type { UserTarget } from './target.ts';

/** Why the address cannot be written, with the key that says so; null where it can. */
export function addressRefused(
  { context }: Desk,
  before: User,
  after: User,
  { columns }: Changes,
): { readonly why: string; readonly key: string } | null {
  const proven = context['doorward/proven_email'];
  // A run that proved one address writes no other (CONTRACT: Outcomes).
  if (proven !== undefined && after.email !== before.email && after.email !== proven)
    return { why: 'the address is not the one that was proven', key: 'email' };
  if (typeof columns.emailVerifiedAt === 'number' && !isAddress(after.email))
    return { why: 'what is said to be verified is no address', key: 'email_verified' };
  return null;
}

/**
 * The user with the mark of a proof, where the address that is written now is the one that this run proved. One that
 * stays as it is was marked with its proof.
 */
export function markedIfProven({ context, tools }: Desk, { user: before, created }: UserTarget, after: User): User {
  const proven = context['doorward/proven_email'];
  const isWritten = created || usernameKey(after.email) !== usernameKey(before.email);
  const isProven = proven !== undefined && usernameKey(proven) === usernameKey(after.email);
  return isWritten && isProven && after.emailVerifiedAt === null ? { ...after, emailVerifiedAt: tools.now() } : after;
}
