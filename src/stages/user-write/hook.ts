/** What the application's hook is told of a write, and what its veto means to the visitor. */
import type { Effect, Refusal } from '../../engine/effects.ts';
import type { HookChange } from '../../engine/hooks.ts';
import type { Desk, Outcome } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';
import { isPlainObject, sameJson } from '../../kernel/json.ts';
import type { Changes } from './dispatch.ts';
import { valueAt } from './meanwhile.ts';
import { failed, revise } from './problems.ts';

const verified = 'email_verified';

/** Lets the application's hook run in the write's transaction. */
export function hookCall(
  before: User,
  { user, created, changes }: { readonly user: User; readonly created: boolean; readonly changes: Changes },
): Effect {
  // Whether the address is proven may change with the address, without a word of it in what was collected.
  const fields = new Set([...changes.written.map(({ field }) => field), verified]);
  const changed = [...fields].flatMap((field): [string, HookChange][] => {
    const [was, is] = [created && field !== verified ? null : valueAt(before, field), valueAt(user, field)];
    return field === 'password' || sameJson(was, is) ? [] : [[field, { before: was, after: is }]];
  });
  const written = { user, created, changes: Object.fromEntries(changed), passwordSet: changes.password !== null };
  return { kind: 'hook.user_write', written };
}

/** A veto's own words: at the field that it names, else as the denial. Null for a hook that failed. */
export function vetoed(desk: Desk, { field, detail }: Refusal): Outcome | null {
  if (!isPlainObject(detail) || typeof detail.message !== 'string') return null;
  const message = detail.message === '' ? failed : detail.message;
  if (field === undefined) return { kind: 'deny', message };
  return revise(desk, { [field]: [{ code: String(detail.code), text: message }] }, message);
}
