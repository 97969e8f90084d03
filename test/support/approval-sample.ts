import type { Approval } from '../../src/engine/approval.ts';
import { approvalPage, approvalsPage, wayBackPage } from '../../src/pages/approval.tsx';
import { brand } from './account-sample.ts';

const at = Date.UTC(2025, 0, 1, 12);
const approval: Approval = {
  ...{ uuid: '00000000-0000-4000-8000-00000000000b', run: 'run', flow: 'enrollment-approval', binding: 'binding' },
  ...{ group: 'group', required: 2, createdAt: at, deadlineAt: at + 7 * 86_400_000, remindAt: null, status: 'waiting' },
  asked: {
    ...{ agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', address: '2001:db8::5' },
    ...{ locale: 'en', query: {}, message: 'Somebody asks for an account. Do you know them?', users: [], mail: null },
    facts: [
      ['username', 'ada.lovelace', { $lang: { en: 'Username', de: 'Benutzername' } }],
      ['email', 'ada.lovelace.with.a.very.long.address@analytical-engine.example.org'],
      ['attributes.reason', 'I work on the engines. '.repeat(8), 'Why you want to join'],
    ],
  },
};
const words = [{ userId: 7, verdict: 'approve', reason: '', at }] as const;
const shown = {
  ...{ file: { approval, words }, own: null, isLate: false, csrf: 'step-token', action: '/if/approvals/b/' },
  ...{ isMissing: false, byLink: false },
};
const nothing = { ...approval, asked: { ...approval.asked, facts: [], message: '' } };
const en = { brand, locale: 'en' } as const;
const de = { brand, locale: 'de' } as const;

/** The pages of those who decide, and the way back, with made-up data. */
export const approvalSamples: Readonly<Record<string, string>> = {
  'approval-request': approvalPage(en, shown),
  'approval-request-problem-de': approvalPage(de, { ...shown, isMissing: true, byLink: true }),
  'approval-request-done': approvalPage(en, { ...shown, file: { approval: nothing, words: [] }, own: 'approve' }),
  'approval-request-gone': approvalPage(de, null),
  approvals: approvalsPage(en, [approval, nothing], new Map()),
  'approvals-none-de': approvalsPage(de, [], new Map()),
  'approval-way-back': wayBackPage(en, { state: 'open', action: '/if/approvals/b/return/', csrf: '' }),
  'approval-way-back-signed-in-de': wayBackPage(de, { state: 'sign_out', action: '', csrf: '' }),
};
