/** What a message says: the values of its template in words, in its reader's language. */
import { type Mail, type MailTemplate, mailTemplates, noticeSubjects } from '../../engine/mail.ts';
import { deviceText } from '../../protocol/device.ts';
import { type Locale, localize } from '../../protocol/localize.ts';
import { text } from '../../protocol/text.ts';
import type { MessageKey } from '../../protocol/texts/en.ts';

/** One message in words; the parts stand in this order. '' for a part that it lacks. */
export interface Letter {
  readonly subject: string;
  readonly greeting: string;
  readonly sentence: string;
  /** What is on the button. */
  readonly action: string;
  readonly url: string;
  readonly code: string;
  /** Leads in the code. */
  readonly codeNote: string;
  /** Until when, asked for from where, what if it was somebody else. */
  readonly notes: readonly string[];
}

/** The product's own wording of a template. */
export function letterOf(template: MailTemplate, mail: Mail, brand: string): Letter {
  const { locale, values } = mail;
  const say = (key: MessageKey): string => localize(text(key, { brand, ...shownValues(mail) }), locale);
  const name = shownName(mail.to.name);
  const greeting =
    name === '' || template === 'confirmation' || template === 'invitation'
      ? localize(text('mail.greeting_nobody'), locale)
      : localize(text('mail.greeting', { name }), locale);
  const base = { greeting, url: '', code: '', codeNote: '', action: '' };
  if (template === 'notice') {
    const about = noticeSubjects.find((known) => known === values.about) ?? 'password_changed';
    const notes = [say('mail.notice_happened'), say('mail.notice_not_you')];
    return { ...base, subject: say(`mail.${about}_subject`), sentence: say(`mail.${about}`), notes };
  }
  if (isAboutApproval(template)) {
    const sentence = { subject: say(`mail.${template}_subject`), sentence: say(`mail.${template}`) };
    const url = String(values.url ?? '');
    return {
      ...base,
      ...sentence,
      url,
      action: say(`mail.${template}_action`),
      notes: approvalNotes(template, mail, say),
    };
  }
  const code = String(values.code ?? '');
  return {
    ...base,
    ...{
      url: String(values.url ?? ''),
      code,
      codeNote: code === '' ? '' : say(values.url === undefined ? 'mail.code_alone' : 'mail.code'),
    },
    ...{ subject: say(`mail.${template}_subject`), sentence: say(`mail.${template}`) },
    action: say(`mail.${template}_action`),
    notes: [
      ...(values.expires === undefined
        ? []
        : [say(code === '' ? 'mail.expires_link' : values.url === undefined ? 'mail.expires_code' : 'mail.expires')]),
      ...(values.device === undefined ? [] : [say('mail.asked')]),
      say(template === 'invitation' ? 'mail.invitation_not_you' : 'mail.not_you'),
    ],
  };
}

type ApprovalTemplate = Extract<MailTemplate, `approval_${string}`>;

function isAboutApproval(template: MailTemplate): template is ApprovalTemplate {
  return template.startsWith('approval_');
}

/** Until when, and where it was asked from; or why it was denied. */
function approvalNotes(template: ApprovalTemplate, { values }: Mail, say: (key: MessageKey) => string): string[] {
  const asks = template === 'approval_request' || template === 'approval_reminder';
  return [
    ...(values.reason === undefined ? [] : [say('mail.approval_reason')]),
    ...(asks ? [say('mail.approval_until'), say('mail.asked')] : []),
    ...(template === 'approval_approved' && values.url !== undefined ? [say('mail.approval_way_back')] : []),
  ];
}

/** What a template may name: the message's values in words. */
export function shownValues({ locale, to, values }: Mail): Readonly<Record<string, string>> {
  const moment = (value: unknown): string => (typeof value === 'number' ? inWords(value, locale) : '');
  const value = (name: string): string => String(values[name] ?? '');
  return {
    ...{ url: value('url'), code: value('code'), username: shownUsername(value('username')), place: value('place') },
    ...{ name: shownName(to.name), reason: value('reason') },
    device: localize(deviceText(value('device')), locale),
    ...{ expires: moment(values.expires), asked_at: moment(values.time) },
  };
}

/** The product's template of this name; the reference's own names are understood. */
export function knownTemplate(name: string): MailTemplate | null {
  const plain = plainTemplate(name);
  return mailTemplates.find((known) => known === plain) ?? null;
}

const namesOfReference: Readonly<Record<string, MailTemplate>> = {
  password_reset: 'recovery',
  account_confirmation: 'confirmation',
  email_otp: 'sign_in_code',
  event_notification: 'notice',
};

/** `email/password_reset.html` is `recovery`; other names go without folder and ending. */
export function plainTemplate(name: string): string {
  const plain = name.replace(/^email\//, '').replace(/\.html$/, '');
  return Object.hasOwn(namesOfReference, plain) ? (namesOfReference[plain] ?? plain) : plain;
}

/**
 * A name as a greeting has it. Strangers choose names and addresses when they sign up, so one that a mail program would
 * make a link of, or that is a message of its own, is left out.
 */
function shownName(name: string): string {
  return [...name].length > 60 || /[/\\<>@:]|www\.|\.\p{L}{2,}/iu.test(name) ? '' : name;
}

/** Strangers choose usernames too, and some are addresses; one that is a link or a message of its own is left out. */
function shownUsername(username: string): string {
  return [...username].length > 80 || /[/\\<>:]|www\./iu.test(username) ? '…' : username;
}

function inWords(at: number, locale: Locale): string {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
  return `${format.format(at)} UTC`;
}
