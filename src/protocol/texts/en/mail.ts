/** Texts of messages. */
export const mail = {
  'mail.greeting': 'Hello {name},',
  'mail.greeting_nobody': 'Hello,',
  'mail.confirmation_subject': 'Confirm your email address for {brand}',
  'mail.confirmation': 'please confirm that this is your email address.',
  'mail.confirmation_action': 'Confirm the address',
  'mail.recovery_subject': 'Set a new password for {brand}',
  'mail.recovery': 'somebody asked for a new password for your account {username}. If it was you, go on here:',
  'mail.recovery_action': 'Set a new password',
  'mail.sign_in_link_subject': 'Sign in to {brand}',
  'mail.sign_in_link': 'here is your way to sign in as {username}:',
  'mail.sign_in_link_action': 'Sign in',
  'mail.invitation_subject': 'You are invited to {brand}',
  'mail.invitation': 'you are invited to open an account with {brand}.',
  'mail.invitation_action': 'Accept the invitation',
  'mail.invitation_not_you': 'If you do not want it, ignore this message. Give the link to nobody.',
  'mail.sign_in_code_subject': 'Your code for {brand}',
  'mail.sign_in_code': 'this is your code to go on as {username}.',
  'mail.sign_in_code_action': '',
  'mail.code_alone': 'Type it on the page where you started:',
  'mail.expires_code': 'It works once, until {expires}.',
  'mail.code': 'Or type this code on the page where you started:',
  'mail.expires': 'Both work once, until {expires}.',
  'mail.expires_link': 'The link works once, until {expires}.',
  'mail.asked': 'Asked for from {device}, address {place}, {asked_at}.',
  'mail.not_you':
    'If this was not you, ignore this message: nothing happens without the link or the code. Give them to nobody.',
  'mail.notice_happened': 'From {device}, address {place}, {asked_at}.',
  'mail.notice_not_you': 'If this was not you, tell the administrator of {brand} at once.',
  'mail.password_changed_subject': 'Your password for {brand} was changed',
  'mail.password_changed': 'the password of your account {username} was changed.',
  'mail.authenticator_added_subject': 'A new way to sign in to {brand} was added',
  'mail.authenticator_added':
    'a passkey, an authenticator app or recovery codes were added to your account {username}.',
  'mail.authenticator_removed_subject': 'A way to sign in to {brand} was removed',
  'mail.authenticator_removed':
    'a passkey, an authenticator app or recovery codes were removed from your account {username}.',
  'mail.email_changed_subject': 'Your email address for {brand} was changed',
  'mail.email_changed':
    'the email address of your account {username} was changed. From now on messages go to the new address.',
  'mail.source_disconnected_subject': 'An account was disconnected from {brand}',
  'mail.source_disconnected':
    'an account elsewhere was disconnected from your account {username}. You can no longer sign in with it.',
  'mail.account_deleted_subject': 'Your account with {brand} was deleted',
  'mail.account_deleted': 'your account {username} and its data were deleted.',
  'mail.account_exists_subject': 'You already have an account with {brand}',
  'mail.account_exists':
    'somebody tried to open an account with your email address. You have one already: {username}. If it was you, sign in with it, or set a new password.',
  'mail.account_inactive_subject': 'Your account with {brand} is deactivated',
  'mail.account_inactive':
    'somebody tried to get into your account {username}. It is deactivated, so this is not possible. The administrator of {brand} can tell you more.',
} as const;
