/** What the account page says of consents, connected accounts and approvals. */
export const account = {
  'account.consents': 'What you agreed to',
  'account.consents_hint': 'When you withdraw one, you are asked again the next time.',
  'account.consent_given': 'Given',
  'account.consent_until': 'until',
  'account.consent_open': 'until you withdraw it',
  'account.withdraw': 'Withdraw',
  'account.withdraw_of': 'Withdraw your consent: {name}',
  'account.consent_withdrawn': 'Your consent was withdrawn.',
  'account.connections': 'Connected accounts',
  'account.connections_hint': 'You can sign in with these accounts elsewhere.',
  'account.connected': 'Connected',
  'account.disconnect': 'Disconnect',
  'account.disconnect_of': 'Disconnect {name}',
  'account.connection_removed': 'The account was disconnected.',
  'account.connection_needed':
    'This is your only way to sign in. Set a password or add a passkey first, and then disconnect it.',
  'account.approvals_one': 'One request waits for your decision.',
  'account.approvals_waiting': '{count} requests wait for your decision.',
  'account.approvals_open': 'See the requests',
} as const;
