/** What was proven in a run with authenticators, as `auth_method_args.mfa_devices` of the plan context says it. */
import { isPlainObject, type JsonObject } from '../kernel/json.ts';
import { type Authenticator, type AuthenticatorKind, isAuthenticatorKind } from './authenticator.ts';
import type { PlanContext } from './plan-context.ts';

/** `auth_method` of who signs in by a passkey alone. */
export const passkeyMethod = 'auth_webauthn_pwl';

/** An authenticator by the reference's words: what its policies look at, and what events say. */
export function namedAuthenticator({ uuid, kind, name }: Pick<Authenticator, 'uuid' | 'kind' | 'name'>): JsonObject {
  return { app: `authentik_stages_authenticator_${kind}`, model_name: `${kind}device`, name, pk: uuid };
}

/** The plan context's `auth_method_args` with one more authenticator that was used (AV-7). */
export function withFactor({ auth_method_args: args = {} }: PlanContext, used: Authenticator): JsonObject {
  const known = Array.isArray(args.mfa_devices) ? args.mfa_devices : [];
  return { ...args, mfa_devices: [...known, namedAuthenticator(used)] };
}

/** What the plan context knows once a passkey has said who it is (AV-8): nothing that was proven of anybody before. */
export function byPasskeyAlone(used: Authenticator): Readonly<Record<string, unknown>> {
  const device = { device: namedAuthenticator(used), device_type: used.data.device_type ?? null };
  return {
    ...{ pending_user: { ref: used.userId }, pending_user_identifier: undefined, user_backend: undefined },
    ...{ auth_method: passkeyMethod, auth_method_args: { ...withFactor({}, used), ...device } },
  };
}

/** The kinds of authenticator that were used in the run, each once. */
export function factorsOf({ auth_method_args: args }: PlanContext): readonly AuthenticatorKind[] {
  const used = isPlainObject(args) && Array.isArray(args.mfa_devices) ? args.mfa_devices : [];
  const kinds = used.map((one) => (isPlainObject(one) ? String(one.model_name).replace(/device$/, '') : ''));
  return [...new Set(kinds)].filter(isAuthenticatorKind);
}
