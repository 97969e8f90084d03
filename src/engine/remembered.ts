/**
 * What a browser is trusted with beyond a session: that an authenticator was used in it lately (AV-9), or that its user
 * signed in with it (UL-5). It lies sealed in one cookie; stages read it from the visitor and add to it.
 */
import { isPlainObject, type JsonObject } from '../kernel/json.ts';
import type { Keyring } from '../kernel/secrets.ts';

export interface Remembered {
  readonly what: 'factor' | 'device';
  /** pk of the stage: what one stage trusts, no other one does. */
  readonly stage: string;
  /** uuid of the user. */
  readonly user: string;
  /** uuid of the authenticator; '' for a device. */
  readonly authenticator: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly until: number;
}

/** A shared browser is known by so many; a cookie holds no more. */
const most = 8;

/** The cookie's value with more in it; what it knew of the same stage and user is replaced. */
export function remembering(
  keyring: Keyring,
  known: readonly Remembered[],
  more: readonly Remembered[],
): { readonly value: string; readonly until: number } {
  const isNew = (one: Remembered): boolean =>
    !more.some(({ what, stage, user }) => what === one.what && stage === one.stage && user === one.user);
  const all = [...more, ...known.filter(isNew)].slice(0, most);
  return {
    value: keyring.seal('remembered', JSON.stringify(all)),
    until: Math.max(...all.map(({ until }) => until)),
  };
}

/** What a cookie says that still holds; nothing where it is not ours. */
export function rememberedIn(keyring: Keyring, value: string | null, now: number): readonly Remembered[] {
  const opened = value === null ? null : keyring.open('remembered', value);
  const parsed: unknown = opened === null ? [] : JSON.parse(opened);
  const entries = Array.isArray(parsed) ? (parsed as JsonObject[]) : [];
  return entries.filter(isPlainObject).filter(({ until }) => Number(until) > now) as unknown as readonly Remembered[];
}
