import type { Authenticator } from '../engine/authenticator.ts';
import type { Effect } from '../engine/effects.ts';
import { namedAuthenticator } from '../engine/factors.ts';
import { notice } from '../engine/mail.ts';
import type { Reads } from '../engine/ports.ts';
import type { User } from '../engine/user.ts';
import type { JsonObject } from '../kernel/json.ts';

/** An authenticator as programs see it. */
export type UserAuthenticator = Omit<Authenticator, 'secret' | 'data' | 'credential' | 'counter'>;

/** Who asks for a change, for the event. */
interface Asker {
  readonly via: string;
  readonly by?: number;
  readonly address?: string;
  readonly requestId?: string;
}

/** What programs know of users' authenticators, and can do for who lost theirs. */
export interface UserAuthenticators {
  /** Apps, passkeys and recovery codes, the oldest first; never a secret. @throws DoorwardError `not_found` */
  authenticators(pk: number): Promise<readonly UserAuthenticator[]>;
  /**
   * Removes all: from now on the password alone signs the user in, until they set one up again. Ends all their sessions,
   * and tells them by mail. Returns how many there were.
   *
   * @throws DoorwardError `not_found`, `refused`
   */
  removeAuthenticators(pk: number, actor?: Asker): Promise<number>;
}

/** What they are made of. */
export interface UserAuthenticatorParts {
  readonly read: Reads;
  commit(effects: readonly Effect[]): Promise<void>;
  eventOf(action: string, user: User, actor: Asker, context: JsonObject): Effect;
  find(pk: number): Promise<User>;
  now(): number;
}

export function userAuthenticators({ read, commit, eventOf, find, now }: UserAuthenticatorParts): UserAuthenticators {
  return {
    async authenticators(pk) {
      await find(pk);
      return (await read.authenticatorsOf(pk)).map(
        ({ uuid, userId, kind, name, createdAt, lastUsedAt, codesLeft }): UserAuthenticator => {
          return { uuid, userId, kind, name, createdAt, lastUsedAt, codesLeft };
        },
      );
    },
    async removeAuthenticators(pk, actor = { via: 'library' }) {
      const user = await find(pk);
      const known = await read.authenticatorsOf(pk);
      if (known.length === 0) return 0;
      const visitor = { agent: '', address: actor.address ?? '', locale: 'en' };
      await commit([
        ...known.flatMap((one): Effect[] => [
          { kind: 'authenticator.remove', uuid: one.uuid, userId: pk },
          eventOf('authenticator_removed', user, actor, { authenticator: namedAuthenticator(one) }),
        ]),
        { kind: 'session.end_all', userId: pk, except: null },
        ...notice('authenticator_removed', { user, visitor, at: now() }),
      ]);
      return known.length;
    },
  };
}
