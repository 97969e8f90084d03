import { hashToken, newToken } from '../kernel/ids.ts';

/**
 * Who may look into the mailbox of a server on one's own machine: whoever sees its terminal. The secret of the address
 * printed there works once and is worth a key, which this process alone knows.
 */
export class MailboxKey {
  #secretHash: string | null = null;
  readonly #keys = new Set<string>();

  /** A new one-time secret; the one before is void. */
  secret(): string {
    const secret = newToken();
    this.#secretHash = hashToken(secret);
    return secret;
  }

  /** The key for a one-time secret, or null when it is not the one, or was used. */
  claim(secret: string): string | null {
    if (this.#secretHash === null || hashToken(secret) !== this.#secretHash) return null;
    this.#secretHash = null;
    const key = newToken();
    this.#keys.add(hashToken(key));
    return key;
  }

  fits(key: string): boolean {
    return this.#keys.has(hashToken(key));
  }
}

/** Whether an origin is this machine's own. */
export function isLoopback(origin: string): boolean {
  const { hostname } = new URL(origin);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
