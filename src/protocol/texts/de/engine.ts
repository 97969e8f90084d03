import { bodyLimits, mebibytes } from '../../body-limits.ts';
import type { engine as en } from '../en/engine.ts';

export const engine: Record<keyof typeof en, string> = {
  'error.flow_not_found': 'Diese Seite gibt es nicht.',
  'error.not_found': 'Nicht gefunden.',
  'error.method_not_allowed': 'Diese Adresse nimmt diese Methode nicht an.',
  'error.unsupported_media_type': 'Bitte JSON (application/json) oder ein Formular senden.',
  'error.unreadable_body': 'Die Anfrage war nicht lesbar. Sie muss gültiges JSON oder ein Formular sein.',
  'error.invalid_request': 'Die Anfrage ist nicht gültig.',
  'error.body_too_large': `Das Gesendete ist zu groß: Ein Formular darf mit seinen Dateien ${mebibytes(bodyLimits.form)} MiB haben, JSON ${mebibytes(bodyLimits.json)} MiB. Gehen Sie zurück und wählen Sie kleinere Dateien.`,
  'error.foreign_origin':
    'Diese Anfrage kam von einer anderen Website und wurde nicht ausgeführt. Bitte öffnen Sie die Seite hier und versuchen Sie es erneut.',
  'error.not_authenticated': 'Bitte melden Sie sich zuerst an.',
  'error.proof_required': 'Weisen Sie sich zuerst noch einmal aus: Melden Sie sich neu an.',
  'error.forbidden': 'Das ist Ihnen nicht erlaubt.',
  'error.invalid_token': 'Dieses Token ist nicht gültig oder abgelaufen.',
  'error.rate_limited':
    'Zu viele Versuche in kurzer Zeit. Es ging nichts verloren: Bitte versuchen Sie es später noch einmal.',
  'error.too_busy': 'Im Moment ist sehr viel los. Bitte versuchen Sie es gleich noch einmal.',
  'error.store_unavailable':
    'Das lässt sich gerade nicht speichern. Es ging nichts verloren: Bitte versuchen Sie es gleich noch einmal.',
  'error.shutting_down': 'Wir starten gerade neu. Bitte versuchen Sie es gleich noch einmal.',
  'error.internal': 'Bei uns ist etwas schiefgegangen. Bitte versuchen Sie es erneut.',
  'error.configuration': 'Bei uns ist etwas schiefgegangen. Bitte versuchen Sie es erneut.',
  'error.blueprint': 'Der Blueprint ist nicht gültig.',
  'error.refused': 'Diese Änderung war nicht möglich.',
  'error.last_administrator':
    'Dann wäre niemand mehr da, der verwalten darf. Geben Sie zuerst jemand anderem dieses Recht, dann versuchen Sie es erneut.',
  'error.only_sign_in':
    'Nur so ist eine Anmeldung möglich. Legen Sie zuerst ein Passwort fest oder fügen Sie einen Passkey hinzu.',
  'flow.does_not_apply': 'Dieser Ablauf ist für Sie nicht vorgesehen.',
  'flow.gone': 'Diese Seite hat sich inzwischen geändert. Bitte beginnen Sie von vorn.',
  'flow.target_gone': 'Die Seite, die folgen sollte, gibt es nicht mehr.',
  'flow.unknown_error': 'Unbekannter Fehler',
  'flow.invalid_next': 'Ungültige Zieladresse',
  'flow.too_many_stages': 'Dieser Ablauf kommt nicht zum Ende. Bitte sagen Sie der Verwaltung Bescheid.',
  'flow.policy_failed':
    'Eine Prüfung konnte nicht ausgeführt werden, deshalb wird der Zugang verweigert. Bitte versuchen Sie es später erneut.',
  'flow.confirm': 'Weiter',
  'signal.link_gone':
    'Dieser Link wurde benutzt, ist abgelaufen oder wurde durch einen neueren ersetzt. Es ist nichts verloren: Beginnen Sie neu, um einen neuen zu erhalten.',
  'signal.done':
    'Vielen Dank, das ist bestätigt. Machen Sie dort weiter, wo Sie begonnen haben; diese Seite können Sie schließen.',
  'signal.went_on_elsewhere': 'In dem Browser, in dem der Link geöffnet wurde, ging es weiter.',
  'run.already_completed': 'Das ist bereits abgeschlossen. Bitte melden Sie sich an.',
  'user_write.failed': 'Die Änderung konnte nicht gespeichert werden. Bitte versuchen Sie es später erneut.',
};
