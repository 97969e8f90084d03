/** A value that one visitor alone may read: it prints and serialises masked, is kept sealed, and shown by `revealed`. */
export interface Confidential {
  reveal(): string;
}

export function isConfidential(value: unknown): value is Confidential {
  return typeof value === 'object' && value !== null && 'reveal' in value && typeof value.reveal === 'function';
}

/** A copy in which every confidential value can be read: for the answer to the visitor, and for nothing else. */
export function revealed(value: unknown): unknown {
  if (isConfidential(value)) return value.reveal();
  if (Array.isArray(value)) return value.map(revealed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revealed(item)]));
}
