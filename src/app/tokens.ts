/** One-time links and access for programs: secrets that are shown once and stored as their hash. */
import type { Effect } from '../engine/effects.ts';
import type { Token, User } from '../engine/user.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { hashToken, newToken, newUuid } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { codePoints, isStorable } from '../kernel/text.ts';
import type { OpenStore } from '../store/open.ts';
import { type Actor, commitOrThrow } from './users.ts';

/** The flow that a recovery link opens. */
export const recoveryLinkFlow = 'default-recovery-link';

/** Minutes. */
export const recoveryLinkLasts = { usual: 60, most: 7 * 24 * 60 } as const;
/** Days. */
export const accessLasts = { usual: 365, most: 3650 } as const;

/** A token as it is listed: never its hash. */
export type ListedToken = Omit<Token, 'hash'> & { readonly username: string };

/** Links and access for programs, with their events. */
export interface Tokens {
  /**
   * A new one-time address with which the user sets a new password; older ones of the user are void.
   *
   * @throws DoorwardError `not_found`, `refused` (deactivated), `flow_not_found`, `invalid_request`
   */
  recoveryLink(
    pk: number,
    options?: { readonly minutes?: number },
    actor?: Actor,
  ): Promise<{ readonly address: string; readonly expiresAt: number }>;
  /**
   * Access to the REST API with the user's rights. `secret` is shown here and never again.
   *
   * @throws DoorwardError `not_found`, `refused` (deactivated), `invalid_request`
   */
  create(
    pk: number,
    options?: { readonly description?: string; readonly days?: number },
    actor?: Actor,
  ): Promise<{ readonly secret: string; readonly uuid: string; readonly expiresAt: number }>;
  /** Those of programs, the newest first, expired ones included. */
  list(): Promise<readonly ListedToken[]>;
  /** @throws DoorwardError `not_found` */
  revoke(uuid: string, actor?: Actor): Promise<void>;
  /** The active user whom a program's secret stands for; null when it is unknown or has expired. */
  userOf(secret: string): Promise<User | null>;
}

/** What tokens are made with. */
export interface TokenParts {
  readonly store: OpenStore;
  readonly origin: string;
  now(): number;
  hasFlow(slug: string): Promise<boolean>;
}

const library: Actor = { via: 'library' };

export function createTokens(parts: TokenParts): Tokens {
  const { store, now } = parts;
  return {
    recoveryLink: (pk, { minutes = recoveryLinkLasts.usual } = {}, actor = library) =>
      recoveryLink(parts, pk, minutes, actor),
    create: (pk, { description = '', days = accessLasts.usual } = {}, actor = library) =>
      createAccess(parts, pk, { description, days }, actor),
    list: () => store.accounts.listTokens('api'),
    async revoke(uuid, actor = library) {
      const token = (await store.accounts.listTokens('api')).find((known) => known.uuid === uuid);
      if (token === undefined) throw new DoorwardError('not_found', `there is no token with the id ${uuid}`);
      const { userId, username, description } = token;
      const user = { id: userId, username };
      await commitOrThrow(store, [
        { kind: 'token.revoke', uuid },
        tokenEvent('token_revoked', user, actor, { at: now(), context: { token: uuid, description } }),
      ]);
    },
    async userOf(secret) {
      const token = await store.read.token(hashToken(secret));
      if (token === null || token.purpose !== 'api' || token.expiresAt <= now()) return null;
      const user = await store.read.user(token.userId);
      return user?.isActive === true ? user : null;
    },
  };
}

async function recoveryLink(
  { store, origin, now, hasFlow }: TokenParts,
  pk: number,
  minutes: number,
  actor: Actor,
): ReturnType<Tokens['recoveryLink']> {
  checkWhole('minutes', minutes, recoveryLinkLasts.most);
  const user = await activeUser(store, pk);
  if (!(await hasFlow(recoveryLinkFlow)))
    throw new DoorwardError('flow_not_found', `the flow ${recoveryLinkFlow} is gone; it comes with the product`);
  const secret = newToken();
  const at = now();
  const expiresAt = at + minutes * 60_000;
  const token: Token = {
    ...{ hash: hashToken(secret), uuid: newUuid(), purpose: 'recovery', flow: recoveryLinkFlow, userId: user.id },
    ...{ createdAt: at, expiresAt, description: '' },
  };
  const context = { expires: new Date(expiresAt).toISOString() };
  await commitOrThrow(store, [
    { kind: 'token.create', token },
    tokenEvent('recovery_link_created', user, actor, { at, context }),
  ]);
  return { address: `${origin}/if/flow/${recoveryLinkFlow}/?flow_token=${secret}`, expiresAt };
}

async function createAccess(
  { store, now }: TokenParts,
  pk: number,
  { description, days }: { readonly description: string; readonly days: number },
  actor: Actor,
): ReturnType<Tokens['create']> {
  checkWhole('days', days, accessLasts.most);
  if (codePoints(description) > 200 || !isStorable(description))
    throw new DoorwardError('invalid_request', 'description: at most 200 characters');
  const user = await activeUser(store, pk);
  // The prefix lets scanners for leaked secrets recognise it. The hash is plain: it outlives a change of the secret key.
  const secret = `doorward_${newToken()}`;
  const at = now();
  const expiresAt = at + days * 86_400_000;
  const token: Token = {
    ...{ hash: hashToken(secret), uuid: newUuid(), purpose: 'api', flow: null, userId: user.id },
    ...{ createdAt: at, expiresAt, description },
  };
  const context = { token: token.uuid, description, expires: new Date(expiresAt).toISOString() };
  await commitOrThrow(store, [
    { kind: 'token.create', token },
    tokenEvent('token_created', user, actor, { at, context }),
  ]);
  return { secret, uuid: token.uuid, expiresAt };
}

async function activeUser(store: OpenStore, pk: number): Promise<User> {
  const user = await store.read.user(pk);
  if (user === null) throw new DoorwardError('not_found', `there is no user with the pk ${pk}`);
  if (!user.isActive) throw new DoorwardError('refused', `${user.username} is deactivated`);
  return user;
}

function tokenEvent(
  action: string,
  user: Pick<User, 'id' | 'username'>,
  actor: Actor,
  { at, context }: { readonly at: number; readonly context: JsonObject },
): Effect {
  return {
    kind: 'event',
    event: {
      ...{ action, user: { pk: user.id, username: user.username }, flow: null, at },
      ...{ context: { ...context, via: actor.via }, address: actor.address ?? '', requestId: actor.requestId ?? '' },
    },
  };
}

function checkWhole(name: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new DoorwardError('invalid_request', `${name}: a whole number from 1 to ${most}`);
}
