import type { authenticators as english } from '../en/authenticators.ts';

export const authenticators: Record<keyof typeof english, string> = {
  'authenticator.totp': 'Authenticator-App',
  'authenticator.static': 'Wiederherstellungscodes',
  'authenticator.webauthn': 'Passkey',
  'authenticator.email': 'E-Mail',
  'authenticator.acting':
    'Während Sie für jemand anderen handeln, können Sie nicht ändern, wie sich die Person anmeldet.',
  'authenticator.too_many': 'Sie haben zu viele Authentifikatoren. Entfernen Sie zuerst einen.',
  'authenticator.not_proven': 'Weisen Sie sich zuerst aus: Es steht nicht fest, dass dieses Konto Ihres ist.',
  'authenticator.limited': 'Zu viele falsche Codes. Bitte warten Sie eine Weile und versuchen Sie es dann erneut.',
  'authenticator_totp.invalid':
    'Dieser Code passt nicht. Prüfen Sie, ob die Uhr Ihres Geräts richtig geht, und geben Sie den Code ein, den es jetzt zeigt.',
  'authenticator_webauthn.failed': 'Dieser Passkey konnte nicht registriert werden. Bitte versuchen Sie es erneut.',
  'authenticator_webauthn.known': 'Dieser Passkey ist bereits registriert.',
  'authenticator_webauthn.model':
    'Passkeys dieser Art sind hier nicht erlaubt. Fragen Sie die Administration von {brand}.',
  'authenticator_webauthn.attempts': 'Zu viele Versuche.',
  'authenticator_validate.invalid': 'Dieser Code ist nicht richtig oder wurde schon verwendet.',
  'authenticator_validate.passkey': 'Dieser Passkey wurde nicht angenommen. Bitte versuchen Sie es erneut.',
  'authenticator_validate.nothing': 'Geben Sie einen Code ein oder verwenden Sie Ihren Passkey.',
  'authenticator_validate.empty': 'Leere Antwort',
  'authenticator_validate.unknown': 'Einen solchen Authentifikator haben Sie nicht.',
  'authenticator_validate.choose': 'Wählen Sie eine dieser Möglichkeiten.',
  'authenticator_validate.none': 'Sie haben keinen Authentifikator, der hier erlaubt ist.',
};
