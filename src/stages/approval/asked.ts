/** Who asks, and what of it approvers may see. */
import type { Asked } from '../../engine/approval.ts';
import { localeOf } from '../../engine/mail.ts';
import { promptPairs, promptValue } from '../../engine/plan-context.ts';
import type { Desk } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';
import { isSecretName } from '../../kernel/secret-names.ts';
import { masked, Secret } from '../../kernel/secrets.ts';
import { text } from '../../protocol/text.ts';
import type { ApprovalConfig } from './config.ts';

const mostFacts = 50;
const longestFact = 500;

/** The applicant as they are now: they may be gone when somebody looks. */
export async function askedAt(desk: Desk<ApprovalConfig>): Promise<Asked> {
  const { config, context, visitor, read, query } = desk;
  const { user, impersonator, agent, address } = visitor;
  const pending = context.pending_user;
  const account = pending === undefined ? user : 'ref' in pending ? await read.user(pending.ref) : null;
  const made = Object.values(context['doorward/made'] ?? {});
  const known = [user, impersonator, account].filter((one) => one !== null);
  return {
    ...{ agent, address, locale: localeOf(user, visitor), query, message: config.message },
    facts: [...identity(account), ...answers(desk)],
    users: [...new Set([...known.map(({ id }) => id), ...made])],
    mail: mailOf(desk, account),
  };
}

function identity(account: User | null): Asked['facts'] {
  if (account === null) return [];
  const { username, name, email } = account;
  const known = [
    ['username', username, text('account.username')],
    ['name', name, text('account.name')],
    ['email', email, text('account.email')],
  ] as const;
  return known.filter(([, value]) => value !== '');
}

/** What was typed in confidence, or is called a secret, is masked; a file's content is left out. */
function answers({ context, label }: Desk): Asked['facts'] {
  const pairs = promptPairs(context) ?? [];
  return pairs
    .flatMap(([key, value]): Asked['facts'] => {
      if (value instanceof Secret) return [];
      const shown = isSecretName(key) ? masked : shownValue(value);
      const called = label(key);
      return shown === '' ? [] : [called === null ? [key, shown] : [key, shown, called]];
    })
    .slice(0, mostFacts);
}

function shownValue(value: unknown): string {
  const items = Array.isArray(value) ? value : [value];
  const plain = items.filter((item) => ['string', 'number', 'boolean'].includes(typeof item)).join(', ');
  return plain.startsWith('data:') ? '' : [...plain].slice(0, longestFact).join('');
}

/** The address that this run proved, else that of their own account, else what was typed, which proves nothing. */
function mailOf({ context, visitor }: Desk, account: User | null): Asked['mail'] {
  const proven = context['doorward/proven_email'];
  const own = account !== null && account.id === visitor.user?.id;
  const typed = account === null ? promptValue(context, 'email') : account.email;
  const address = proven ?? (typeof typed === 'string' ? typed.trim() : '');
  if (!/^\S+@\S+$/.test(address) || address.length > 320) return null;
  return { address, name: account?.name ?? '', proven: proven !== undefined || own, userId: account?.id ?? null };
}
