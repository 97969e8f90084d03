import type { captcha as english } from '../en/captcha.ts';

export const captcha: Readonly<Record<keyof typeof english, string>> = {
  'captcha.missing': 'Bitte bestätigen Sie zuerst, dass Sie ein Mensch sind.',
  'captcha.unknown': 'Wir konnten nicht prüfen, ob Sie ein Mensch sind. Bitte versuchen Sie es gleich noch einmal.',
  'captcha.refused': 'Die Prüfung, ob Sie ein Mensch sind, wurde nicht bestanden.',
  'captcha.refused_retry': 'Die Prüfung, ob Sie ein Mensch sind, ist abgelaufen. Bitte versuchen Sie es noch einmal.',
  'page.captcha_lead': 'Vor dem nächsten Schritt eine Prüfung: Sind Sie ein Mensch?',
  'page.captcha_noscript':
    'Diese Prüfung braucht JavaScript eines anderen Anbieters. Bitte schalten Sie JavaScript für diese Seite ein und laden Sie sie neu.',
  'page.captcha_blocked':
    'Die Prüfung konnte nicht geladen werden. Bitte erlauben Sie ihren Anbieter im Browser und laden Sie die Seite neu.',
};
