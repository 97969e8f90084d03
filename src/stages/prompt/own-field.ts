import type { Desk } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';
import { type Json, type JsonObject, member } from '../../kernel/json.ts';

/** The user that the flow is about: the pending one, else who is signed in (W4); a stand-in is nobody. */
export async function ownUser({
  context,
  read,
  visitor,
}: Pick<Desk, 'context' | 'read' | 'visitor'>): Promise<User | null> {
  const pending = context.pending_user;
  if (pending === undefined) return visitor.user;
  if (!('ref' in pending)) return null;
  return pending.ref === visitor.user?.id ? visitor.user : read.user(pending.ref);
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

/** Whether a field's key means a user's own field that prompts can write (W14, W19). */
export function isOwnField(key: string): boolean {
  return key === 'username' || key === 'name' || key === 'email' || /^attributes[._]./.test(key);
}

/** The user's value of a field; undefined where there is none. */
export function ownValue(user: User, key: string): Json | undefined {
  if (key === 'username' || key === 'name' || key === 'email') return user[key];
  const path = key.replace('attributes_', 'attributes.').split('.').slice(1);
  let found: Json | undefined = user.attributes;
  for (const name of path) found = isObject(found) ? member(found, name) : undefined;
  return found;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
