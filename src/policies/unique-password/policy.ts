import * as z from 'zod';
import { definePolicy } from '../../engine/policy.ts';
import { longestHistory } from '../../engine/ports.ts';
import { text } from '../../protocol/text.ts';
import { isHashTrusted, passwordMissing, typedPassword } from '../typed-password.ts';

/** Judges whether a new password was had before; each of the former ones costs one check in the hash pool. */
export const uniquePassword = definePolicy({
  kind: 'unique_password',
  model: 'authentik_policies_unique_password.uniquepasswordpolicy',
  component: 'ak-policy-password-uniqueness-form',
  description: 'Passes when a new password is none of the last ones of its user.',
  config: z.object({
    password_field: z.string().min(1).default('password').describe('Key of the prompt that asks the password.'),
    num_historical_passwords: z
      .int()
      .min(0)
      .max(longestHistory)
      .default(1)
      .describe('So many of the last passwords count, the present one included.'),
  }),
  async evaluate({ config, request, read, tools, signal }) {
    const typed = typedPassword(request.context, config.password_field);
    if (typed === null) {
      const hashed = isHashTrusted(request.context);
      return { passing: hashed, messages: hashed ? [] : [passwordMissing] };
    }
    if (request.userId === null || config.num_historical_passwords === 0) return { passing: true, messages: [] };
    // One after the other: a user who tries does not take the pool from those who sign in.
    for (const stored of await read.passwordHistory(request.userId, config.num_historical_passwords)) {
      signal.throwIfAborted();
      if (await tools.matchesHash(typed, stored))
        return { passing: false, messages: [text('unique_password.used_before')] };
    }
    return { passing: true, messages: [] };
  },
});
