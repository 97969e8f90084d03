import { createHash } from 'node:crypto';
import type { PolicyDesk } from '../../engine/policy.ts';

const timeoutMs = 2_000;
const line = /^([0-9A-F]{35}):(\d{1,15})$/i;

/**
 * How often a password is on record as stolen, by k-anonymity (the range search of Have I Been Pwned): the first five
 * of forty digits of its SHA-1 are sent, and the reply is padded, so that its length tells nothing either.
 *
 * @param url what the five digits are put after
 * @throws Error when the service cannot be asked, or does not answer as such a service does
 */
export async function timesStolen(
  { tools }: Pick<PolicyDesk, 'tools'>,
  url: string,
  password: string,
): Promise<number> {
  const digest = createHash('sha1').update(password.normalize('NFC')).digest('hex').toUpperCase();
  const headers = { 'Add-Padding': 'true' };
  const { status, text } = await tools.outbound.send(`${url}${digest.slice(0, 5)}`, { headers, timeoutMs });
  if (status !== 200) throw new Error(`it answered ${status}`);
  let found = 0;
  for (const entry of text.split(/\r?\n/)) {
    if (entry === '') continue;
    // A login page of some network in between must not pass for a list that the password is not on.
    const [, suffix = '', count] = line.exec(entry) ?? [];
    if (suffix === '') throw new Error('it did not answer with a list of digests and counts');
    if (suffix.toUpperCase() === digest.slice(5)) found = Number(count);
  }
  return found;
}
