import * as z from 'zod';
import { userTypes } from '../../engine/user.ts';
import { protectedFields } from './dispatch.ts';

/** What an administrator sets. */
export const userWriteConfig = z.object({
  user_creation_mode: z
    .enum(['never_create', 'create_when_required', 'always_create'])
    .default('create_when_required')
    .describe('Whether a user is made when none is pending, or always, or never.'),
  create_users_as_inactive: z.boolean().default(false).describe('New users cannot sign in until they are activated.'),
  create_users_group: z.string().nullable().default(null).describe('Users written by this stage join this group.'),
  user_type: z.enum(userTypes).default('external').describe('Type of new users.'),
  user_path_template: z.string().default('').describe('Path of new users; empty for "users".'),
  writable_fields: z
    .array(z.enum(protectedFields))
    .default([])
    .describe('Protected fields that prompt data may write here.'),
});
export type UserWriteConfig = z.infer<typeof userWriteConfig>;
