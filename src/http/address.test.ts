import { describe, expect, it } from 'vitest';
import { clientAddress, trustedNetworks } from './address.ts';

const proxies = trustedNetworks(['10.0.0.0/8', '192.0.2.7', 'fd00::/8']);

describe('the client address (CONTRACT: Trust)', () => {
  it.each([
    ['nobody is trusted by default', '10.0.0.1', '203.0.113.9', trustedNetworks([]), '10.0.0.1'],
    ['a stranger names an address', '198.51.100.1', '203.0.113.9', proxies, '198.51.100.1'],
    ['a trusted proxy names the client', '10.0.0.1', '203.0.113.9', proxies, '203.0.113.9'],
    ['the client names somebody else before', '10.0.0.1', '1.1.1.1, 203.0.113.9', proxies, '203.0.113.9'],
    ['two proxies in a row', '10.0.0.1', '203.0.113.9, 10.2.3.4', proxies, '203.0.113.9'],
    ['only proxies', '10.0.0.1', '10.0.0.3, 10.0.0.2', proxies, '10.0.0.1'],
    ['a port', '10.0.0.1', '203.0.113.9:4711', proxies, '203.0.113.9'],
    ['an IPv6 client in brackets', 'fd00::1', '[2001:db8::5]:4711', proxies, '2001:db8::5'],
    ['an IPv4 socket of an IPv6 server', '::ffff:10.0.0.1', '203.0.113.9', proxies, '203.0.113.9'],
    ['a single trusted address', '192.0.2.7', '203.0.113.9', proxies, '203.0.113.9'],
    ['its neighbour is not trusted', '192.0.2.8', '203.0.113.9', proxies, '192.0.2.8'],
    ['no header', '10.0.0.1', null, proxies, '10.0.0.1'],
  ])('%s', (_, socket, forwarded, trusted, expected) => {
    expect(clientAddress(trusted, socket, forwarded)).toBe(expected);
  });

  it.each(['', ',', 'unknown', '_hidden', '999.1.1.1', 'a, b', '203.0.113.9:x', "' OR 1=1", '[::1', '\u0000'])(
    'takes the proxy itself where the header is malformed: %j (CVE-2024-47070)',
    (forwarded) => {
      expect(clientAddress(proxies, '10.0.0.1', forwarded)).toBe('10.0.0.1');
    },
  );

  it('reads from the right, however much a client sends in front', () => {
    const flood = Array.from({ length: 3_000 }, () => '1.1.1.1').join(', ');
    expect(clientAddress(proxies, '10.0.0.1', `${flood}, 203.0.113.9`)).toBe('203.0.113.9');
  });

  it('is empty without a socket', () => {
    expect(clientAddress(proxies, undefined, '203.0.113.9')).toBe('');
  });
});

describe('trusted networks', () => {
  it.each([
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/1e1',
    '10.0.0',
    'proxy.example',
    'fe80::1%eth0',
    '::/129',
    '*',
  ])('refuses %s by the name of the variable', (cidr) => {
    expect(() => trustedNetworks([cidr])).toThrow(/DOORWARD_TRUSTED_PROXIES/);
  });
});
