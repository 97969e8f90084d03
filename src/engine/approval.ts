/** A run that waits for people in charge: what they are asked, what they said, and what of it counts. */
import { usernameKey } from '../kernel/text.ts';
import type { Locale } from '../protocol/localize.ts';
import type { Text } from '../protocol/text.ts';
import type { User } from './user.ts';

/** Somebody asks to be approved. It lives as long as the run that waits for it. */
export interface Approval {
  readonly uuid: string;
  readonly run: string;
  readonly flow: string;
  readonly binding: string;
  /** pk of the group whose members decide. */
  readonly group: string;
  /** So many different people must approve. */
  readonly required: number;
  readonly asked: Asked;
  readonly createdAt: number;
  readonly deadlineAt: number;
  /** null without a reminder, and after it. */
  readonly remindAt: number | null;
  /** `void`: the run went elsewhere. */
  readonly status: 'waiting' | 'approved' | 'denied' | 'void';
}

/** Who asks, as they were then. Kept sealed: it holds what they typed, though nothing that was typed in confidence. */
export interface Asked {
  readonly agent: string;
  readonly address: string;
  readonly locale: Locale;
  /** The page's own query, so that the way back leads to the same run. */
  readonly query: Readonly<Record<string, string>>;
  /** What approvers are asked, in an administrator's words. */
  readonly message: string;
  /** What they filled in: the field's key, and what the form calls it. */
  readonly facts: readonly (readonly [key: string, value: string, label?: Text])[];
  /** Accounts that are the applicant's own: they never count. */
  readonly users: readonly number[];
  /** Where the outcome is told; null for nowhere. `proven`: whoever reads it may come back into the run by it. */
  readonly mail: {
    readonly address: string;
    readonly name: string;
    readonly proven: boolean;
    readonly userId: number | null;
  } | null;
}

/** What one approver said. */
export interface ApprovalWord {
  readonly userId: number;
  readonly verdict: 'approve' | 'deny';
  readonly reason: string;
  readonly at: number;
}

/** Something said to the waiting run; `deadline`: nobody said enough in time. */
export interface NewWord {
  readonly verdict: 'approve' | 'deny' | 'deadline';
  readonly by: User | null;
  readonly reason: string;
  readonly address: string;
  readonly requestId: string;
}

/** An approval with what was said, and who may have a say. */
export interface ApprovalFile {
  readonly approval: Approval;
  readonly words: readonly ApprovalWord[];
}

/** Nobody approves themselves, by whichever account, nor by one that has the same address. */
export function isApplicant({ asked }: Approval, user: Pick<User, 'id' | 'email'>): boolean {
  const address = asked.mail?.address ?? '';
  return asked.users.includes(user.id) || (address !== '' && usernameKey(address) === usernameKey(user.email));
}

/** What a personal link is recognised by: a keyed digest of this text. */
export function linkText(approval: string, userId: number): string {
  return ['approval', approval, userId].join('\n');
}

/** The same for the applicant's way back. */
export function wayBackText(approval: string): string {
  return ['approval way back', approval].join('\n');
}
