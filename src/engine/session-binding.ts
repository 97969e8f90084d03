/** Where a session holds (UL-4): bound to its sign-in's network or place, it ends when it is used from elsewhere. */

/** What a user login stage may bind a session to, each with what must stay the same. The exact address needs no file. */
export const networkBindings = {
  no_binding: [],
  bind_asn: ['asn'],
  bind_asn_network: ['asn', 'network'],
  bind_asn_network_ip: ['ip'],
} as const;
export const geoipBindings = {
  no_binding: [],
  bind_continent: ['continent'],
  bind_continent_country: ['continent', 'country'],
  bind_continent_country_city: ['continent', 'country', 'city'],
} as const;

/** What files say of an address; null for what they do not know. */
export interface AddressFacts {
  /** Number of the autonomous system: of a provider's or an organisation's networks. */
  readonly asn: number | null;
  /** `198.51.100.0/24` */
  readonly network: string | null;
  /** Codes of continent and country, and the city's English name. */
  readonly continent: string | null;
  readonly country: string | null;
  readonly city: string | null;
}

/** The operator's files on addresses; the room `app` answers. */
export interface Whereabouts {
  /** Which of them there are. */
  readonly files: { readonly network: boolean; readonly place: boolean };
  of(address: string): AddressFacts;
}

/** What a session is bound to, as it was at the sign-in; null for what was not known then. What is left out is free. */
export type SessionBinding = Partial<AddressFacts> & { readonly ip?: string };

/** Why a session does not hold any more; the values are those of the sign-in and of the request. */
export interface BrokenBinding {
  /** The reference's `network.missing|asn|asn_network|ip` and `geoip.missing|continent|country|city`. */
  readonly reason: string;
  readonly previous: string | number | null;
  readonly present: string | number | null;
}

interface Wanted {
  readonly network_binding: keyof typeof networkBindings;
  readonly geoip_binding: keyof typeof geoipBindings;
}

/**
 * Binds a session that begins at this address.
 *
 * @returns null for one that nothing is bound to, or what is lacking to keep such a binding, for the log
 */
export function bindSession(
  { network_binding, geoip_binding }: Wanted,
  address: string,
  whereabouts: Whereabouts,
): { readonly boundTo: SessionBinding | null } | { readonly lacking: string } {
  const members = [...networkBindings[network_binding], ...geoipBindings[geoip_binding]];
  if (members.length === 0) return { boundTo: null };
  if (address === '') return { lacking: 'the address of the request: pass it to fetch as { address }' };
  const { files } = whereabouts;
  if (!files.network && network_binding !== 'bind_asn_network_ip' && network_binding !== 'no_binding')
    return { lacking: `DOORWARD_ASN_FILE (places.asnFile), for network_binding ${network_binding}` };
  if (!files.place && geoip_binding !== 'no_binding')
    return { lacking: `DOORWARD_GEOIP_FILE (places.file), for geoip_binding ${geoip_binding}` };
  const facts = { ...whereabouts.of(address), ip: address };
  return { boundTo: Object.fromEntries(members.map((member) => [member, facts[member]])) };
}

const reasons = {
  ...{ asn: 'network.asn', network: 'network.asn_network', ip: 'network.ip' },
  ...{ continent: 'geoip.continent', country: 'geoip.country', city: 'geoip.city' },
} as const;
const ordered = Object.keys(reasons) as readonly (keyof typeof reasons)[];

/** What of the binding does not hold at this address, or null. What is not known, then or now, holds nothing. */
export function brokenBinding(bound: SessionBinding, address: string, whereabouts: Whereabouts): BrokenBinding | null {
  const facts = { ...whereabouts.of(address), ip: address };
  for (const member of ordered) {
    const previous = bound[member];
    if (previous === undefined) continue;
    const present = facts[member];
    const isKnown = previous !== null && present !== null;
    if (isKnown && previous === present) continue;
    const reason = isKnown ? reasons[member] : reasons[member].replace(/\..*/, '.missing');
    return { reason, previous, present };
  }
  return null;
}
