import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writePlacesFile } from '../../test/support/places-file.ts';
import { openAsnFile } from './asn-file.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doorward-asn-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('UL-4: a file says whose network an address is in, and which', async () => {
  const file = join(folder, 'asn.mmdb');
  const networks = {
    '198.51.100.0/25': { autonomous_system_number: 64500 },
    '203.0.113.0/24': { asn: 'AS64501' },
    '192.0.2.0/24': { isp: 'Example' },
    '2001:db8::/32': { autonomous_system_number: 64502 },
  };
  await writePlacesFile(file, { networks, type: 'GeoLite2-ASN' });
  const { of } = await openAsnFile(file);
  expect(of('198.51.100.7')).toEqual({ asn: 64500, network: '198.51.100.0/25' });
  expect(of('::ffff:198.51.100.7')).toEqual({ asn: 64500, network: '198.51.100.0/25' });
  expect(of('203.0.113.9')).toEqual({ asn: 64501, network: '203.0.113.0/24' });
  expect(of('2001:db8:7::1')).toEqual({ asn: 64502, network: '2001:db8:0:0:0:0:0:0/32' });
  for (const address of ['192.0.2.1', '198.51.100.200', '', 'unknown'])
    expect(of(address)).toEqual({ asn: null, network: null });
});

it('a file that says nothing of networks is refused, with the reason', async () => {
  const file = join(folder, 'city.mmdb');
  await writePlacesFile(file);
  await expect(openAsnFile(file)).rejects.toMatchObject({
    ...{ code: 'configuration' },
    detail: `DOORWARD_ASN_FILE (places.asnFile): ${file} is no ASN or ISP file that can be read: its type, Test-City, says nothing of networks`,
  });
});
