/** Short codes by mail as a second factor: sent by the commit, kept sealed in the run until they are typed or expire. */
import { randomInt } from 'node:crypto';
import * as z from 'zod';
import type { Effect } from '../engine/effects.ts';
import { localeOf, mailEffect, whoAsked } from '../engine/mail.ts';
import type { Desk } from '../engine/stage.ts';
import type { User } from '../engine/user.ts';
import { isPositiveDuration, parseDuration } from '../kernel/duration.ts';
import { isPlainObject, type Json } from '../kernel/json.ts';
import { networkOf } from '../kernel/network.ts';
import { Secret, sameText } from '../kernel/secrets.ts';

/** Messages to one address, and to any from one client. */
const most = { address: 5, client: 20, windowMs: 5 * 60_000 } as const;

/** How a code is sent; the members of a mail server of one's own are the installation's here (docs/mail.md). */
export const emailCodeConfig = z.object({
  use_global_settings: z
    .boolean()
    .default(false)
    .describe('Sends as the installation does, whatever from_address says.'),
  from_address: z
    .union([z.literal(''), z.string().regex(/^[^\r\n]*@[^\r\n]+$/, 'is not an address')])
    .default('')
    .describe('Sender; the installation’s own where it is empty.'),
  token_expiry: z
    .string()
    .refine(isPositiveDuration, 'is not a duration; write for example minutes=30')
    .default('minutes=30')
    .describe('How long a code is good for.'),
  subject: z.string().default('').describe('In place of the template’s own subject.'),
  template: z
    .string()
    .regex(/^[\w./-]+$/, 'is not the name of a template')
    .default('sign_in_code')
    .describe('sign_in_code, or one of your own.'),
});
export type EmailCodeConfig = z.infer<typeof emailCodeConfig>;

/** A code that was sent. */
export interface SentCode {
  readonly code: string;
  readonly address: string;
  readonly until: number;
  /** Of the user that it was sent to. */
  readonly user: number;
}

/**
 * Sends a code; an older one is void. null where no mail can be sent from here.
 *
 * The effects are refused with `limited` when too many were sent.
 */
export function sendCode(
  desk: Desk,
  { user, address, config }: { readonly user: User; readonly address: string; readonly config: EmailCodeConfig },
): { readonly sent: SentCode; readonly effects: readonly Effect[] } | null {
  const { tools, visitor } = desk;
  if (tools.mail.refused !== null || !tools.mail.hasTemplate(config.template)) {
    tools.log('warn', 'a code could not be sent', { stage: desk.stage.name, why: tools.mail.refused ?? 'no template' });
    return null;
  }
  tools.limits.spend('messages', visitor);
  const at = tools.now();
  const sent = { code: String(randomInt(1_000_000)).padStart(6, '0'), address, user: user.id };
  const until = at + parseDuration(config.token_expiry);
  const counted = { windowMs: most.windowMs, at };
  const mail = {
    ...{ template: config.template, locale: localeOf(user, visitor), to: { name: user.name, address } },
    values: { code: sent.code, expires: until, username: user.username, ...whoAsked(visitor, at) },
    ...(config.subject === '' ? {} : { subject: config.subject }),
    ...(config.from_address === '' || config.use_global_settings ? {} : { from: config.from_address }),
    until,
  };
  return {
    sent: { ...sent, until },
    effects: [
      { kind: 'attempt.fail', bucket: `mail@${networkOf(visitor.address)}`, limit: most.client, ...counted },
      {
        ...{ kind: 'attempt.fail', limit: most.address, ...counted },
        bucket: `mail:${tools.hashToken(address.toLowerCase())}`,
      },
      mailEffect(mail, user.id, at),
    ],
  };
}

/** What a stage keeps of a code until it is typed. */
export function keptCode(sent: SentCode): Secret {
  return new Secret(JSON.stringify(sent));
}

export function sentCode(memo: Json | Secret): SentCode | null {
  const kept: unknown = memo instanceof Secret ? JSON.parse(memo.reveal()) : null;
  return isPlainObject(kept) && typeof kept.code === 'string' ? (kept as unknown as SentCode) : null;
}

/** Compared as text: leading zeros count, which some clients lose. */
export function isRightCode({ code, until }: SentCode, typed: string, now: number): boolean {
  return until > now && sameText(code, typed.padStart(code.length, '0'));
}
