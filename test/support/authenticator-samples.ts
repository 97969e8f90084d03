import { Secret } from '../../src/kernel/secrets.ts';
import { drawQrCode, type QrCode } from '../../src/pages/qr-code.ts';
import type { Challenge, DeviceChallenge, PasskeyOptions } from '../../src/protocol/challenge.ts';
import type { Locale } from '../../src/protocol/localize.ts';
import { type FieldProblems, text } from '../../src/protocol/text.ts';

interface AuthenticatorSample {
  readonly name: string;
  readonly title: string;
  readonly challenge: Challenge;
  readonly qrCode?: QrCode;
  readonly locale?: Locale;
  readonly problems?: FieldProblems;
}

const address =
  'otpauth://totp/Lindenhof:ada.lovelace?issuer=Lindenhof&secret=QKQL6AE7RKMR3ZKUJXXRS5MWYTBZ45Q5&algorithm=SHA1&digits=6&period=30';
const totp: Challenge = { component: 'ak-stage-authenticator-totp', config_url: new Secret(address), digits: 6 };
const qrCode = await drawQrCode(address);
const codes: Challenge = {
  component: 'ak-stage-authenticator-static',
  codes: ['n937zrcvu3mh', 'qee3dbj5fk32', '6x5ngnsbkub6', '8dxt7qc3casq', 'he974nqv4thb', 'myn34hedhgcm'].map(
    (code) => new Secret(code),
  ),
};
const options: PasskeyOptions = { challenge: 'YWJj', rpId: 'pages.test', allowCredentials: [] };
const offers: Readonly<Record<DeviceChallenge['device_class'], DeviceChallenge>> = {
  email: { device_class: 'email', device_uid: '4', challenge: { email: 'a…@example.org' }, last_used: null },
  totp: { device_class: 'totp', device_uid: '1', challenge: {}, last_used: null },
  static: { device_class: 'static', device_uid: '2', challenge: {}, last_used: null },
  webauthn: { device_class: 'webauthn', device_uid: '3', challenge: options, last_used: null },
};
const validate = (...classes: readonly (keyof typeof offers)[]): Challenge => ({
  component: 'ak-stage-authenticator-validate',
  device_challenges: classes.map((kind) => offers[kind]),
  configuration_stages: [],
});
const wrong = { code: [{ code: 'invalid', text: text('authenticator_validate.invalid') }] };
const choices: Challenge = {
  component: 'ak-stage-authenticator-validate',
  device_challenges: [],
  configuration_stages: (['totp', 'static', 'webauthn'] as const).map((kind) => ({
    ...{ pk: kind, name: kind, verbose_name: text(`authenticator.${kind}`), meta_model_name: kind },
  })),
};

/** The pages on which authenticators are set up and asked for. */
export const authenticatorSamples: readonly AuthenticatorSample[] = [
  {
    ...{ name: 'identification-passkey', title: 'Welcome back' },
    challenge: {
      ...{ component: 'ak-stage-identification', user_fields: ['username', 'email'], password_fields: false },
      ...{ allow_show_password: false, flow_designation: 'authentication', captcha_stage: null, sources: [] },
      ...{ primary_action: 'Sign in', show_source_labels: false, enable_remember_me: false },
      ...{ passkey_challenge: options, enroll_url: '/if/flow/enrollment/' },
    },
  },
  { name: 'totp', title: 'Set up an authenticator app', challenge: totp, qrCode },
  { name: 'totp-problem', title: 'Set up an authenticator app', challenge: totp, qrCode, problems: wrong },
  { name: 'totp-de', title: 'Authenticator-App einrichten', challenge: totp, qrCode, locale: 'de' },
  { name: 'codes', title: 'Recovery codes', challenge: codes },
  { name: 'codes-de', title: 'Wiederherstellungscodes', challenge: codes, locale: 'de' },
  {
    ...{ name: 'passkey', title: 'Add a passkey' },
    challenge: { component: 'ak-stage-authenticator-webauthn', registration: options },
  },
  {
    ...{ name: 'email-factor', title: 'Codes by email' },
    challenge: { component: 'ak-stage-authenticator-email', email: 'a…@example.org', email_required: false },
  },
  {
    ...{ name: 'email-factor-address', title: 'Codes per E-Mail', locale: 'de' },
    challenge: { component: 'ak-stage-authenticator-email', email: null, email_required: true },
  },
  { name: 'validate-email', title: 'Welcome back', challenge: validate('totp', 'email', 'webauthn') },
  { name: 'validate', title: 'Welcome back', challenge: validate('totp', 'static', 'webauthn') },
  { name: 'validate-problem', title: 'Welcome back', challenge: validate('totp', 'webauthn'), problems: wrong },
  { name: 'validate-de', title: 'Willkommen zurück', challenge: validate('static', 'webauthn'), locale: 'de' },
  { name: 'validate-passkey', title: 'Welcome back', challenge: validate('webauthn') },
  { name: 'validate-choose', title: 'Welcome back', challenge: choices },
];
