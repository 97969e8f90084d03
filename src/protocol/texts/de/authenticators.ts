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
  'page.totp_scan':
    'Scannen Sie dieses Bild mit Ihrer Authenticator-App und geben Sie dann den Code ein, den die App zeigt.',
  'page.totp_qr': 'Bild mit dem Schlüssel für Ihre Authenticator-App',
  'page.totp_type': 'Oder geben Sie diesen Schlüssel in die App ein:',
  'page.totp_here': 'In einer App auf diesem Gerät öffnen',
  'page.totp_code': 'Code aus der App',
  'page.copy': 'Kopieren',
  'page.copied': 'Kopiert',
  'page.print': 'Drucken',
  'page.codes_keep':
    'Bewahren Sie diese Codes so auf, dass nur Sie sie finden. Mit jedem kommen Sie einmal in Ihr Konto, wenn Sie nichts anderes zur Hand haben. Sie werden nur dieses eine Mal gezeigt.',
  'page.codes_kept': 'Ich habe sie aufbewahrt',
  'page.passkey_what':
    'Mit einem Passkey melden Sie sich mit Fingerabdruck, Gesicht, der PIN Ihres Geräts oder einem Sicherheitsschlüssel an.',
  'page.passkey_register': 'Passkey anlegen',
  'page.passkey_button': 'Passkey verwenden',
  'page.passkey_sign_in': 'Mit Passkey anmelden',
  'page.passkey_use': 'Bestätigen Sie mit Ihrem Passkey, dass Sie es sind.',
  'page.passkey_failed': 'Das hat nicht geklappt oder wurde abgebrochen. Sie können es noch einmal versuchen.',
  'page.passkey_script': 'Passkeys brauchen JavaScript, das in diesem Browser ausgeschaltet ist.',
  'page.factor_use': 'Noch ein Schritt, der zeigt, dass Sie es wirklich sind.',
  'page.factor_totp': 'Code aus Ihrer Authenticator-App',
  'page.factor_static': 'Wiederherstellungscode',
  'page.factor_both': 'Code aus Ihrer Authenticator-App oder ein Wiederherstellungscode',
  'page.factor_choose': 'Ihr Konto braucht einen zweiten Nachweis, dass Sie es sind. Wählen Sie einen:',
};
