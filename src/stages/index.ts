import type { AnyStage } from '../engine/stage.ts';
import { approval } from './approval/stage.ts';
import { authenticatorEmail } from './authenticator-email/stage.ts';
import { authenticatorStatic } from './authenticator-static/stage.ts';
import { authenticatorTotp } from './authenticator-totp/stage.ts';
import { authenticatorValidate } from './authenticator-validate/stage.ts';
import { authenticatorWebauthn } from './authenticator-webauthn/stage.ts';
import { captcha } from './captcha/stage.ts';
import { consent } from './consent/stage.ts';
import { deny } from './deny/stage.ts';
import { dummy } from './dummy/stage.ts';
import { email } from './email/stage.ts';
import { identification } from './identification/stage.ts';
import { initialSetup } from './initial-setup/stage.ts';
import { invitation } from './invitation/stage.ts';
import { oneTimeLink } from './one-time-link/stage.ts';
import { password } from './password/stage.ts';
import { prompt } from './prompt/stage.ts';
import { redirect } from './redirect/stage.ts';
import { userDelete } from './user-delete/stage.ts';
import { userLogin } from './user-login/stage.ts';
import { userLogout } from './user-logout/stage.ts';
import { userWrite } from './user-write/stage.ts';

/** The stages that the product ships, one line each. */
export const stages: readonly AnyStage[] = [
  // Asking
  identification,
  password,
  prompt,
  email,
  approval,
  captcha,
  consent,
  // Authenticators
  authenticatorValidate,
  authenticatorTotp,
  authenticatorStatic,
  authenticatorWebauthn,
  authenticatorEmail,
  // Writing and acting
  userWrite,
  userDelete,
  userLogin,
  userLogout,
  initialSetup,
  invitation,
  oneTimeLink,
  // Ways out
  deny,
  redirect,
  dummy,
];
