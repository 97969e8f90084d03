/** The written forms that prompts read. All take linear time. */

const atoms = "[\\w!#$%&'*+/=?^`{|}~-]+";
const label = '[\\p{L}\\p{N}](?:[\\p{L}\\p{N}-]{0,61}[\\p{L}\\p{N}])?';
const emailPattern = new RegExp(
  `^(?=[^@]{1,64}@)${atoms}(?:\\.${atoms})*@(?:localhost|(?:${label}\\.)+(?=\\p{L})${label})$`,
  'u',
);

/** An address as mail servers take it: dot-separated atoms, and a domain of at least two labels or `localhost`. */
export function isEmail(address: string): boolean {
  return emailPattern.test(address);
}

/** An integer that a JSON number holds exactly (below 2^53), or null. */
export function readInteger(typed: string): number | null {
  const value = /^[+-]?\d{1,16}(?:\.0{0,16})?$/.test(typed) ? Number(typed) : Number.NaN;
  return Number.isSafeInteger(value) ? value + 0 : null;
}

/** A day of the calendar, `YYYY-MM-DD`, as it is; or null. */
export function readDate(typed: string): string | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(typed) || typed.startsWith('0000')) return null;
  const date = new Date(`${typed}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(typed) ? typed : null;
}

const dateTimePattern =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:[Zz]|([+-]\d{2}):?(\d{2})?)?$/;

/** An ISO 8601 moment in UTC; a time without a zone counts as UTC. null when it is none. */
export function readDateTime(typed: string): string | null {
  const match = dateTimePattern.exec(typed);
  const date = readDate(match?.[1] ?? '');
  if (match === null || date === null) return null;
  const [, , time = '', seconds = '00', fraction = '', zoneHours, zoneMinutes = '00'] = match;
  const zone = zoneHours === undefined ? 'Z' : `${zoneHours}:${zoneMinutes}`;
  if (time.startsWith('24')) return null;
  const moment = new Date(`${date}T${time}:${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}${zone}`);
  if (Number.isNaN(moment.getTime())) return null;
  const iso = moment.toISOString();
  return /^(?!0000)\d{4}-/.test(iso) ? iso.replace('.000Z', 'Z') : null;
}

const filePattern = /^data:[\w.+/;=%-]{0,200};base64,/;

/** Whether a text is a data URI whose content is base64. */
export function isFile(uri: string): boolean {
  const head = filePattern.exec(uri)?.[0];
  if (head === undefined) return false;
  const body = uri.slice(head.length);
  return body.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(body);
}

/** Bytes of a data URI's content. */
export function sizeOfFile(uri: string): number {
  const body = uri.length - uri.indexOf(',') - 1;
  return (body / 4) * 3 - (uri.endsWith('==') ? 2 : uri.endsWith('=') ? 1 : 0);
}
