import { createHash } from 'node:crypto';
import type { Definition } from '../engine/definition.ts';
import { isPlainObject, type JsonObject } from '../kernel/json.ts';

/** A fingerprint of each object's attributes, by pk. */
export function digests(objects: readonly Definition[]): JsonObject {
  return Object.fromEntries(objects.map(({ pk, attrs }) => [pk, digestOf(attrs)]));
}

function digestOf(attrs: JsonObject): string {
  const canonical = JSON.stringify(attrs, (_, value: unknown) =>
    isPlainObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value,
  );
  return createHash('sha256').update(canonical).digest('base64url');
}
