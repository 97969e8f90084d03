import type { JsonObject } from '../kernel/json.ts';
import type { Locale } from '../protocol/localize.ts';
import { isLocale } from '../protocol/localize.ts';
import type { Text } from '../protocol/text.ts';
import type { Effect } from './effects.ts';
import { languageSetting } from './scene.ts';
import type { User } from './user.ts';
import type { Visitor } from './visitor.ts';

/** What the templates of the product are called; a folder of templates may hold others. */
export const mailTemplates = [
  'confirmation',
  'recovery',
  'sign_in_link',
  'sign_in_code',
  'invitation',
  'approval_request',
  'approval_reminder',
  'approval_approved',
  'approval_denied',
  'notice',
] as const;
export type MailTemplate = (typeof mailTemplates)[number];

/** What a notice tells an account's owner of. */
export const noticeSubjects = [
  'password_changed',
  'email_changed',
  'authenticator_added',
  'authenticator_removed',
  'source_disconnected',
  'account_deleted',
  'account_exists',
  'account_inactive',
] as const;
export type NoticeSubject = (typeof noticeSubjects)[number];

/** A message to be written when it is delivered. Its template fills the values in; none of them is trusted. */
export interface Mail {
  readonly template: string;
  readonly locale: Locale;
  readonly to: { readonly name: string; readonly address: string };
  /** Moments in milliseconds since the epoch; `url` is the link, `code` the short code. */
  readonly values: Readonly<Record<string, string | number>>;
  /** In place of the template's own. */
  readonly subject?: Text;
  /** In place of the installation's own sender. */
  readonly from?: string;
  /** Milliseconds since the epoch: afterwards nobody needs it, and it leaves no more. */
  readonly until?: number;
}

/**
 * The message in the outbox. `nobody`: a stand-in's, whose writing costs what a real one's does, and which never leaves.
 */
export function mailEffect(mail: Mail, userId: number | null, at: number, nobody = false): Effect {
  const payload = { ...mail, to: { name: oneLine(mail.to.name), address: oneLine(mail.to.address) } };
  return {
    kind: 'outbox',
    message: { kind: 'mail', channel: nobody ? nobodysChannel : 'mail', userId, payload: asJson(payload), at },
  };
}

/** Messages of this channel are taken out of the outbox and written as any, and then reach nobody. */
export const nobodysChannel = 'nobody';

/** What a notice says of whoever was at the door. */
type Teller = Pick<Visitor, 'agent' | 'address' | 'locale'>;

/**
 * Tells an account's owner what happened to it; nothing where they have no address.
 *
 * @param address where it goes, if not to the account's own address
 */
export function notice(
  about: NoticeSubject,
  { user, visitor, at }: { readonly user: User; readonly visitor: Teller; readonly at: number },
  address = user.email,
): readonly Effect[] {
  if (address === '') return [];
  const mail: Mail = {
    ...{ template: 'notice', locale: localeOf(user, visitor), to: { name: user.name, address } },
    values: { about, username: user.username, name: user.name, ...whoAsked(visitor, at) },
  };
  return [mailEffect(mail, user.id, at)];
}

/** Who is at the door, for the reader of a message. */
export function whoAsked(
  { agent, address }: Pick<Visitor, 'agent' | 'address'>,
  at: number,
): { device: string; place: string; time: number } {
  return { device: agent, place: address, time: at };
}

/** The user's own language, else that of whoever is at the door. */
export function localeOf(user: User | null, visitor: Pick<Visitor, 'locale'>): Locale {
  const setting = languageSetting(user);
  const own = typeof setting === 'string' ? (setting.toLowerCase().split(/[-_]/)[0] ?? '') : '';
  return isLocale(own) ? own : isLocale(visitor.locale) ? visitor.locale : 'en';
}

/** Without the characters that end a header (EM-2). */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}

function asJson(mail: object): JsonObject {
  return JSON.parse(JSON.stringify(mail)) as JsonObject;
}
