import { DoorwardError } from '../kernel/errors.ts';
import type { Failure } from './driver.ts';

/* What SQLite's errors mean. */

/** SQLite's primary result codes. */
export const codes = {
  busy: 5,
  locked: 6,
  readonly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  constraint: 19,
  notADatabase: 26,
};
const foreignKey = 787;

/** A constraint that spoke, as the commit understands it. @throws any other error */
export function failureOf(error: unknown, index: number | null, text: string): Failure {
  if (primaryCode(error) !== codes.constraint) throw error;
  const message = messageOf(error);
  const columns = /^UNIQUE constraint failed: (.+)$/.exec(message)?.[1];
  if (columns !== undefined) return { kind: 'unique', key: columns, index };
  if (rawCode(error) !== foreignKey) return { kind: 'constraint', detail: message, index };
  // The only reference that waits for the end is that of a group to its parent.
  return { kind: 'missing', table: /doorward_\w+/.exec(text)?.[0] ?? 'doorward_group', index };
}

/** The error as people and programs should see it, if it is the file's fault. */
export function unavailable(error: unknown): DoorwardError | null {
  const details: Readonly<Record<number, string>> = {
    [codes.busy]: 'another process kept the SQLite file locked for too long',
    [codes.locked]: 'the SQLite file is locked',
    [codes.readonly]: 'the SQLite file cannot be written: check the permissions of the file and its folder',
    [codes.io]: 'reading or writing the SQLite file failed',
    [codes.corrupt]: 'the SQLite file is damaged: restore a backup',
    [codes.full]: 'the disk of the SQLite file is full',
    [codes.cannotOpen]: 'the SQLite file cannot be opened',
    [codes.notADatabase]: 'the file is not an SQLite database',
  };
  const detail = details[primaryCode(error)];
  if (detail === undefined) return null;
  return new DoorwardError('store_unavailable', `${detail} (${messageOf(error)})`, { cause: error, retryAfter: 5 });
}

export function primaryCode(error: unknown): number {
  return rawCode(error) & 255;
}

function rawCode(error: unknown): number {
  return error instanceof Error && 'rawCode' in error && typeof error.rawCode === 'number' ? error.rawCode : 0;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
