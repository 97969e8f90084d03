/** A user's own fields as prompts ask for them and user_write writes them, by the key of prompt_data. */
import type { Desk } from '../engine/stage.ts';
import type { User } from '../engine/user.ts';
import { hashToken } from '../kernel/ids.ts';
import { type Json, readPath } from '../kernel/json.ts';

const longestKept = 256;

/**
 * The user that the flow is about: the pending one, else who is signed in (W4); a stand-in is nobody. The row is read
 * now: a form must show what its baseline says (W31), also after a write of this very request.
 */
export async function ownUser({
  context,
  read,
  visitor,
}: Pick<Desk, 'context' | 'read' | 'visitor'>): Promise<User | null> {
  const pending = context.pending_user ?? (visitor.user === null ? undefined : { ref: visitor.user.id });
  return pending !== undefined && 'ref' in pending ? read.user(pending.ref) : null;
}

/**
 * Whether the user's data may be shown in a form. Identification alone proves nothing: whoever knows a name could read
 * the rest. So it takes a sign-in, a proof made in this run, or a run without a visitor.
 */
export function mayBeShown(
  user: User,
  { context, visitor, unattended }: Pick<Desk, 'context' | 'visitor' | 'unattended'>,
): boolean {
  return (
    unattended ||
    user.id === visitor.user?.id ||
    context.user_backend !== undefined ||
    context.auth_method !== undefined
  );
}

/** Whether a field's key means a user's own field that anybody's prompt can write (W14, W19). */
export function isOwnField(key: string): boolean {
  return key === 'username' || key === 'name' || key === 'email' || /^attributes[._]./.test(key);
}

/** Whether a field's key means anything that a user write can change in a user's row (W20 included). */
export function isUserField(key: string): boolean {
  return isOwnField(key) || key === 'path' || key === 'type' || key === 'is_active';
}

/**
 * The path that a key means, or null when it is not a key of this form (W14).
 *
 * @example
 * attributePath('attributes_a.b') // ['a', 'b']
 */
export function attributePath(key: string): readonly string[] | null {
  if (!key.startsWith('attributes.') && !key.startsWith('attributes_')) return null;
  return key.replace('attributes_', 'attributes.').split('.').slice(1);
}

/** A value as baselines keep it: a long text (a file, say) by its hash alone, nothing as null. */
export function watched(value: Json | undefined): Json {
  return typeof value === 'string' && value.length > longestKept ? hashToken(value) : (value ?? null);
}

/** The user's value of a field, protected ones included; undefined where there is none. */
export function ownValue(user: User, key: string): Json | undefined {
  if (key === 'username' || key === 'name' || key === 'email' || key === 'path' || key === 'type') return user[key];
  if (key === 'is_active') return user.isActive;
  const path = attributePath(key);
  return path === null ? undefined : readPath(user.attributes, path);
}
