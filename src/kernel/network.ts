/**
 * Whom an address stands for where attempts are counted: an IPv4 address for itself, an IPv6 address for its /64, since
 * whoever has one of these has all of them.
 *
 * @example
 * networkOf('2001:db8:1:2:3::4') === '2001:db8:1:2::/64';
 */
export function networkOf(address: string): string {
  const [bare = ''] = address.split('%');
  if (!bare.includes(':') || !URL.canParse(`http://[${bare}]/`)) return address;
  const [head = '', tail = ''] = new URL(`http://[${bare}]/`).hostname.slice(1, -1).split('::');
  const [before, after] = [head, tail].map((part) => (part === '' ? [] : part.split(':')));
  const groups = [...(before ?? []), ...(after ?? [])];
  const zeros = Array.from({ length: 8 - groups.length }, () => '0');
  const all = [...(before ?? []), ...zeros, ...(after ?? [])];
  return isMapped(all) ? dotted(all) : `${all.slice(0, 4).join(':')}::/64`;
}

/** ::ffff:0:0/96 is IPv4 in other letters. */
function isMapped(groups: readonly string[]): boolean {
  return groups.slice(0, 5).every((group) => group === '0') && groups[5] === 'ffff';
}

function dotted(groups: readonly string[]): string {
  const [high = 0, low = 0] = groups.slice(6).map((group) => Number.parseInt(group, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
