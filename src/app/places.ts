/** Where addresses are, in words: beside a session, in messages, and where somebody asked from. Nobody else is asked. */
import { openPlacesFile } from '../adapters/places-file.ts';
import type { Mail } from '../engine/mail.ts';
import type { Locate, Log, PlacesOption } from './options.ts';

export interface Places {
  /** City and country in this language; null where nobody knows. Never rejects. */
  of(address: string, locale: string): Promise<string | null>;
  /** The address, and the place in parentheses where it is known. */
  beside(address: string, locale: string): Promise<string>;
  /** The message with the place beside the address that it names. */
  inMail(mail: Mail): Promise<Mail>;
  /** Reads a file again where it has changed. */
  refresh(): Promise<void>;
}

/** What an application's own function may take; a page does not wait for longer. */
const longestMs = 1_000;

/** @throws DoorwardError `configuration` where the file cannot be used */
export async function createPlaces(option: PlacesOption | undefined, log: Log): Promise<Places> {
  const file = typeof option === 'object' ? await openPlacesFile(option.file) : null;
  const locate: Locate = typeof option === 'function' ? option : (address, locale) => file?.of(address, locale) ?? null;
  const of = async (address: string, locale: string): Promise<string | null> => {
    if (address === '') return null;
    try {
      return (await inTime(locate(address, locale))) || null;
    } catch (error) {
      log('warn', 'the place of an address could not be found', { error: String(error) });
      return null;
    }
  };
  const beside = async (address: string, locale: string): Promise<string> => {
    const place = await of(address, locale);
    return place === null ? address : `${address} (${place})`;
  };
  return {
    ...{ of, beside },
    async inMail(mail) {
      const { place } = mail.values;
      if (typeof place !== 'string') return mail;
      return { ...mail, values: { ...mail.values, place: await beside(place, mail.locale) } };
    },
    refresh: async () => file?.refresh(),
  };
}

async function inTime<T>(answer: T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${longestMs} ms`)), longestMs);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
