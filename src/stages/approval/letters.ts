/** The messages of an approval: to those who decide, and to who asked. None holds what the applicant filled in. */
import { type Approval, isApplicant, linkText, wayBackText } from '../../engine/approval.ts';
import type { Effect } from '../../engine/effects.ts';
import { localeOf, type Mail, mailEffect, whoAsked } from '../../engine/mail.ts';
import type { User } from '../../engine/user.ts';

/** What links are made with. */
export interface LinkParts {
  readonly linkBase: string;
  /** Keyed. */
  digest(text: string): string;
}

/** So long the applicant may come back to what was approved. */
export const wayBackMs = 7 * 86_400_000;

/** One to each approver who has an address, with a link of their own. */
export function requestLetters(
  approval: Approval,
  approvers: readonly User[],
  { linkBase, digest, at, again }: LinkParts & { readonly at: number; readonly again: boolean },
): readonly Effect[] {
  const { uuid, asked, createdAt, deadlineAt } = approval;
  const readers = approvers.filter((user) => user.email !== '' && !isApplicant(approval, user));
  return readers.map((user) => {
    const key = `${user.id}.${digest(linkText(uuid, user.id))}`;
    const mail: Mail = {
      template: again ? 'approval_reminder' : 'approval_request',
      ...{ locale: localeOf(user, asked), to: { name: user.name, address: user.email }, until: deadlineAt },
      values: {
        ...{ ...whoAsked(asked, createdAt), username: user.username, expires: deadlineAt },
        url: `${linkBase}/if/approvals/${uuid}/?key=${key}`,
      },
    };
    return mailEffect(mail, user.id, at);
  });
}

/** Tells who asked. Only an address that was proven to be theirs gets the way back into the run. */
export function outcomeLetter(
  { uuid, asked }: Approval,
  outcome: { readonly status: 'approved' | 'denied'; readonly reason: string; readonly at: number },
  { linkBase, digest }: LinkParts,
): readonly Effect[] {
  if (asked.mail === null) return [];
  const { address, name, proven, userId } = asked.mail;
  const { status, reason, at } = outcome;
  const link = `${linkBase}/if/approvals/${uuid}/return/?key=${digest(wayBackText(uuid))}`;
  const mail: Mail = {
    ...{ template: `approval_${status}`, locale: asked.locale, to: { name, address } },
    values: {
      ...(reason === '' ? {} : { reason }),
      ...(status === 'approved' && proven ? { url: link, expires: at + wayBackMs } : {}),
    },
    until: at + wayBackMs,
  };
  return [mailEffect(mail, userId, at)];
}
