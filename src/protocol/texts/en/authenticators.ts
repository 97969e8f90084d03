/** Texts of authenticators: their stages, their pages, their place on the account page. */
export const authenticators = {
  'authenticator.totp': 'Authenticator app',
  'authenticator.static': 'Recovery codes',
  'authenticator.webauthn': 'Passkey',
  'authenticator.email': 'Email',
  'authenticator.acting': 'While you act as another user you cannot change how they sign in.',
  'authenticator.too_many': 'You have too many authenticators. Remove one first.',
  'authenticator.not_proven': 'First prove who you are: this account is not known to be yours.',
  'authenticator.limited': 'Too many wrong codes. Please wait a while and try again.',
  'authenticator_totp.invalid':
    'This code does not match. Check that the clock of your device is right, and type the code that it shows now.',
  'authenticator_webauthn.failed': 'This passkey could not be registered. Please try again.',
  'authenticator_webauthn.known': 'This passkey is registered already.',
  'authenticator_webauthn.model': 'Passkeys of this kind are not allowed here. Ask the administrator of {brand}.',
  'authenticator_webauthn.attempts': 'Too many attempts.',
  'authenticator_validate.invalid': 'This code is not right, or it was used already.',
  'authenticator_validate.passkey': 'This passkey was not accepted. Please try again.',
  'authenticator_validate.nothing': 'Type a code, or use your passkey.',
  'authenticator_validate.empty': 'Empty response',
  'authenticator_validate.unknown': 'You have no authenticator of this kind.',
  'authenticator_validate.choose': 'Choose one of these.',
  'authenticator_validate.none': 'You have no authenticator that is allowed here.',
} as const;
