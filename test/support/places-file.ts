/** Writes a small file in MaxMind's format (version 2.0 of its specification): an IPv6 tree with the IPv4 addresses in it. */
import { writeFile } from 'node:fs/promises';

type Value = string | number | { readonly [key: string]: Value } | readonly Value[];

/** Where the tests' networks are. Their addresses are documentation's own. */
export const places: Readonly<Record<string, Value>> = {
  '198.51.100.0/24': {
    city: { names: { en: 'Munich', de: 'München' } },
    country: { iso_code: 'DE', names: { en: 'Germany', de: 'Deutschland' } },
  },
  '203.0.113.0/24': { country: { iso_code: 'CH', names: { en: 'Switzerland' } } },
  '2001:db8::/32': { city: { names: { en: 'Vienna' } }, country: { iso_code: 'AT' } },
};

interface FileOptions {
  readonly type?: string;
  readonly networks?: Readonly<Record<string, Value>>;
}

export async function writePlacesFile(file: string, options: FileOptions = {}): Promise<void> {
  await writeFile(file, placesFile(options));
}

function placesFile({ type = 'Test-City', networks = places }: FileOptions): Buffer {
  const tree: Node[] = [[null, null]];
  const data: Buffer[] = [];
  let size = 0;
  for (const [network, value] of Object.entries(networks)) {
    const encoded = encode(value);
    insert(tree, bitsOf(network), { at: size });
    data.push(encoded);
    size += encoded.length;
  }
  const records = tree.flatMap((node) => node.map((to) => recordOf(to, tree.length)));
  const metadata = encode({
    ...{ binary_format_major_version: 2, binary_format_minor_version: 0, build_epoch: 1_735_732_800 },
    ...{ database_type: type, description: { en: 'Places of the tests' }, ip_version: 6, languages: ['en', 'de'] },
    ...{ node_count: tree.length, record_size: 32 },
  });
  const marker = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
  return Buffer.concat([...records, Buffer.alloc(16), ...data, marker, metadata]);
}

/** Where a bit leads: to another node, to data, or to nothing. */
type Target = number | { readonly at: number } | null;
type Node = [zero: Target, one: Target];

function insert(tree: Node[], bits: readonly (0 | 1)[], data: { readonly at: number }): void {
  let node = tree[0] as Node;
  for (const bit of bits.slice(0, -1)) {
    const next = node[bit];
    if (typeof next === 'number') node = tree[next] as Node;
    else {
      node[bit] = tree.length;
      tree.push([null, null]);
      node = tree.at(-1) as Node;
    }
  }
  node[bits.at(-1) ?? 0] = data;
}

function recordOf(to: Target, nodes: number): Buffer {
  const record = Buffer.alloc(4);
  record.writeUInt32BE(to === null ? nodes : typeof to === 'number' ? to : nodes + 16 + to.at);
  return record;
}

function bitsOf(network: string): readonly (0 | 1)[] {
  const [address = '', length = ''] = network.split('/');
  const isIpv6 = address.includes(':');
  const bytes = isIpv6 ? ipv6Bytes(address) : [...Array(12).fill(0), ...address.split('.').map(Number)];
  const bits = bytes.flatMap((byte: number) =>
    [...byte.toString(2).padStart(8, '0')].map((bit) => (bit === '1' ? 1 : 0)),
  );
  return bits.slice(0, Number(length) + (isIpv6 ? 0 : 96));
}

/** Of an address that ends in `::`. */
function ipv6Bytes(address: string): number[] {
  const groups = address.replace(/::$/, '').split(':');
  const bytes = groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]);
  return [...bytes, ...Array(16 - bytes.length).fill(0)];
}

const types = { text: 2, uint32: 6, map: 7, array: 11 } as const;

function encode(value: Value): Buffer {
  if (typeof value === 'string') {
    const text = Buffer.from(value, 'utf8');
    return Buffer.concat([control(types.text, text.length), text]);
  }
  if (typeof value === 'number') {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(value);
    return Buffer.concat([control(types.uint32, 4), number]);
  }
  if (Array.isArray(value)) return Buffer.concat([control(types.array, value.length), ...value.map(encode)]);
  const entries = Object.entries(value as Readonly<Record<string, Value>>);
  return Buffer.concat([
    control(types.map, entries.length),
    ...entries.flatMap(([key, one]) => [encode(key), encode(one)]),
  ]);
}

/** Sizes up to 28 stand in the first byte; types above 7 in a second one. */
function control(type: number, size: number): Buffer {
  if (size > 28) throw new Error(`the tests' files hold nothing as long as ${size}`);
  return type <= 7 ? Buffer.from([(type << 5) | size]) : Buffer.from([size, type - 7]);
}
