import { createHash } from 'node:crypto';

/** Names a body in its path, so that browsers may keep it for ever. */
export function contentHash(body: string): string {
  return createHash('sha256').update(body).digest('hex').slice(0, 12);
}
