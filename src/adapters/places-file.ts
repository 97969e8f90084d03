/**
 * Where an address is, by a file in MaxMind's format that the operator keeps (GeoLite2 or GeoIP2, City or Country, and
 * what others offer in that shape). It gets an address, and gives city and country in a language; it asks nobody.
 */
import type { AddressFacts } from '../engine/session-binding.ts';
import { isPlainObject } from '../kernel/json.ts';
import { openAddressFile } from './address-file.ts';

/** An open file. */
export interface PlacesFile {
  /** For people; null for what the file does not know. */
  named(address: string, locale: string): string | null;
  /** To compare. */
  of(address: string): Pick<AddressFacts, 'continent' | 'country' | 'city'>;
  /** Reads the file again where it has changed. What was known stays when that fails. @throws DoorwardError `configuration` */
  refresh(): Promise<void>;
}

/** @throws DoorwardError `configuration` when the file is missing, broken, or says nothing of places */
export async function openPlacesFile(path: string): Promise<PlacesFile> {
  const file = await openAddressFile(path, {
    ...{ setting: 'DOORWARD_GEOIP_FILE (places.file)', kind: 'City or Country' },
    lacks: (type) =>
      !/city|country|enterprise/i.test(type) && /asn|isp|domain|connection|anonymous|static/i.test(type)
        ? 'places'
        : null,
  });
  return {
    named(address, locale) {
      const { city, code } = partsOf(file.of(address)?.record ?? {});
      const known = [cityIn(city, locale), countryIn(code, locale)].filter((name) => name !== null);
      return known.length === 0 ? null : known.join(', ');
    },
    of(address) {
      const { city, code, continent } = partsOf(file.of(address)?.record ?? {});
      return { continent: codeOf(continent), country: codeOf(code), city: cityIn(city, 'en') };
    },
    refresh: () => file.refresh(),
  };
}

/** Some makers write codes beside names, others inside of them. */
function partsOf(record: Readonly<Record<string, unknown>>): Readonly<Record<'city' | 'code' | 'continent', unknown>> {
  const { city, country, country_code, continent, continent_code } = record;
  return {
    city,
    code: isPlainObject(country) ? country.iso_code : country_code,
    continent: isPlainObject(continent) ? continent.code : continent_code,
  };
}

function codeOf(code: unknown): string | null {
  return typeof code === 'string' && /^[A-Z]{2}$/.test(code) ? code : null;
}

/** In the reader's language, else in English; some files have one name for all. */
function cityIn(city: unknown, locale: string): string | null {
  const names = isPlainObject(city) && isPlainObject(city.names) ? city.names : {};
  const name = typeof city === 'string' ? city : (names[locale] ?? names.en);
  return typeof name === 'string' && name !== '' ? name : null;
}

/** Files name countries in few languages; their codes are known in all. */
function countryIn(code: unknown, locale: string): string | null {
  const known = codeOf(code);
  if (known === null) return null;
  return new Intl.DisplayNames([locale, 'en'], { type: 'region', fallback: 'none' }).of(known) ?? null;
}
