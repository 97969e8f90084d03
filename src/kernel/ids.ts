import { hash, randomBytes, randomUUID } from 'node:crypto';

/** A random UUID (version 4), for rows whose id is public. */
export function newUuid(): string {
  return randomUUID();
}

/** A secret of 256 bits for cookies and links, base64url. Only its hash is stored. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** What is stored of a token: SHA-256, base64url. A token has full entropy, so a plain hash is enough. */
export function hashToken(token: string): string {
  return hash('sha256', token, 'base64url');
}
