/** Whom a message is about, and who gets which (EM-1 to EM-3). */
import type { NoticeSubject } from '../../engine/mail.ts';
import { promptValue } from '../../engine/plan-context.ts';
import type { Desk } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';
import { usernameKey } from '../../kernel/text.ts';
import type { EmailConfig } from './config.ts';

/** Who gets a message, or what stands in for it so that nobody can tell. */
export interface Recipient {
  /** The account that the run is about; null for none (yet), and for a stand-in. */
  readonly user: User | null;
  /** The address to prove; '' where there is none. */
  readonly address: string;
  /** The visitor has no account yet, or this run made theirs, or they are signed in to it. */
  readonly isOwn: boolean;
  /** This run made the user. */
  readonly isMade: boolean;
  /** A link; a notice to an account's owner in its place; or nothing at all. */
  readonly gets: 'link' | NoticeSubject | 'nothing';
  /** Whose account the notice is about. */
  readonly told: User | null;
  /** What messages to it are counted by. */
  readonly subject: string;
}

/** `unchanged`: the visitor's own address, which needs no new proof. */
export async function recipientOf(desk: Desk<EmailConfig>): Promise<Recipient | 'unchanged' | null> {
  const { context, visitor, read } = desk;
  const pending = context.pending_user;
  // A stand-in costs the look that an account costs.
  const id = pending === undefined ? (visitor.user?.id ?? null) : 'ref' in pending ? pending.ref : 0;
  const user = id === null ? null : await read.user(id);
  if (pending !== undefined && 'decoy' in pending) return { ...nobody, subject: usernameKey(pending.typed) };
  if (pending !== undefined && user === null) return null;
  const isMade = user !== null && Object.values(context['doorward/made'] ?? {}).includes(user.id);
  const isOwn = user === null || isMade || user.id === visitor.user?.id;
  if (user !== null && !isOwn) return forAccount(user);
  const typed = addressIn(promptValue(context, 'email'));
  if (typed !== '' && typed === user?.email && !isMade) return 'unchanged';
  const address = addressIn(context.email) || typed || (user?.email ?? '');
  if (address === '') return null;
  const own = { user, address, isOwn, isMade, subject: usernameKey(address) };
  // Who only claims an address keeps nobody from proving that it is theirs (decision 17).
  const holder = (await read.usersByEmail(usernameKey(address))).find(
    (known) => known.id !== user?.id && known.emailVerifiedAt !== null,
  );
  return holder === undefined ? { ...own, gets: 'link', told: null } : { ...own, gets: 'account_exists', told: holder };
}

const nobody = { user: null, address: '', isOwn: false, isMade: false, gets: 'nothing', told: null } as const;

/**
 * Somebody's account that this visitor has not proven to be theirs: its own address alone counts, whatever was typed
 * (CVE-2023-26481).
 */
function forAccount(user: User): Recipient {
  const { email: address } = user;
  const base = {
    user,
    address,
    isOwn: false,
    isMade: false,
    told: null,
    subject: usernameKey(address || user.username),
  };
  if (address === '') return { ...base, gets: 'nothing' };
  return user.isActive ? { ...base, gets: 'link' } : { ...base, gets: 'account_inactive', told: user };
}

function addressIn(value: unknown): string {
  return typeof value === 'string' && /^\S+@\S+$/.test(value.trim()) ? value.trim() : '';
}
