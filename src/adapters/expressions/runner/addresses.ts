import { BlockList, isIP } from 'node:net';
import type { JsonObject } from '../../../kernel/json.ts';
import { CodeError } from './engine.ts';

/** The types of addresses and networks, by Python's names. */
export const addressTypes: ReadonlySet<string> = new Set(['IPv4Address', 'IPv6Address', 'IPv4Network', 'IPv6Network']);

/** An address: `is_private` and its like as attributes, `order` to compare by. */
export function ipAddress(text: string): JsonObject {
  const { version, value } = parse(text.trim());
  return address(version, value);
}

/** A network, written `10.0.0.0/8`; an address alone is a network of one. Bits of the host are an error, unless not `strict`. */
export function ipNetwork(text: string, strict = true): JsonObject {
  const [start = '', length, ...rest] = text.trim().split('/');
  const { version, value } = parse(start);
  const bits = widthOf(version);
  const prefix = length === undefined ? bits : prefixOf(length, version);
  if (rest.length > 0 || prefix === null) throw notValid(text, 'network');
  const size = 1n << BigInt(bits - prefix);
  const first = value - (value % size);
  if (strict && first !== value) throw new CodeError('ValueError', `${text} has host bits set`);
  const last = first + size - 1n;
  const [network, broadcast] = [address(version, first), address(version, last)];
  return {
    ...{ $object: `IPv${version}Network`, compressed: `${network.compressed}/${prefix}` },
    ...{ with_prefixlen: `${network.compressed}/${prefix}`, version, prefixlen: prefix, max_prefixlen: bits },
    ...{ network_address: network, broadcast_address: broadcast, num_addresses: Number(size) },
    ...{ is_private: network.is_private === true && broadcast.is_private === true },
    ...{ order: `${order(first)}/${String(prefix).padStart(3, '0')}`, last: order(last) },
  };
}

/** Whether an address is in a network; false across versions. */
export function isInNetwork(one: JsonObject, network: JsonObject): boolean {
  if (one.version !== network.version) return false;
  const [first = ''] = String(network.order).split('/');
  const at = String(one.order);
  return first <= at && at <= String(network.last);
}

function address(version: 4 | 6, value: bigint): JsonObject {
  const compressed = written(version, value);
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const among = (list: BlockList) => list.check(compressed, family);
  const isPrivate = among(blocks.private) && !among(blocks.public);
  return {
    ...{ $object: `IPv${version}Address`, compressed, version, max_prefixlen: widthOf(version) },
    ...{ is_private: isPrivate, is_global: !isPrivate && !among(blocks.shared), is_loopback: among(blocks.loopback) },
    ...{ is_link_local: among(blocks.linkLocal), is_multicast: among(blocks.multicast), is_unspecified: value === 0n },
    ...{ is_reserved: among(blocks.reserved), order: order(value) },
  };
}

/** As text of equal length, so that the order of texts is that of numbers. */
function order(value: bigint): string {
  return value.toString(16).padStart(32, '0');
}

function widthOf(version: 4 | 6): number {
  return version === 4 ? 32 : 128;
}

function parse(text: string): { version: 4 | 6; value: bigint } {
  const version = isIP(text);
  // A zone would be a part of the text that no number has.
  if ((version !== 4 && version !== 6) || text.includes('%')) throw notValid(text, 'address');
  return { version, value: version === 4 ? four(text) : six(text) };
}

function notValid(text: string, what: 'address' | 'network'): CodeError {
  return new CodeError('ValueError', `'${text}' does not appear to be an IPv4 or IPv6 ${what}`);
}

function four(text: string): bigint {
  return text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function six(text: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const tail = dotted === null ? 0n : four(String(dotted[2]));
  const plain = dotted === null ? text : `${dotted[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  const [left = '', right] = plain.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const [before, after] = [groups(left), groups(right ?? '')];
  const zeros = Array.from({ length: right === undefined ? 0 : 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

function written(version: 4 | 6, value: bigint): string {
  if (version === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  const runs = [
    ...groups
      .map((group) => (group === '0' ? '0' : 'x'))
      .join('')
      .matchAll(/0{2,}/g),
  ];
  const longest = runs.sort((a, b) => b[0].length - a[0].length || a.index - b.index)[0];
  if (longest === undefined) return groups.join(':');
  const [head, tail] = [groups.slice(0, longest.index), groups.slice(longest.index + longest[0].length)];
  return `${head.join(':')}::${tail.join(':')}`;
}

/** The length of a prefix, or a mask such as 255.255.0.0. */
function prefixOf(text: string, version: 4 | 6): number | null {
  if (/^\d{1,3}$/.test(text)) return Number(text) <= widthOf(version) ? Number(text) : null;
  if (version === 6 || isIP(text) !== 4) return null;
  const bits = four(text).toString(2).padStart(32, '0');
  return /^1*0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : null;
}

function blockList(...subnets: string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [net = '', prefix] = subnet.split('/');
    list.addSubnet(net, Number(prefix), net.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** The registries of special addresses of IANA. */
const blocks = {
  private: blockList(
    ...['0.0.0.0/8', '10.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24'],
    ...['192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '240.0.0.0/4', '::/127'],
    ...['64:ff9b:1::/48', '100::/64', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20', 'fc00::/7', 'fe80::/10'],
  ),
  public: blockList(
    ...['192.0.0.9/32', '192.0.0.10/32', '2001:1::1/128', '2001:1::2/128', '2001:3::/32', '2001:4:112::/48'],
    ...['2001:20::/28', '2001:30::/28'],
  ),
  shared: blockList('100.64.0.0/10'),
  loopback: blockList('127.0.0.0/8', '::1/128'),
  linkLocal: blockList('169.254.0.0/16', 'fe80::/10'),
  multicast: blockList('224.0.0.0/4', 'ff00::/8'),
  reserved: blockList('240.0.0.0/4', '::/8', '100::/8', '200::/7', '400::/6', '800::/5', '1000::/4', '4000::/3'),
};
