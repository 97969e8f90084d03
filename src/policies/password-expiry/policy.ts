import * as z from 'zod';
import { definePolicy } from '../../engine/policy.ts';
import { text } from '../../protocol/text.ts';

const dayMs = 86_400_000;

/**
 * Judges the age of somebody's password. The reference also makes an expired one unusable unless `deny_only` is set;
 * here it stays: who knows a name could take the password from its owner where the policy is asked before it, and the
 * owner could no longer prove it in order to change it.
 */
export const passwordExpiry = definePolicy({
  kind: 'password_expiry',
  model: 'authentik_policies_expiry.passwordexpirypolicy',
  component: 'ak-policy-password-expiry-form',
  description: 'Passes while the password of a user has not expired.',
  config: z.object({
    days: z.int().min(0).max(36_500).describe('A password expires when it is so many days old.'),
    deny_only: z.boolean().default(false).describe('Says that it has expired, and not that it should be changed.'),
  }),
  async evaluate({ config, request, read, tools }) {
    const user = request.userId === null ? null : await read.user(request.userId);
    if (user === null) return { passing: false, messages: [] };
    // Without a password there is nothing that could have expired.
    const changedAt = user.passwordPendingAt ?? user.passwordChangedAt;
    if (changedAt === null) return { passing: true, messages: [] };
    const days = Math.floor((tools.now() - changedAt) / dayMs) - config.days;
    if (days < 0) return { passing: true, messages: [] };
    const message = config.deny_only ? text('password_expiry.expired') : text('password_expiry.change_it', { days });
    return { passing: false, messages: [message] };
  },
});
