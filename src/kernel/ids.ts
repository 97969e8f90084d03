import { hash, randomBytes, randomUUID } from 'node:crypto';

/** A random UUID (version 4), for rows whose id is public. */
export function newUuid(): string {
  return randomUUID();
}

const drawnAtOnce = 4096;
let drawn = Buffer.alloc(0);

/** Random bytes. They are drawn from the system by the page: asking it costs more than a hash does. */
export function randomBits(bytes: number): Buffer {
  if (drawn.length < bytes) drawn = randomBytes(Math.max(bytes, drawnAtOnce));
  const taken = Buffer.from(drawn.subarray(0, bytes));
  // Nobody who comes to see this memory later learns what was given away.
  drawn.fill(0, 0, bytes);
  drawn = drawn.subarray(bytes);
  return taken;
}

/** A secret of 256 bits for cookies and links, base64url. Only its hash is stored. */
export function newToken(): string {
  return randomBits(32).toString('base64url');
}

/** What is stored of a token: SHA-256, base64url. A token has full entropy, so a plain hash is enough. */
export function hashToken(token: string): string {
  return hash('sha256', token, 'base64url');
}
