import type { JsonObject } from '../kernel/json.ts';
import type { Secret } from '../kernel/secrets.ts';

/** What a user can prove themselves with besides a password, in the reference's words. */
export const authenticatorKinds = ['totp', 'static', 'webauthn', 'email'] as const;
export type AuthenticatorKind = (typeof authenticatorKinds)[number];

/** Whether a text of the wire names a kind of authenticator. */
export function isAuthenticatorKind(value: unknown): value is AuthenticatorKind {
  return (authenticatorKinds as readonly unknown[]).includes(value);
}

/**
 * A user's authenticator. Only confirmed ones are kept: what is still being set up lies sealed in its run. Times are
 * milliseconds since the epoch.
 */
export interface Authenticator {
  /** Public id. */
  readonly uuid: string;
  readonly userId: number;
  readonly kind: AuthenticatorKind;
  readonly name: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  /** Id of a passkey's credential, which no second authenticator has; null for the other kinds. */
  readonly credential: string | null;
  /** Sealed at rest; null for kinds without one, and where the key that sealed it is gone: then no code is right. */
  readonly secret: Secret | null;
  /** What may be known of it: digits and drift, a public key. */
  readonly data: JsonObject;
  /** The last time step that was accepted, or the last signature counter: what comes next must be above. */
  readonly counter: number;
  /** Recovery codes that were not used yet; 0 for the other kinds. */
  readonly codesLeft: number;
}

/** An authenticator to be kept, with the hashes of its recovery codes. */
export interface NewAuthenticator extends Omit<Authenticator, 'codesLeft'> {
  readonly codes: readonly string[];
}

/**
 * What an authenticator is used up to: a code is good once, a time step is not gone back to, a signature counter goes
 * up (or stays at 0, as passkeys that are synchronised have it).
 */
export type AuthenticatorUse =
  | { readonly step: number; readonly data: JsonObject }
  | { readonly signatures: number }
  | { readonly code: string };
