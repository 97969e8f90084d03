/** Whom a write is about (W2–W9). */
import type { PlanContext } from '../../engine/plan-context.ts';
import type { Desk } from '../../engine/stage.ts';
import { type User, type UserType, userTypes } from '../../engine/user.ts';
import { newUuid } from '../../kernel/ids.ts';
import { isStorable } from '../../kernel/text.ts';
import type { UserWriteConfig } from './config.ts';

/** `user` as the row was just read, or as a new one begins. */
export interface UserTarget {
  readonly kind: 'user';
  readonly user: User;
  readonly created: boolean;
  /** This run made them before, at this very place: it began again (W34). */
  readonly again?: true;
}

export type Target =
  | UserTarget
  /** A stand-in that hides that no account exists. */
  | { readonly kind: 'decoy' }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'refused'; readonly why: string };

const defaultPath = 'users';

/** Decides whom the write is about: the pending user, the signed-in visitor, or somebody new. */
export async function chooseTarget(desk: Desk<UserWriteConfig>): Promise<Target> {
  const { config, context, visitor, read } = desk;
  if (config.user_creation_mode === 'always_create') return newUser(desk);
  const visitorRef = visitor.user === null ? undefined : { ref: visitor.user.id };
  const pending = context.pending_user ?? visitorRef;
  if (pending === undefined) return config.user_creation_mode === 'never_create' ? { kind: 'nobody' } : newUser(desk);
  if ('decoy' in pending) return { kind: 'decoy' };
  return known(await read.user(pending.ref));
}

function known(user: User | null): Target {
  return user === null ? { kind: 'refused', why: 'the pending user is gone' } : { kind: 'user', user, created: false };
}

async function newUser(desk: Desk<UserWriteConfig>): Promise<Target> {
  const { config, context, tools } = desk;
  const made = context['doorward/made']?.[desk.binding];
  if (made !== undefined) {
    const target = known(await desk.read.user(made));
    return target.kind === 'user' ? { ...target, again: true } : target;
  }
  const path = contextMember(context, 'user_path', config.user_path_template);
  if (typeof path !== 'string' || !isStorable(path)) return { kind: 'refused', why: 'user_path is not a text' };
  const now = tools.now();
  const user: User = {
    id: await tools.newUserId(),
    uuid: newUuid(),
    username: '',
    name: '',
    email: '',
    emailVerifiedAt: null,
    path: path === '' ? defaultPath : path,
    type: newType(context, config),
    isActive: !config.create_users_as_inactive,
    attributes: {},
    dateJoined: now,
    lastLogin: null,
    passwordChangedAt: null,
    lastUpdated: now,
    version: 1,
  };
  return { kind: 'user', user, created: true };
}

function newType(context: PlanContext, config: UserWriteConfig): UserType {
  const wanted = contextMember(context, 'user_type', config.user_type);
  const type = userTypes.find((known) => known === wanted) ?? config.user_type;
  return type === 'internal_service_account' ? 'service_account' : type;
}

/** The presence of a context key counts, whatever its value (W2, W3). */
function contextMember(context: PlanContext, key: string, otherwise: unknown): unknown {
  return Object.hasOwn(context, key) ? context[key] : otherwise;
}
