/** Whose network an address is in, by a file that the operator keeps: GeoLite2 ASN, GeoIP2 ISP, and what others offer so. */
import type { AddressFacts } from '../engine/session-binding.ts';
import { subnetOf } from '../kernel/network.ts';
import { openAddressFile, plain } from './address-file.ts';

/** An open file. */
export interface AsnFile {
  of(address: string): Pick<AddressFacts, 'asn' | 'network'>;
  /** @throws DoorwardError `configuration` */
  refresh(): Promise<void>;
}

/** @throws DoorwardError `configuration` when the file is missing, broken, or says nothing of networks */
export async function openAsnFile(path: string): Promise<AsnFile> {
  const file = await openAddressFile(path, {
    ...{ setting: 'DOORWARD_ASN_FILE (places.asnFile)', kind: 'ASN or ISP' },
    lacks: (type) => (/asn|isp|enterprise/i.test(type) ? null : 'networks'),
  });
  return {
    of(address) {
      const found = file.of(address);
      const asn = numberOf(found?.record.autonomous_system_number ?? found?.record.asn);
      return { asn, network: found === null || asn === null ? null : subnetOf(plain(address), found.bits) };
    },
    refresh: () => file.refresh(),
  };
}

/** Some makers write AS64500. */
function numberOf(value: unknown): number | null {
  const [, digits] = /^(?:AS)?(\d{1,10})$/i.exec(String(value)) ?? [];
  return digits === undefined ? null : Number(digits);
}
