/** Second factors in flows that are written in code. */
import { authenticatorEmail as emailStage } from '../../stages/authenticator-email/stage.ts';
import { authenticatorStatic as staticStage } from '../../stages/authenticator-static/stage.ts';
import { authenticatorTotp as totpStage } from '../../stages/authenticator-totp/stage.ts';
import { authenticatorValidate as validateStage } from '../../stages/authenticator-validate/stage.ts';
import { authenticatorWebauthn as webauthnStage } from '../../stages/authenticator-webauthn/stage.ts';
import { type SettingsOf, type StageOf, type StageOptions, stageFrom } from './stage.ts';

export type ValidateStage = StageOf<'authenticator_validate', typeof validateStage>;

type Validation = SettingsOf<typeof validateStage, 'not_configured_action' | 'configuration_stages'>;

/**
 * Asks for a second factor; in sign-in, where nobody is known yet, for a passkey alone.
 *
 * @example
 * authenticatorValidate({ deviceClasses: ['webauthn', 'totp'], notConfiguredAction: 'deny' });
 */
export function authenticatorValidate(
  options: StageOptions & Validation & { readonly notConfiguredAction?: 'skip' | 'deny' } = {},
): ValidateStage {
  return stageFrom(validateStage, options);
}

/** Sets up an authenticator app, after a fresh proof of who the visitor is. */
export function authenticatorTotp(
  options: StageOptions & SettingsOf<typeof totpStage, 'configure_flow'> = {},
): StageOf<'authenticator_totp', typeof totpStage> {
  return stageFrom(totpStage, options);
}

/** Gives recovery codes, after a fresh proof of who the visitor is. */
export function authenticatorStatic(
  options: StageOptions & SettingsOf<typeof staticStage, 'configure_flow'> = {},
): StageOf<'authenticator_static', typeof staticStage> {
  return stageFrom(staticStage, options);
}

/** Registers a passkey, after a fresh proof of who the visitor is. */
export function authenticatorWebauthn(
  options: StageOptions & SettingsOf<typeof webauthnStage, 'configure_flow'> = {},
): StageOf<'authenticator_webauthn', typeof webauthnStage> {
  return stageFrom(webauthnStage, options);
}

/** Sets up codes by mail, after a fresh proof of who the visitor is. */
export function authenticatorEmail(
  options: StageOptions & SettingsOf<typeof emailStage, 'configure_flow' | 'use_global_settings'> = {},
): StageOf<'authenticator_email', typeof emailStage> {
  return stageFrom(emailStage, options);
}
