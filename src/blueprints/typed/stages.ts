/** A builder for each stage that is shipped, and one for stages of your own. */
import type { Stage } from '../../engine/stage.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { approval as approvalStage } from '../../stages/approval/stage.ts';
import { captcha as captchaStage } from '../../stages/captcha/stage.ts';
import { consent as consentStage } from '../../stages/consent/stage.ts';
import { deny as denyStage } from '../../stages/deny/stage.ts';
import { dummy as dummyStage } from '../../stages/dummy/stage.ts';
import { email as emailStage } from '../../stages/email/stage.ts';
import { identification as identificationStage } from '../../stages/identification/stage.ts';
import { initialSetup as initialSetupStage } from '../../stages/initial-setup/stage.ts';
import { invitation as invitationStage } from '../../stages/invitation/stage.ts';
import { oneTimeLink as oneTimeLinkStage } from '../../stages/one-time-link/stage.ts';
import { password as passwordStage } from '../../stages/password/stage.ts';
import { prompt as promptStage } from '../../stages/prompt/stage.ts';
import { redirect as redirectStage } from '../../stages/redirect/stage.ts';
import { userDelete as userDeleteStage } from '../../stages/user-delete/stage.ts';
import { userLogin as userLoginStage } from '../../stages/user-login/stage.ts';
import { userLogout as userLogoutStage } from '../../stages/user-logout/stage.ts';
import type { ProtectedField } from '../../stages/user-write/dispatch.ts';
import { userWrite as userWriteStage } from '../../stages/user-write/stage.ts';
import type { ValidateStage } from './authenticators.ts';
import type { FlowRequest, FunctionAnswer, PolicyUse } from './condition.ts';
import type { Answers } from './field.ts';
import {
  type Fields,
  type FlowLink,
  type SettingsOf,
  type StageFacts,
  type StageOf,
  type StageOptions,
  stageFrom,
  type TypedStage,
} from './stage.ts';

/** Another flow: its slug, or the flow itself. */
export type FlowReference = string | { readonly slug: string };

type PasswordStage = StageOf<'password', typeof passwordStage>;
type CaptchaStage = StageOf<'captcha', typeof captchaStage>;

interface IdentificationLinks {
  /** Asks the password on the same page. */
  readonly password?: PasswordStage;
  /** Asks this captcha on the same page, before anybody is looked up. */
  readonly captcha?: CaptchaStage;
  /** Passkeys that it allows sign in without a name. */
  readonly passkeys?: ValidateStage;
  readonly enrollmentFlow?: FlowReference;
  readonly recoveryFlow?: FlowReference;
  readonly passwordlessFlow?: FlowReference;
}

type IdentificationOptions = StageOptions &
  IdentificationLinks &
  SettingsOf<
    typeof identificationStage,
    | 'password_stage'
    | 'captcha_stage'
    | 'webauthn_stage'
    | 'enrollment_flow'
    | 'recovery_flow'
    | 'passwordless_flow'
    | 'sources'
  >;

/** Asks who the visitor is: by default by username or email address. */
export function identification(
  options: IdentificationOptions = {},
): StageOf<'identification', typeof identificationStage> {
  const {
    password: inline,
    captcha: shown,
    passkeys,
    enrollmentFlow,
    recoveryFlow,
    passwordlessFlow,
    ...rest
  } = options;
  return stageFrom(identificationStage, rest, {
    config: {
      user_fields: [...(rest.userFields ?? ['username', 'email'])],
      password_stage: inline === undefined ? undefined : { $inline: inline },
      captcha_stage: shown === undefined ? undefined : { $inline: shown },
      webauthn_stage: passkeys === undefined ? undefined : { $inline: passkeys },
      enrollment_flow: linkTo(enrollmentFlow),
      recovery_flow: linkTo(recoveryFlow),
      passwordless_flow: linkTo(passwordlessFlow),
    },
  });
}

/** Asks the pending user's password. */
export function password(
  options: StageOptions & SettingsOf<typeof passwordStage, 'configure_flow'> & { configureFlow?: FlowReference } = {},
): PasswordStage {
  const { configureFlow, ...rest } = options;
  return stageFrom(passwordStage, rest, { config: { configure_flow: linkTo(configureFlow) } });
}

/** Judges the answers of a prompt: a function of them and of the run, a policy, or several of these. */
export type Validation<Asked extends Fields> =
  | ((answers: Answers<Asked>, request: FlowRequest) => FunctionAnswer | Promise<FunctionAnswer>)
  | PolicyUse;

/** A prompt as other stages refer to its answers (`request.answersTo`). */
export interface PromptFacts<Asked extends Fields> extends StageFacts {
  readonly kind: 'prompt';
  readonly needs: never;
  readonly gives: 'prompt_data';
  readonly fields: Asked;
  readonly writable: never;
}

/**
 * Asks for fields. Each key says where the answer goes: `username`, `name`, `email`, `password`, `attributes.…`.
 *
 * @example
 * prompt({ fields: { email: field.email() }, validate: ({ email }) => email.endsWith('@example.com') });
 */
export function prompt<Asked extends Fields>(
  options: StageOptions & {
    readonly fields: Asked;
    readonly validate?: Validation<Asked> | readonly Validation<Asked>[];
  },
): TypedStage<PromptFacts<Asked>> {
  const { fields, validate, ...rest } = options;
  const given: readonly Validation<Asked>[] =
    validate === undefined ? [] : Array.isArray(validate) ? validate : [validate as Validation<Asked>];
  const conditions = given.map((judge) => {
    if (typeof judge !== 'function') return judge;
    // The answers are typed by the fields that were asked; what is there is what the prompt took.
    const decide = (request: FlowRequest) => judge(request.answersTo({ fields }) as unknown as Answers<Asked>, request);
    return Object.assign(decide, { source: String(judge) });
  });
  return stageFrom(promptStage, rest, { fields, validate: conditions });
}

/** A user write, and which protected fields it may write. */
export interface WriteFacts<Writable extends string> extends StageFacts {
  readonly kind: 'user_write';
  readonly needs: 'prompt_data';
  readonly gives: 'pending_user' | 'user_backend';
  readonly fields: Record<never, never>;
  readonly writable: Writable;
}

/** Writes what was collected to the pending user, and makes that user if needed. */
export function userWrite<const Writable extends ProtectedField = never>(
  options: StageOptions &
    SettingsOf<typeof userWriteStage, 'create_users_group' | 'writable_fields'> & {
      /** Who is written joins the group of this name. Where there is none it is made, without rights. */
      readonly createUsersGroup?: string;
      /** Protected fields that prompts may write here. */
      readonly writableFields?: readonly Writable[];
    } = {},
): TypedStage<WriteFacts<NoInfer<Writable>>> {
  const { createUsersGroup: group, ...rest } = options;
  return stageFrom(userWriteStage, rest, {
    config: { create_users_group: group === undefined ? undefined : { $group: group } },
  });
}

type CaptchaSettings = SettingsOf<typeof captchaStage>;

/**
 * Asks whether the visitor is a person. The keys are the provider's; the private one is a secret.
 *
 * @example
 * captcha({ publicKey: '…', privateKey: process.env.CAPTCHA_KEY ?? '', jsUrl: '…', apiUrl: '…' });
 */
export function captcha(
  options: StageOptions & CaptchaSettings & Required<Pick<CaptchaSettings, 'publicKey' | 'privateKey'>>,
): CaptchaStage {
  return stageFrom(captchaStage, options);
}

/** Asks the visitor to agree to what the plan context lists. */
export function consent(
  options: StageOptions & SettingsOf<typeof consentStage> = {},
): StageOf<'consent', typeof consentStage> {
  return stageFrom(consentStage, options);
}

/** Sends a link and a code, and waits for one of them: the address is proven then. */
export function email(
  options: StageOptions & SettingsOf<typeof emailStage, 'use_global_settings'> = {},
): StageOf<'email', typeof emailStage> {
  return stageFrom(emailStage, options);
}

/** Waits until people in charge approve: members of this group, `required` of them. */
export function approval(
  options: StageOptions & SettingsOf<typeof approvalStage, 'approvers_group'> & { readonly approversGroup: string },
): StageOf<'approval', typeof approvalStage> {
  const { approversGroup: group, ...rest } = options;
  return stageFrom(approvalStage, rest, { config: { approvers_group: { $group: group } } });
}

/** Deletes the account of who goes through the flow, after a click. */
export function userDelete(
  options: StageOptions & SettingsOf<typeof userDeleteStage> = {},
): StageOf<'user_delete', typeof userDeleteStage> {
  return stageFrom(userDeleteStage, options);
}

/** Signs the pending user in. */
export function userLogin(
  options: StageOptions & SettingsOf<typeof userLoginStage> = {},
): StageOf<'user_login', typeof userLoginStage> {
  return stageFrom(userLoginStage, options);
}

/** Signs the visitor out. */
export function userLogout(options: StageOptions = {}): StageOf<'user_logout', typeof userLogoutStage> {
  return stageFrom(userLogoutStage, options);
}

/** Lets those pass who hold an invitation, with data that they cannot change. */
export function invitation(
  options: StageOptions & SettingsOf<typeof invitationStage> = {},
): StageOf<'invitation', typeof invitationStage> {
  return stageFrom(invitationStage, options);
}

/** Lets the holder of a one-time link act for its user: the gate before the questions, and again after. */
export function oneTimeLink(
  options: StageOptions & SettingsOf<typeof oneTimeLinkStage> = {},
): StageOf<'one_time_link', typeof oneTimeLinkStage> {
  return stageFrom(oneTimeLinkStage, options);
}

/** Lets the holder of the setup link make the first administrator, who joins this group. */
export function initialSetup(
  options: StageOptions & { readonly group: string },
): StageOf<'initial_setup', typeof initialSetupStage> {
  const { group, ...rest } = options;
  return stageFrom(initialSetupStage, rest, { config: { group: { $group: group } } });
}

/** Ends the flow with a refusal. */
export function deny(
  options: Omit<StageOptions, 'onInvalid'> & {
    /** What the visitor reads; the plan context's `deny_message` beats it. */
    readonly message?: string;
  } = {},
): StageOf<'deny', typeof denyStage> {
  const { message, ...rest } = options;
  return stageFrom(denyStage, rest, { config: { deny_message: message } });
}

/**
 * Sends the visitor to an address or a path of this site (`to`), or into another flow (`flow`), which goes on with
 * what is known here unless `keepContext` is false.
 */
export function redirect(
  options: StageOptions & ({ readonly to: string } | { readonly flow: FlowReference; readonly keepContext?: boolean }),
): StageOf<'redirect', typeof redirectStage> {
  if ('to' in options) {
    const { to, ...rest } = options;
    return stageFrom(redirectStage, rest, { config: { mode: 'static', target_static: to } });
  }
  const { flow, ...rest } = options;
  return stageFrom(redirectStage, rest, { config: { mode: 'flow', target_flow: linkTo(flow) } });
}

/** Asks for a click, to try things out. */
export function dummy(options: StageOptions & SettingsOf<typeof dummyStage> = {}): StageOf<'dummy', typeof dummyStage> {
  return stageFrom(dummyStage, options);
}

/**
 * A stage of your own (`defineStage`) with its configuration. It need not be installed besides.
 *
 * @example
 * stage(greet, { hello: 'Good day' });
 */
export function stage<Config extends JsonObject, Needs extends string, Gives extends string>(
  declared: Stage<Config, Needs, Gives>,
  config: Partial<Config>,
  options: StageOptions = {},
): StageOf<string, Stage<Config, Needs, Gives>> {
  return stageFrom(declared, options, { config });
}

function linkTo(flow: FlowReference | undefined): FlowLink | undefined {
  if (flow === undefined) return undefined;
  return { $flow: typeof flow === 'string' ? flow : flow.slug };
}
