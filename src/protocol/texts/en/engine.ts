import { bodyLimits, mebibytes } from '../../body-limits.ts';

/** Texts of the engine and of errors. `error.<code>` is what a visitor reads; the detail stays in the log. */
export const engine = {
  'error.flow_not_found': 'This page does not exist.',
  'error.not_found': 'Not found.',
  'error.method_not_allowed': 'This address does not accept that method.',
  'error.unsupported_media_type': 'Send JSON (application/json) or a form.',
  'error.unreadable_body': 'The request could not be read. Check that it is valid JSON or a form.',
  'error.invalid_request': 'The request is not valid.',
  'error.body_too_large': `What was sent is too large: a form may have ${mebibytes(bodyLimits.form)} MiB with its files, JSON ${mebibytes(bodyLimits.json)} MiB. Go back and choose smaller files.`,
  'error.foreign_origin':
    'This request came from another site, so it was not carried out. Open the page here and try again.',
  'error.not_authenticated': 'Sign in first.',
  'error.proof_required': 'First prove once more who you are: sign in again.',
  'error.forbidden': 'You are not allowed to do this.',
  'error.invalid_token': 'This token is not valid, or it has expired.',
  'error.rate_limited': 'Too many attempts in a short time. Nothing was lost: please try again later.',
  'error.too_busy': 'We are very busy right now. Please try again in a moment.',
  'error.store_unavailable': 'We cannot save this right now. Nothing was lost: please try again in a moment.',
  'error.shutting_down': 'We are restarting. Please try again in a moment.',
  'error.internal': 'Something went wrong on our side. Please try again.',
  'error.configuration': 'Something went wrong on our side. Please try again.',
  'error.blueprint': 'The blueprint is not valid.',
  'error.refused': 'This change was not possible.',
  'error.last_administrator':
    'Nobody would be left who may administer. Make somebody else an administrator first, then try again.',
  'error.only_sign_in': 'This is the only way to sign in. Set a password or add a passkey first.',
  'flow.does_not_apply': 'Flow does not apply to current user.',
  'flow.gone': 'This page has changed meanwhile. Please start again.',
  'flow.target_gone': 'The page that should come next no longer exists.',
  'flow.unknown_error': 'Unknown error',
  'flow.invalid_next': 'Invalid next URL',
  'flow.too_many_stages': 'This flow does not come to an end. Please tell the administrator.',
  'flow.policy_failed': 'A check could not be carried out, so access is denied. Please try again later.',
  'flow.confirm': 'Continue',
  'signal.link_gone':
    'This link was used or has expired, or a newer one took its place. Nothing is lost: start again to get a new one.',
  'signal.done': 'Thank you, this is confirmed. Go on where you started; you can close this page.',
  'signal.went_on_elsewhere': 'This went on in the browser in which the link was opened.',
  'run.already_completed': 'This was already completed. Please sign in.',
  'user_write.failed': 'Failed to update user. Please try again later.',
} as const;
