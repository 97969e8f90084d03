import type { ExpressionHosts } from '../engine/expression-hosts.ts';
import type { Expressions } from '../engine/expressions.ts';
import type { Limits } from '../engine/limits.ts';
import type { Outbound } from '../engine/outbound.ts';
import type { Reads, Tools } from '../engine/ports.ts';
import type { Profile } from '../engine/profile.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Keyring } from '../kernel/secrets.ts';
import type { Hasher, Log } from './options.ts';

/** What the tools are made of. */
export interface ToolParts {
  readonly clock: Clock;
  readonly hasher: Hasher;
  readonly keyring: Keyring;
  readonly log: Log;
  readonly read: Reads;
  readonly profile: Profile | null;
  readonly expressions: Expressions;
  readonly expressionHosts: ExpressionHosts;
  readonly outbound: Outbound;
  readonly limits: Limits;
  readonly breachCheckUrl: string;
  readonly brandName: string;
  readonly mail: Tools['mail'];
  readonly whereabouts: Tools['whereabouts'];
  readonly passwordScore: Tools['passwordScore'];
  newUserId(): Promise<number>;
}

/** The work that stages ask for, done by adapters. */
export function createTools(parts: ToolParts): Tools {
  const { clock, hasher, keyring, log, read, profile, outbound, breachCheckUrl, newUserId } = parts;
  const { expressions, expressionHosts } = parts;
  return {
    now: () => clock.now(),
    passwordScore: parts.passwordScore,
    matchesHash: async (password, stored) => (await hasher.verify(stored, password)).ok,
    newUserId,
    profile,
    expressions,
    expressionHosts,
    outbound,
    limits: parts.limits,
    breachCheckUrl,
    mail: parts.mail,
    whereabouts: parts.whereabouts,
    hashPassword: (password) => hasher.hash(password.normalize('NFC')),
    hashToken: (token) => keyring.digest('lookup', token),
    codeHashes: (authenticator, code) => keyring.digests('credential', `${authenticator}\n${code}`),
    brandName: parts.brandName,
    log: (level, message, fields) => log(level, message, fields),
    async verifyPassword(userId, password, identifier) {
      // Who does not exist costs what somebody who does would cost: the format is drawn from those in the store.
      const draw = Number.parseInt(Buffer.from(keyring.digest('lookup', identifier)).toString('hex').slice(0, 8), 16);
      const found = await read.hashToCompare(userId, draw);
      if (found === null || !found.isOwn) {
        await hasher.decoy(password, found?.hash);
        return { ok: false, renewed: null, stored: null };
      }
      const { hash: stored } = found;
      const { ok, renew } = await hasher.verify(stored, password);
      return { ok, renewed: ok && renew ? await hasher.hash(password.normalize('NFC')) : null, stored };
    },
  };
}
