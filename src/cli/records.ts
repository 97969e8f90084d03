import { createReadStream, statSync } from 'node:fs';
import { DoorwardError } from '../kernel/errors.ts';
import { isPlainObject, type Json } from '../kernel/json.ts';
import { csvRows } from './csv.ts';

export type RecordFormat = 'ndjson' | 'csv';

/** One record of a file: the answers of one run, or why it cannot be read. */
export type SourceRecord = { readonly line: number } & (
  | { readonly data: readonly (readonly [key: string, value: Json])[] }
  | { readonly unreadable: string }
);

/** Records that are read as they are needed. */
export interface RecordSource {
  readonly records: AsyncIterable<SourceRecord>;
  /** Bytes in all; null for standard input. */
  readonly size: number | null;
  /** Bytes read so far. */
  bytesRead(): number;
}

/** A line longer than this is no record. */
const longestLine = 4_000_000;

/** Little is read ahead of the records under way, so that how far one is can be told by the bytes. */
const chunkBytes = 16 * 1024;

/**
 * Opens a file of records; `-` is standard input.
 *
 * @throws DoorwardError `invalid_request` where there is no such file; while reading, where it is not UTF-8 or no CSV
 */
export function openRecords(file: string, format: RecordFormat): RecordSource {
  let read = 0;
  const size = file === '-' ? null : sizeOf(file);
  const bytes: AsyncIterable<Buffer> =
    file === '-' ? process.stdin : createReadStream(file, { highWaterMark: chunkBytes });
  const texts = decoded(bytes, (length) => {
    read += length;
  });
  return { records: format === 'csv' ? csvRecords(texts) : ndjsonRecords(texts), size, bytesRead: () => read };
}

function sizeOf(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) throw new DoorwardError('invalid_request', `there is no file ${file}`);
  if (found.isDirectory()) throw new DoorwardError('invalid_request', `${file} is a folder`);
  return found.size;
}

/** A broken character would otherwise be replaced unseen. A byte order mark is left out. */
async function* decoded(bytes: AsyncIterable<Buffer>, count: (length: number) => void): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of bytes) {
      count(chunk.length);
      yield decoder.decode(chunk, { stream: true });
    }
    yield decoder.decode();
  } catch (error) {
    if (error instanceof TypeError) throw new DoorwardError('invalid_request', 'the records are not UTF-8');
    throw error;
  }
}

async function* ndjsonRecords(texts: AsyncIterable<string>): AsyncGenerator<SourceRecord> {
  let line = 0;
  let rest = '';
  for await (const text of texts) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const each of lines) {
      line += 1;
      if (each.trim() !== '') yield jsonRecord(line, each);
    }
    if (rest.length > longestLine) throw new DoorwardError('invalid_request', `line ${line + 1}: is too long`);
  }
  if (rest.trim() !== '') yield jsonRecord(line + 1, rest);
}

function jsonRecord(line: number, text: string): SourceRecord {
  try {
    const value: unknown = JSON.parse(text);
    if (isPlainObject(value)) return { line, data: Object.entries(value) as [string, Json][] };
    return { line, unreadable: 'is not a JSON object' };
  } catch {
    // The parser's own words would quote the line, which may hold a password.
    return { line, unreadable: 'is not JSON' };
  }
}

/** The first row names the keys. A cell with nothing in it is no answer; `""` is the empty text. */
async function* csvRecords(texts: AsyncIterable<string>): AsyncGenerator<SourceRecord> {
  let keys: readonly string[] | null = null;
  for await (const { line, cells } of csvRows(texts)) {
    if (keys === null) {
      keys = cells.map((cell) => cell?.trim() ?? '');
      if (keys.includes('') || new Set(keys).size < keys.length)
        throw new DoorwardError('invalid_request', `line ${line}: every column needs a name of its own`);
      continue;
    }
    const names = keys;
    if (cells.length !== names.length)
      yield { line, unreadable: `has ${cells.length} columns instead of ${names.length}` };
    else yield { line, data: cells.flatMap((cell, at) => (cell === null ? [] : [[names[at] ?? '', cell] as const])) };
  }
}
