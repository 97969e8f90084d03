/**
 * Whom an address stands for where attempts are counted: an IPv4 address for itself, an IPv6 address for its /64, since
 * whoever has one of these has all of them.
 *
 * @example
 * networkOf('2001:db8:1:2:3::4') === '2001:db8:1:2::/64';
 */
export function networkOf(address: string): string {
  const groups = groupsOf(address);
  if (groups === null) return address;
  return isMapped(groups) ? dotted(groups) : `${groups.slice(0, 4).join(':')}::/64`;
}

/**
 * The network of so many leading bits that an address is in.
 *
 * @param address a valid one
 * @example
 * subnetOf('198.51.100.7', 24) === '198.51.100.0/24';
 */
export function subnetOf(address: string, bits: number): string {
  const groups = groupsOf(address);
  if (groups === null) return `${kept(address.split('.').map(Number), 8, bits).join('.')}/${bits}`;
  const numbers = groups.map((group) => Number.parseInt(group, 16));
  const network = kept(numbers, 16, bits).map((group) => group.toString(16));
  return `${network.join(':')}/${bits}`;
}

/** The parts of an address, each of so many bits, without all that comes after the first `bits`. */
function kept(parts: readonly number[], width: number, bits: number): readonly number[] {
  return parts.map((part, index) => {
    const cut = Math.min(width, Math.max(0, (index + 1) * width - bits));
    return (part >> cut) << cut;
  });
}

/** The eight groups of an IPv6 address; null for anything else. */
function groupsOf(address: string): readonly string[] | null {
  const [bare = ''] = address.split('%');
  if (!bare.includes(':') || !URL.canParse(`http://[${bare}]/`)) return null;
  const [head = '', tail = ''] = new URL(`http://[${bare}]/`).hostname.slice(1, -1).split('::');
  const [before, after] = [head, tail].map((part) => (part === '' ? [] : part.split(':')));
  const groups = [...(before ?? []), ...(after ?? [])];
  const zeros = Array.from({ length: 8 - groups.length }, () => '0');
  return [...(before ?? []), ...zeros, ...(after ?? [])];
}

/** ::ffff:0:0/96 is IPv4 in other letters. */
function isMapped(groups: readonly string[]): boolean {
  return groups.slice(0, 5).every((group) => group === '0') && groups[5] === 'ffff';
}

function dotted(groups: readonly string[]): string {
  const [high = 0, low = 0] = groups.slice(6).map((group) => Number.parseInt(group, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
