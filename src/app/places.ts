/**
 * Where addresses are: in words, beside a session, in messages, and where somebody asked from; and as facts, which
 * sessions can be bound to. Nobody else is asked.
 */
import { openAsnFile } from '../adapters/asn-file.ts';
import { openPlacesFile } from '../adapters/places-file.ts';
import type { Mail } from '../engine/mail.ts';
import type { AddressFacts, Whereabouts } from '../engine/session-binding.ts';
import type { Locate, Log, PlacesOption } from './options.ts';

export interface Places extends Whereabouts {
  /** City and country in this language; null where nobody knows. Never rejects. */
  named(address: string, locale: string): Promise<string | null>;
  /** The address, and the place in parentheses where it is known. */
  beside(address: string, locale: string): Promise<string>;
  /** The message with the place beside the address that it names. */
  inMail(mail: Mail): Promise<Mail>;
  /** Reads the files again that have changed. */
  refresh(): Promise<void>;
}

const nothing: AddressFacts = { asn: null, network: null, continent: null, country: null, city: null };

/** What an application's own function may take; a page does not wait for longer. */
const longestMs = 1_000;

/** @throws DoorwardError `configuration` where the file cannot be used */
export async function createPlaces(option: PlacesOption | undefined, log: Log): Promise<Places> {
  const paths = typeof option === 'object' ? option : {};
  const file = paths.file === undefined ? null : await openPlacesFile(paths.file);
  const asn = paths.asnFile === undefined ? null : await openAsnFile(paths.asnFile);
  const locate: Locate =
    typeof option === 'function' ? option : (address, locale) => file?.named(address, locale) ?? null;
  const named = async (address: string, locale: string): Promise<string | null> => {
    if (address === '') return null;
    try {
      return (await inTime(locate(address, locale))) || null;
    } catch (error) {
      log('warn', 'the place of an address could not be found', { error: String(error) });
      return null;
    }
  };
  const beside = async (address: string, locale: string): Promise<string> => {
    const place = await named(address, locale);
    return place === null ? address : `${address} (${place})`;
  };
  return {
    ...{ named, beside, files: { network: asn !== null, place: file !== null } },
    of: (address) => ({ ...nothing, ...asn?.of(address), ...file?.of(address) }),
    async inMail(mail) {
      const { place } = mail.values;
      if (typeof place !== 'string') return mail;
      return { ...mail, values: { ...mail.values, place: await beside(place, mail.locale) } };
    },
    async refresh() {
      // A broken one does not keep the other from being read.
      const [one, two] = await Promise.allSettled([file?.refresh(), asn?.refresh()]);
      for (const answer of [one, two]) if (answer.status === 'rejected') throw answer.reason;
    },
  };
}

async function inTime<T>(answer: T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${longestMs} ms`)), longestMs);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
