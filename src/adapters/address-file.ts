/** What a file in MaxMind's format says of an address: it is kept in memory whole, and asks nobody. */
import { stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Reader, Response } from 'maxmind';
import { DoorwardError } from '../kernel/errors.ts';
import { isPlainObject } from '../kernel/json.ts';

/** An open file. */
export interface AddressFile {
  /** The record of an address, and how many of its leading bits that is about; null for what the file does not know. */
  of(address: string): { readonly record: Readonly<Record<string, unknown>>; readonly bits: number } | null;
  /** Reads the file again where it has changed. What was known stays when that fails. @throws DoorwardError `configuration` */
  refresh(): Promise<void>;
}

/** Which file it is to be, for who reads of one that is not. */
interface Wanted {
  /** How it is named: the variable, and the option. */
  readonly setting: string;
  readonly kind: string;
  /** What a file of this type does not tell; null for one that will do. */
  lacks(type: string): string | null;
}

/** @throws DoorwardError `configuration` when the file is missing, broken, or of another kind */
export async function openAddressFile(file: string, wanted: Wanted): Promise<AddressFile> {
  let known = await read(file, wanted);
  return {
    of(address) {
      const found = recordOf(known.reader, plain(address));
      return found !== null && isPlainObject(found.record) ? { ...found, record: found.record } : null;
    },
    async refresh() {
      if ((await stampOf(file)) !== known.stamp) known = await read(file, wanted);
    },
  };
}

/** An IPv4 address as itself. */
export function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

interface Opened {
  readonly reader: Reader<Response>;
  readonly stamp: string;
}

async function read(file: string, { setting, kind, lacks }: Wanted): Promise<Opened> {
  try {
    const stamp = await stampOf(file);
    const { open } = await import('maxmind');
    const reader = await open<Response>(file);
    const { databaseType: type } = reader.metadata;
    const lacking = lacks(type);
    if (lacking !== null) throw new Error(`its type, ${type}, says nothing of ${lacking}`);
    // Some of what is broken shows when something is looked up.
    for (const address of ['192.0.2.1', '2001:db8::1']) recordOf(reader, address);
    return { reader, stamp };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const detail = `${setting}: ${file} is no ${kind} file that can be read: ${why}`;
    throw new DoorwardError('configuration', detail, { cause: error });
  }
}

/** Changes with the file, also where another one takes its place. */
async function stampOf(file: string): Promise<string> {
  const { mtimeMs, size, ino } = await stat(file);
  return [mtimeMs, size, ino].join(' ');
}

/** A file of IPv4 addresses alone would take an IPv6 address for another one. */
function recordOf(
  reader: Reader<Response>,
  address: string,
): { readonly record: unknown; readonly bits: number } | null {
  const version = isIP(address);
  if (version === 0 || (version === 6 && reader.metadata.ipVersion === 4)) return null;
  const [record, bits] = reader.getWithPrefixLength(address);
  return { record, bits };
}
