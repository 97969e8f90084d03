/** Texte der Nachrichten. */
export const mail = {
  'mail.greeting': 'Guten Tag {name},',
  'mail.greeting_nobody': 'Guten Tag,',
  'mail.confirmation_subject': 'Bestätigen Sie Ihre E-Mail-Adresse für {brand}',
  'mail.confirmation': 'bitte bestätigen Sie, dass dies Ihre E-Mail-Adresse ist.',
  'mail.confirmation_action': 'Adresse bestätigen',
  'mail.recovery_subject': 'Neues Passwort für {brand}',
  'mail.recovery':
    'jemand hat ein neues Passwort für Ihr Konto {username} angefordert. Waren Sie es, geht es hier weiter:',
  'mail.recovery_action': 'Neues Passwort festlegen',
  'mail.sign_in_link_subject': 'Anmeldung bei {brand}',
  'mail.sign_in_link': 'so melden Sie sich als {username} an:',
  'mail.sign_in_link_action': 'Anmelden',
  'mail.invitation_subject': 'Einladung zu {brand}',
  'mail.invitation': 'Sie sind eingeladen, ein Konto bei {brand} anzulegen.',
  'mail.invitation_action': 'Einladung annehmen',
  'mail.invitation_not_you':
    'Möchten Sie die Einladung nicht annehmen, ist nichts zu tun. Geben Sie den Link nicht weiter.',
  'mail.sign_in_code_subject': 'Ihr Code für {brand}',
  'mail.sign_in_code': 'mit diesem Code machen Sie als {username} weiter.',
  'mail.sign_in_code_action': '',
  'mail.code_alone': 'Geben Sie ihn auf der Seite ein, auf der Sie begonnen haben:',
  'mail.expires_code': 'Er gilt einmal, bis {expires}.',
  'mail.code': 'Oder geben Sie diesen Code auf der Seite ein, auf der Sie begonnen haben:',
  'mail.expires': 'Beides gilt einmal, bis {expires}.',
  'mail.expires_link': 'Der Link gilt einmal, bis {expires}.',
  'mail.asked': 'Angefordert mit {device}, Adresse {place}, {asked_at}.',
  'mail.not_you':
    'Waren Sie es nicht, ist nichts zu tun: Ohne den Link oder den Code geschieht nichts. Geben Sie beides nicht weiter.',
  'mail.notice_happened': 'Mit {device}, Adresse {place}, {asked_at}.',
  'mail.notice_not_you': 'Waren Sie es nicht, wenden Sie sich sofort an die Verwaltung von {brand}.',
  'mail.password_changed_subject': 'Ihr Passwort für {brand} wurde geändert',
  'mail.password_changed': 'das Passwort Ihres Kontos {username} wurde geändert.',
  'mail.authenticator_added_subject': 'Bei {brand} können Sie sich auf neue Weise anmelden',
  'mail.authenticator_added':
    'zu Ihrem Konto {username} wurde ein Passkey, eine Authenticator-App oder eine Liste von Wiederherstellungscodes hinzugefügt.',
  'mail.authenticator_removed_subject': 'Bei {brand} wurde eine Art der Anmeldung entfernt',
  'mail.authenticator_removed':
    'aus Ihrem Konto {username} wurde ein Passkey, eine Authenticator-App oder eine Liste von Wiederherstellungscodes entfernt.',
  'mail.email_changed_subject': 'Ihre E-Mail-Adresse für {brand} wurde geändert',
  'mail.email_changed':
    'die E-Mail-Adresse Ihres Kontos {username} wurde geändert. Nachrichten gehen von nun an an die neue Adresse.',
  'mail.source_disconnected_subject': 'Bei {brand} wurde ein verbundenes Konto getrennt',
  'mail.source_disconnected':
    'von Ihrem Konto {username} wurde ein Konto bei einem anderen Dienst getrennt. Damit können Sie sich nicht mehr anmelden.',
  'mail.account_deleted_subject': 'Ihr Konto bei {brand} wurde gelöscht',
  'mail.account_deleted': 'Ihr Konto {username} und seine Daten wurden gelöscht.',
  'mail.account_exists_subject': 'Sie haben bereits ein Konto bei {brand}',
  'mail.account_exists':
    'jemand wollte mit Ihrer E-Mail-Adresse ein Konto anlegen. Sie haben bereits eines: {username}. Waren Sie es, melden Sie sich damit an, oder legen Sie ein neues Passwort fest.',
  'mail.account_inactive_subject': 'Ihr Konto bei {brand} ist deaktiviert',
  'mail.account_inactive':
    'jemand wollte in Ihr Konto {username}. Es ist deaktiviert, deshalb geht das nicht. Mehr erfahren Sie von der Verwaltung von {brand}.',
};
