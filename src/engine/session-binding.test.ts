import { expect, it } from 'vitest';
import { type AddressFacts, brokenBinding, type SessionBinding } from './session-binding.ts';

const nothing: AddressFacts = { asn: null, network: null, continent: null, country: null, city: null };
const home: AddressFacts = { asn: 64500, network: '198.51.100.0/24', continent: 'EU', country: 'AT', city: 'Vienna' };

const at = (facts: Partial<AddressFacts>) => ({
  files: { network: true, place: true },
  of: () => ({ ...home, ...facts }),
});

it.each<[string, SessionBinding, Partial<AddressFacts>, string | null]>([
  ['the same provider', { asn: 64500 }, { network: '203.0.113.0/24', continent: 'NA' }, null],
  ['another one', { asn: 64500 }, { asn: 64501 }, 'network.asn'],
  [
    'another network of the same one',
    { asn: 64500, network: '198.51.100.0/24' },
    { network: '203.0.113.0/24' },
    'network.asn_network',
  ],
  ['a provider that nobody knows', { asn: 64500 }, nothing, 'network.missing'],
  ['a provider that nobody knew at the sign-in', { asn: null }, {}, 'network.missing'],
  ['nothing known, then or now', { asn: null }, nothing, 'network.missing'],
  ['the same address', { ip: '198.51.100.7' }, nothing, null],
  ['another address', { ip: '198.51.100.8' }, {}, 'network.ip'],
  ['the same continent', { continent: 'EU' }, { country: 'DE', city: null }, null],
  ['another one', { continent: 'EU' }, { continent: 'NA' }, 'geoip.continent'],
  ['another country', { continent: 'EU', country: 'AT' }, { country: 'DE' }, 'geoip.country'],
  ['another city', { continent: 'EU', country: 'AT', city: 'Vienna' }, { city: 'Graz' }, 'geoip.city'],
  ['a city that nobody knows', { continent: 'EU', country: 'AT', city: 'Vienna' }, { city: null }, 'geoip.missing'],
  ['the network before the place', { asn: 64500, continent: 'EU' }, { asn: 64501, continent: 'NA' }, 'network.asn'],
  ['the place, where the network is the same', { asn: 64500, continent: 'EU' }, { continent: 'NA' }, 'geoip.continent'],
  ['whatever it is, where nothing is bound', {}, nothing, null],
])('UL-4: %s', (_name, bound, facts, reason) => {
  expect(brokenBinding(bound, '198.51.100.7', at(facts))?.reason ?? null).toBe(reason);
});
