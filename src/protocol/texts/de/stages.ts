import type { stages as en } from '../en/stages.ts';

export const stages: Record<keyof typeof en, string> = {
  'user_write.no_data': 'Es gibt keine Angaben, die gespeichert werden könnten.',
  'user_write.no_user': 'Es wurde kein Konto gefunden, und ein neues kann nicht angelegt werden.',
  'user_write.username_required': 'Ein Benutzername ist erforderlich.',
  'user_write.conflict':
    'Diese Angabe wurde inzwischen an anderer Stelle geändert. Bitte prüfen Sie sie und senden Sie sie noch einmal.',
  'user_write.conflict_now':
    'Diese Angabe wurde inzwischen an anderer Stelle geändert und lautet jetzt „{value}“. Soll stattdessen Ihre gelten, senden Sie sie noch einmal.',
  'user_write.conflict_removed':
    'Diese Angabe wurde inzwischen an anderer Stelle entfernt. Soll Ihre gelten, senden Sie sie noch einmal.',
  'user_delete.nobody': 'Hier gibt es kein Konto, das Sie löschen können.',
  'user_delete.action': 'Konto löschen',
  'user_delete.confirm':
    'Soll das Konto {username} mit seinen Daten gelöscht werden? Das lässt sich nicht rückgängig machen.',
  'identification.failed': 'Die Anmeldung ist fehlgeschlagen.',
  'identification.log_in': 'Anmelden',
  'identification.continue': 'Weiter',
  'password.invalid': 'Das Passwort ist nicht richtig.',
  'password.limited': 'Zu viele falsche Passwörter. Bitte warten Sie einige Minuten und versuchen Sie es dann erneut.',
  'initial_setup.administrator_exists': 'Es gibt bereits eine Verwaltung. Bitte melden Sie sich an.',
  'initial_setup.wrong_secret':
    'Dieser Einrichtungslink ist nicht gültig. Bitte verwenden Sie den Link, der beim Start des Servers ausgegeben wurde.',
  'initial_setup.not_an_administrators_group': 'Die Gruppe für die Verwaltung fehlt oder hat keine Verwaltungsrechte.',
  'email.refused':
    'Von hier können zurzeit keine Nachrichten versandt werden. Bitte geben Sie der Verwaltung Bescheid.',
  'email.no_address': 'Es gibt keine E-Mail-Adresse, an die eine Nachricht gehen könnte.',
  'email.gone': 'Dieser Link oder Code wurde benutzt oder ist abgelaufen. Bitte fordern Sie eine neue Nachricht an.',
  'email.wrong_code':
    'Dieser Code ist nicht richtig. Sehen Sie in der neuesten Nachricht nach, oder fordern Sie eine neue an.',
  'email.too_many':
    'Zu viele falsche Codes. Bitte fordern Sie eine neue Nachricht an, oder versuchen Sie es später noch einmal.',
  'email.too_many_messages':
    'Es wurden zu viele Nachrichten angefordert. Bitte warten Sie einige Minuten und versuchen Sie es dann erneut.',
  'email.sent_again': 'Eine neue Nachricht ist unterwegs. Ältere gelten nicht mehr.',
  'email.confirm': 'Ist {address} Ihre Adresse?',
  'email.go_on_here': 'Soll es in diesem Browser weitergehen, für {address}?',
  'consent.invalid_token':
    'Diese Seite war nicht mehr die neueste. Bitte sehen Sie sie noch einmal an und bestätigen Sie erneut.',
  'invitation.invalid':
    'Diese Einladung ist nicht gültig. Vielleicht ist sie unvollständig, abgelaufen, schon benutzt oder für etwas anderes bestimmt. Bitte lassen Sie sich noch einmal einladen.',
  'one_time_link.invalid':
    'Dieser Link ist nicht gültig. Vielleicht wurde er schon benutzt, ist abgelaufen oder wurde durch einen neueren ersetzt. Bitte fordern Sie einen neuen Link an.',
  'profile.minimum': 'Das muss mindestens {min} sein.',
  'profile.maximum': 'Das darf höchstens {max} sein.',
  'profile.format': 'Diese Angabe hat nicht die erwartete Form.',
  'profile.unknown': 'Diese Angabe ist hier nicht vorgesehen.',
  'prompt.required': 'Dieses Feld ist erforderlich.',
  'prompt.blank': 'Dieses Feld darf nicht leer sein.',
  'prompt.null': 'Dieses Feld darf nicht ohne Wert sein.',
  'prompt.invalid': 'Diese Angabe ist nicht gültig.',
  'prompt.unstorable': 'Diese Angabe enthält ein Zeichen, das nicht gespeichert werden kann.',
  'prompt.invalid_choice': 'Das steht nicht zur Auswahl.',
  'prompt.invalid_email': 'Bitte geben Sie eine gültige E-Mail-Adresse ein.',
  'prompt.invalid_number': 'Bitte geben Sie eine ganze Zahl ein.',
  'prompt.invalid_date': 'Bitte geben Sie ein gültiges Datum ein, das Jahr zuerst: 2025-12-31.',
  'prompt.invalid_date_time': 'Bitte geben Sie Datum und Uhrzeit gültig ein, das Jahr zuerst: 2025-12-31 18:00.',
  'prompt.invalid_file_scheme': 'Die Datei wurde nicht in der richtigen Form gesendet (als Data-URI).',
  'prompt.invalid_file_encoding': 'Die Datei wurde nicht richtig kodiert gesendet (als Base64).',
  'prompt.max_size': 'Diese Datei ist zu groß. Sie darf höchstens {max} KiB haben.',
  'prompt.max_length': 'Das dürfen höchstens {max} Zeichen sein.',
  'prompt.min_length': 'Bitte verwenden Sie mindestens {min} Zeichen.',
  'prompt.passwords_differ': 'Die Passwörter stimmen nicht überein.',
  'prompt.not_accepted':
    'Diese Angaben wurden nicht angenommen. Bitte ändern Sie sie und versuchen Sie es noch einmal.',
  'prompt.username_taken': 'Dieser Benutzername ist bereits vergeben.',
};
