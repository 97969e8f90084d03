import type { Confidential } from './confidential.ts';
import type { Text } from './text.ts';

/**
 * What a browser is shown, discriminated by `component` (flow-engine.md 4). These are the server's values: a `Text`
 * in them is translated on the way out (`localize.ts`), after which they are the reference's JSON.
 */
export type Challenge =
  | PromptChallenge
  | IdentificationChallenge
  | PasswordChallenge
  | UserLoginChallenge
  | TotpSetupChallenge
  | StaticSetupChallenge
  | WebAuthnSetupChallenge
  | EmailSetupChallenge
  | ValidateChallenge
  | DummyChallenge
  | RedirectChallenge
  | AccessDeniedChallenge
  | EmailChallenge
  | ApprovalChallenge
  | ConsentChallenge
  | CaptchaChallenge
  | FlowErrorChallenge
  | ShellChallenge
  | StageChallenge;

/** A challenge of a stage that the product does not ship (a stage of your own). */
export interface StageChallenge {
  readonly component: `ak-stage-own-${string}`;
  readonly [key: string]: unknown;
}

/** The 18 field types of the reference, and multi-select. */
export const promptTypes = [
  'text',
  'text_area',
  'text_read_only',
  'text_area_read_only',
  'username',
  'email',
  'password',
  'number',
  'checkbox',
  'radio-button-group',
  'dropdown',
  'date',
  'date-time',
  'file',
  'separator',
  'hidden',
  'static',
  'ak-locale',
  'multi-select',
] as const;
export type PromptType = (typeof promptTypes)[number];

/** One field of a prompt, as shown. */
export interface PromptField {
  readonly field_key: string;
  readonly label: Text;
  readonly type: PromptType;
  readonly required: boolean;
  readonly placeholder: Text;
  /** For multi-select: the chosen ones as a JSON list. */
  readonly initial_value: Text;
  readonly order: number;
  /** Sanitised HTML. */
  readonly sub_text: Text;
  readonly choices: readonly string[] | null;
}

export interface PromptChallenge {
  readonly component: 'ak-stage-prompt';
  readonly fields: readonly PromptField[];
}

export interface IdentificationChallenge {
  readonly component: 'ak-stage-identification';
  readonly user_fields: readonly ('email' | 'username' | 'upn')[] | null;
  readonly password_fields: boolean;
  readonly allow_show_password: boolean;
  readonly application_pre?: string;
  readonly flow_designation: string;
  readonly captcha_stage: CaptchaWidget | null;
  /** Paths of other flows, without the query of this one; the executor adds it (ID-10). */
  readonly enroll_url?: string;
  readonly recovery_url?: string;
  readonly passwordless_url?: string;
  readonly primary_action: Text;
  readonly sources: readonly [];
  readonly show_source_labels: boolean;
  readonly enable_remember_me: boolean;
  /** Any passkey of this site may sign in. */
  readonly passkey_challenge?: PasskeyOptions;
}

/** What a provider's script shows its captcha with. */
export interface CaptchaWidget {
  readonly site_key: string;
  readonly js_url: string;
  /** The visitor has something to do; else the script finds out by itself. */
  readonly interactive: boolean;
}

export interface CaptchaChallenge extends CaptchaWidget {
  readonly component: 'ak-stage-captcha';
}

/** Components with `pending_user` and `pending_user_avatar`, which the executor adds. */
export interface PasswordChallenge {
  readonly component: 'ak-stage-password';
  readonly recovery_url?: string;
  readonly allow_show_password: boolean;
}

export interface UserLoginChallenge {
  readonly component: 'ak-stage-user-login';
}

/** A key for the visitor's authenticator app. */
export interface TotpSetupChallenge {
  readonly component: 'ak-stage-authenticator-totp';
  /** `otpauth://totp/…`; '' where no visitor is there to read it. */
  readonly config_url: Confidential | '';
  /** Of a code. */
  readonly digits: number;
}

/** Recovery codes, shown this once. */
export interface StaticSetupChallenge {
  readonly component: 'ak-stage-authenticator-static';
  readonly codes: readonly Confidential[];
}

export interface WebAuthnSetupChallenge {
  readonly component: 'ak-stage-authenticator-webauthn';
  /** PublicKeyCredentialCreationOptionsJSON. */
  readonly registration: PasskeyOptions;
}

/** A code was sent to an address, or an address is asked for. */
export interface EmailSetupChallenge {
  readonly component: 'ak-stage-authenticator-email';
  /** As its owner knows it. */
  readonly email: string | null;
  readonly email_required: boolean;
}

/** Options of a WebAuthn ceremony, as JSON. */
export interface PasskeyOptions {
  readonly challenge: string;
  readonly [key: string]: unknown;
}

export interface ValidateChallenge {
  readonly component: 'ak-stage-authenticator-validate';
  /** What the visitor may prove themselves with, one a class. */
  readonly device_challenges: readonly DeviceChallenge[];
  /** What they may set up, where they have nothing yet. */
  readonly configuration_stages: readonly ConfigurationStage[];
}

export interface DeviceChallenge {
  readonly device_class: 'totp' | 'static' | 'webauthn' | 'email';
  /** `-1`: any passkey of this site. */
  readonly device_uid: string;
  /** For a passkey PublicKeyCredentialRequestOptionsJSON, for mail the address as its owner knows it, else nothing. */
  readonly challenge: PasskeyOptions | { readonly email?: string };
  /** ISO 8601. */
  readonly last_used: string | null;
}

export interface ConfigurationStage {
  readonly pk: string;
  readonly name: string;
  readonly verbose_name: Text;
  readonly meta_model_name: string;
}

export interface DummyChallenge {
  readonly component: 'ak-stage-dummy';
  readonly name: string;
}

export interface RedirectChallenge {
  readonly component: 'xak-flow-redirect';
  readonly to: string;
}

export interface AccessDeniedChallenge {
  readonly component: 'ak-stage-access-denied';
  readonly error_message?: Text;
}

/** A message was sent; answered by its code, or by asking for another message. */
export interface EmailChallenge {
  readonly component: 'ak-stage-email';
  /** Where to, as its owner recognises it; '' where that would tell who has an account. */
  readonly address: string;
}

/** Somebody in charge is asked; there is nothing to answer. */
export interface ApprovalChallenge {
  readonly component: 'ak-stage-approval';
  /** ISO 8601: it is denied then, if nobody decided. */
  readonly deadline: string;
}

/** What an application wants to be allowed. */
export interface Permission {
  readonly id: string;
  readonly name: string;
}

/** A click is asked for. */
export interface ConsentChallenge {
  readonly component: 'ak-stage-consent';
  readonly header_text: Text;
  readonly permissions: readonly Permission[];
  readonly additional_permissions: readonly Permission[];
  readonly token: string;
  /** From where it was asked for; `at` in ISO 8601. */
  readonly asked?: { readonly device: Text; readonly place: string; readonly at: string };
  /** What the button does, where that is not to agree. */
  readonly action?: Text;
}

/** A text and no form. */
export interface ShellChallenge {
  readonly component: 'xak-flow-shell';
  readonly body: Text;
}

export interface FlowErrorChallenge {
  readonly component: 'ak-stage-flow-error';
  readonly request_id: string;
  /** Only for administrators. */
  readonly error?: string;
}

export const layouts = ['stacked', 'content_left', 'content_right', 'sidebar_left', 'sidebar_right'] as const;
export type Layout = (typeof layouts)[number];

/** What every challenge of a flow carries besides its own keys. */
export interface FlowInfo {
  readonly title: string;
  readonly background: string;
  readonly cancel_url: string;
  readonly layout: Layout;
}

/** A problem on the wire. */
export interface WireProblem {
  readonly string: string;
  readonly code: string;
}

/** The executor's answer as a client reads it: a challenge with the common keys, texts translated. */
export interface WireChallenge {
  readonly component: string;
  readonly flow_info?: FlowInfo;
  readonly response_errors?: Readonly<Record<string, readonly WireProblem[]>>;
  readonly pending_user?: string;
  readonly pending_user_avatar?: string;
  readonly [key: string]: unknown;
}

const withPendingUser: readonly string[] = [
  ...['ak-stage-password', 'ak-stage-user-login', 'ak-stage-access-denied', 'ak-stage-authenticator-validate'],
  ...['ak-stage-captcha', 'ak-stage-consent'],
  ...['ak-stage-authenticator-totp', 'ak-stage-authenticator-static', 'ak-stage-authenticator-webauthn'],
  'ak-stage-authenticator-email',
];

/** Whether the reference sends the pending user with this component (flow-engine.md 4, `!`). */
export function showsPendingUser(component: string): boolean {
  return withPendingUser.includes(component);
}
