import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePlacesFile } from '../../test/support/places-file.ts';
import { openPlacesFile } from './places-file.ts';

let folder = '';
let file = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doorward-places-'));
  file = join(folder, 'city.mmdb');
  await writePlacesFile(file);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a file of places', () => {
  it.each([
    ['198.51.100.7', 'en', 'Munich, Germany'],
    ['198.51.100.7', 'de', 'München, Deutschland'],
    ['198.51.100.7', 'fr', 'Munich, Allemagne'],
    ['::ffff:198.51.100.7', 'en', 'Munich, Germany'],
    ['203.0.113.9', 'de', 'Schweiz'],
    ['2001:db8:1::7', 'de', 'Vienna, Österreich'],
    ['192.0.2.1', 'en', null],
    ['2001:db9::1', 'en', null],
    ['', 'en', null],
    ['unknown', 'en', null],
    ["'", 'en', null],
  ])('says of %j in %s: %j', async (address, locale, place) => {
    expect((await openPlacesFile(file)).named(address, locale)).toBe(place);
  });

  it('may say it as other makers do, and hold nothing sensible', async () => {
    const networks = {
      '198.51.100.0/24': { city: 'Munich', country_code: 'DE' },
      '203.0.113.0/24': { country_code: 'nowhere', city: '' },
      '192.0.2.0/24': 'text',
    };
    const other = join(folder, 'other.mmdb');
    await writePlacesFile(other, { networks, type: 'other-asn-country' });
    const opened = await openPlacesFile(other);
    const said = ['198.51.100.7', '203.0.113.9', '192.0.2.1'].map((address) => opened.named(address, 'de'));
    expect(said).toEqual(['Munich, Deutschland', null, null]);
  });

  it.each([
    ['is missing', async () => undefined, /can be read: ENOENT/],
    ['is of another kind', (to: string) => writeFile(to, 'place: here'), /is no City or Country file/],
    ['is compressed', (to: string) => writeFile(to, Buffer.from([0x1f, 0x8b, 8, 0])), /gzip/],
    ['is empty', (to: string) => writeFile(to, ''), /is no City or Country file/],
    [
      'says nothing of places',
      (to: string) => writePlacesFile(to, { type: 'GeoLite2-ASN' }),
      /GeoLite2-ASN, says nothing of places/,
    ],
  ])('is refused, with the reason, when it %s', async (what, make, why) => {
    const broken = join(folder, `${what}.mmdb`);
    await make(broken);
    await expect(openPlacesFile(broken)).rejects.toMatchObject({
      ...{ code: 'configuration', detail: expect.stringMatching(why) },
    });
  });

  it('is read again when another takes its place; a broken one changes nothing', async () => {
    const [watched, next] = [join(folder, 'watched.mmdb'), join(folder, 'next.mmdb')];
    await copyFile(file, watched);
    const opened = await openPlacesFile(watched);
    await writePlacesFile(next, { networks: { '198.51.100.0/24': { country: { iso_code: 'AT' } } } });
    await opened.refresh();
    expect(opened.named('198.51.100.7', 'en')).toBe('Munich, Germany');
    await rename(next, watched);
    await opened.refresh();
    expect(opened.named('198.51.100.7', 'en')).toBe('Austria');
    await writeFile(watched, 'half a fi');
    await expect(opened.refresh()).rejects.toMatchObject({ code: 'configuration' });
    expect(opened.named('198.51.100.7', 'en')).toBe('Austria');
    await rm(watched);
    await expect(opened.refresh()).rejects.toThrow();
    expect(opened.named('198.51.100.7', 'en')).toBe('Austria');
  });
});
