/** Bytes of a request; a form may carry files. */
export const bodyLimits = { json: 1024 * 1024, form: 4 * 1024 * 1024 } as const;

/** For the other fields, and what stands around a file. */
const besides = 64 * 1024;

/** Bytes of files that a request can bring, all of them together; in JSON a file is text, and has a third more. */
export const fileLimits = {
  json: Math.floor((bodyLimits.json - besides) / 4) * 3,
  form: bodyLimits.form - besides,
} as const;

/** For people: whole MiB. */
export function mebibytes(bytes: number): number {
  return Math.floor(bytes / (1024 * 1024));
}
