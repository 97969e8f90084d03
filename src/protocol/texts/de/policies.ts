import type { policies as en } from '../en/policies.ts';

export const policies: Record<keyof typeof en, string> = {
  'password_policy.missing': 'Ein Passwort ist erforderlich.',
  'password_policy.uppercase': 'Großbuchstaben: mindestens {min} verwenden.',
  'password_policy.lowercase': 'Kleinbuchstaben: mindestens {min} verwenden.',
  'password_policy.digits': 'Ziffern: mindestens {min} verwenden.',
  'password_policy.symbols': 'Sonderzeichen: mindestens {min} verwenden.',
  'password_policy.stolen': 'Dieses Passwort steht auf {count} öffentlichen Listen. Bitte wählen Sie ein anderes.',
  'password_policy.stolen_unknown':
    'Es ließ sich nicht prüfen, ob dieses Passwort als gestohlen bekannt ist. Bitte versuchen Sie es gleich noch einmal.',
  'password_policy.weak':
    'Dieses Passwort ist zu schwach. Verwenden Sie mehr Wörter, und keine, die andere erraten könnten.',
  'password_expiry.expired': 'Das Passwort ist abgelaufen.',
  'password_expiry.change_it': 'Das Passwort ist vor {days} Tagen abgelaufen. Bitte ändern Sie es.',
  'unique_password.used_before': 'Dieses Passwort wurde schon einmal verwendet. Bitte wählen Sie ein anderes.',
};
