/**
 * Where an address is, by a file in MaxMind's format that the operator keeps (GeoLite2 or GeoIP2, City or Country, and
 * what others offer in that shape). It gets an address, and gives city and country in a language; it asks nobody.
 */
import { stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Reader, Response } from 'maxmind';
import { DoorwardError } from '../kernel/errors.ts';
import { isPlainObject } from '../kernel/json.ts';

/** An open file. */
export interface PlacesFile {
  /** null for what the file does not know. */
  of(address: string, locale: string): string | null;
  /** Reads the file again where it has changed. What was known stays when that fails. @throws DoorwardError `configuration` */
  refresh(): Promise<void>;
}

/** @throws DoorwardError `configuration` when the file is missing, broken, or says nothing of places */
export async function openPlacesFile(file: string): Promise<PlacesFile> {
  let known = await read(file);
  return {
    of: (address, locale) => placeIn(known.reader, address, locale),
    async refresh() {
      if ((await stampOf(file)) !== known.stamp) known = await read(file);
    },
  };
}

interface Opened {
  readonly reader: Reader<Response>;
  readonly stamp: string;
}

async function read(file: string): Promise<Opened> {
  try {
    const stamp = await stampOf(file);
    const { open } = await import('maxmind');
    const reader = await open<Response>(file);
    const { databaseType: type } = reader.metadata;
    if (!/city|country|enterprise/i.test(type) && /asn|isp|domain|connection|anonymous|static/i.test(type))
      throw new Error(`its type, ${type}, says nothing of places`);
    // Some of what is broken shows when something is looked up.
    for (const address of ['192.0.2.1', '2001:db8::1']) recordOf(reader, address);
    return { reader, stamp };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const detail = `DOORWARD_GEOIP_FILE (places.file): ${file} is no City or Country file that can be read: ${why}`;
    throw new DoorwardError('configuration', detail, { cause: error });
  }
}

/** Changes with the file, also where another one takes its place. */
async function stampOf(file: string): Promise<string> {
  const { mtimeMs, size, ino } = await stat(file);
  return [mtimeMs, size, ino].join(' ');
}

function placeIn(reader: Reader<Response>, address: string, locale: string): string | null {
  const record = recordOf(reader, address.replace(/^::ffff:(?=\d+\.)/i, ''));
  if (!isPlainObject(record)) return null;
  const { city, country, country_code: code } = record;
  const names = [cityIn(city, locale), countryIn(isPlainObject(country) ? country.iso_code : code, locale)];
  const known = names.filter((name) => name !== null);
  return known.length === 0 ? null : known.join(', ');
}

/** A file of IPv4 addresses alone would take an IPv6 address for another one. */
function recordOf(reader: Reader<Response>, address: string): unknown {
  const version = isIP(address);
  if (version === 0 || (version === 6 && reader.metadata.ipVersion === 4)) return null;
  return reader.get(address);
}

/** In the reader's language, else in English; some files have one name for all. */
function cityIn(city: unknown, locale: string): string | null {
  const names = isPlainObject(city) && isPlainObject(city.names) ? city.names : {};
  const name = typeof city === 'string' ? city : (names[locale] ?? names.en);
  return typeof name === 'string' && name !== '' ? name : null;
}

/** Files name countries in few languages; their codes are known in all. */
function countryIn(code: unknown, locale: string): string | null {
  if (typeof code !== 'string' || !/^[A-Z]{2}$/.test(code)) return null;
  return new Intl.DisplayNames([locale, 'en'], { type: 'region', fallback: 'none' }).of(code) ?? null;
}
