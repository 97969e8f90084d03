/** What an account's owner is told of by mail, in the commit that does it: what they would want to know if it was not them. */
import type { Effect } from '../../engine/effects.ts';
import { notice } from '../../engine/mail.ts';
import type { Desk } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';

/**
 * A new password, and at the old address a new one. Nothing for an account that is made, nor in a run without a visitor:
 * who imports records tells their owners, if at all, in words of their own.
 */
export function noticesOf(
  { visitor, tools, unattended }: Desk,
  before: User,
  after: User,
  { created, newPassword }: { readonly created: boolean; readonly newPassword: boolean },
): readonly Effect[] {
  if (created || unattended) return [];
  const about = { user: before, visitor, at: tools.now() };
  return [
    ...(newPassword ? notice('password_changed', about) : []),
    ...(before.email === after.email ? [] : notice('email_changed', about)),
  ];
}
