import type { stages as en } from '../en/stages.ts';

export const stages: Record<keyof typeof en, string> = {
  'user_write.no_data': 'Es gibt keine Angaben, die gespeichert werden könnten.',
  'user_write.no_user': 'Es wurde kein Konto gefunden, und ein neues kann nicht angelegt werden.',
  'user_write.username_required': 'Ein Benutzername ist erforderlich.',
  'user_write.blank': 'Dieses Feld darf nicht leer sein.',
  'user_write.max_length': 'Dieses Feld darf höchstens {max} Zeichen haben.',
  'user_write.conflict': 'Diese Angabe wurde inzwischen an anderer Stelle geändert. Bitte prüfen Sie sie und senden Sie sie noch einmal.',
  'user_write.username_taken': 'Dieser Benutzername ist bereits vergeben.',
  'identification.failed': 'Die Anmeldung ist fehlgeschlagen.',
  'identification.log_in': 'Anmelden',
  'identification.continue': 'Weiter',
  'identification.required': 'Dieses Feld ist erforderlich.',
  'password.invalid': 'Das Passwort ist nicht richtig.',
  'password.required': 'Dieses Feld ist erforderlich.',
  'password.limited': 'Zu viele falsche Passwörter. Bitte warten Sie einige Minuten und versuchen Sie es dann erneut.',
  'user_login.remember_required': 'Dieses Feld ist erforderlich.',
  'initial_setup.administrator_exists': 'Es gibt bereits eine Verwaltung. Bitte melden Sie sich an.',
  'initial_setup.wrong_secret': 'Dieser Einrichtungslink ist nicht gültig. Bitte verwenden Sie den Link, der beim Start des Servers ausgegeben wurde.',
  'initial_setup.not_an_administrators_group': 'Die Gruppe für die Verwaltung fehlt oder hat keine Verwaltungsrechte.',
};
