/**
 * What became of each file of the watched folder, kept as a definition of the model `doorward.blueprint`: so a file
 * that was applied is not applied again by another start or node, and `doorward blueprints list` can tell.
 */
import { createHash } from 'node:crypto';
import type { Definition } from '../engine/definition.ts';
import { type JsonObject, sameJson } from '../kernel/json.ts';
import { blueprintModel } from './models.ts';

/** `off`: listed, but not applied, as its label says. */
export type FileStatus = 'successful' | 'warning' | 'error' | 'off';

export interface FileRecord {
  /** Below the folder. */
  readonly path: string;
  /** `metadata.name`, else the path. */
  readonly name: string;
  readonly status: FileStatus;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Warnings, or the error with file, line and column. */
  readonly message: string;
  /** Of the text that this is about. */
  readonly hash: string;
}

/** Tells one text of a file from another. */
export function textHash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** The records among the definitions, by path. */
export function fileRecords(definitions: readonly Definition[]): readonly FileRecord[] {
  return definitions
    .flatMap(({ model, attrs }) => (model === blueprintModel ? [attrs as unknown as FileRecord] : []))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** The record as a definition's attributes, or null where the present one says the same already. */
export function recordAttrs(record: FileRecord, definitions: readonly Definition[]): JsonObject | null {
  const { at: _, ...now } = record;
  const present = fileRecords(definitions).find(({ path }) => path === record.path);
  if (present !== undefined) {
    const { at: __, ...before } = present;
    if (sameJson(before, now)) return null;
  }
  return { ...record };
}
