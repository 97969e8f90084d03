import { BlockList, isIP } from 'node:net';
import { DoorwardError } from '../kernel/errors.ts';

/**
 * The networks whose forwarding headers count.
 *
 * @throws DoorwardError `configuration` for anything that is not a CIDR or an address
 */
export function trustedNetworks(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [, address = '', prefix] = /^([\d.]+|[\da-f:.]+)(?:\/(\d{1,3}))?$/i.exec(cidr) ?? [];
    const family = isIP(address);
    const longest = family === 6 ? 128 : 32;
    const bits = Number(prefix ?? longest);
    if (family === 0 || bits > longest)
      throw new DoorwardError(
        'configuration',
        `DOORWARD_TRUSTED_PROXIES: "${cidr}" is not a network such as 10.0.0.0/8`,
      );
    list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** More proxies than anybody has in a row. */
const hopLimit = 30;

/**
 * The client's address: the socket's, unless a trusted proxy holds it; then the right-most address of X-Forwarded-For
 * that no trusted proxy holds. What is malformed is left out and never an error (CVE-2024-47070).
 */
export function clientAddress(trusted: BlockList, socket: string | undefined, forwarded: string | null): string {
  const own = plain(socket ?? '');
  if (own === null) return '';
  if (forwarded === null || !isTrusted(trusted, own)) return own;
  // From the right: what stands left was sent by the visitor and may be anything, in any amount.
  const hops = forwarded.split(',').slice(-hopLimit).reverse();
  for (const hop of hops.map((text) => plain(text.trim()))) {
    if (hop === null) return own;
    if (!isTrusted(trusted, hop)) return hop;
  }
  return own;
}

/** An address without the brackets, the port, the zone or the IPv4-in-IPv6 prefix; null for anything else. */
function plain(text: string): string | null {
  const bare = text
    .replace(/^\[([^\]]*)\](?::\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .replace(/%.*$/, '')
    .replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
  return isIP(bare) === 0 ? null : bare;
}

function isTrusted(trusted: BlockList, address: string): boolean {
  return trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
