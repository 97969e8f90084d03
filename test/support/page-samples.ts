import type { StepReply } from '../../src/engine/exchange.ts';
import type { CompiledFlow } from '../../src/engine/flow.ts';
import { accountPage } from '../../src/pages/account-page.tsx';
import { captchaScriptPath } from '../../src/pages/assets.ts';
import { type Brand, defaultBrand, parseBrand } from '../../src/pages/brand.ts';
import { errorPage } from '../../src/pages/error-page.tsx';
import { flowPage } from '../../src/pages/flow-page.tsx';
import { mailboxPage, mailPage } from '../../src/pages/mail-page.tsx';
import type { FlowPageData } from '../../src/pages/page-data.ts';
import {
  type Challenge,
  type ConsentChallenge,
  type IdentificationChallenge,
  type Layout,
  type PromptChallenge,
  type PromptField,
  type PromptType,
  promptTypes,
} from '../../src/protocol/challenge.ts';
import type { Locale } from '../../src/protocol/localize.ts';
import { type FieldProblems, text } from '../../src/protocol/text.ts';
import { accountData, brand } from './account-sample.ts';
import { approvalSamples } from './approval-sample.ts';
import { authenticatorSamples } from './authenticator-samples.ts';
import { inspectedSample } from './inspector-sample.ts';

/** Pages with made-up data, for the tests and for looking at. */
export function flow(changes: Partial<CompiledFlow> = {}): CompiledFlow {
  return {
    pk: '00000000-0000-4000-8000-000000000001',
    slug: 'sample',
    version: 1,
    name: 'sample',
    title: 'Sample',
    designation: 'authentication',
    authentication: 'none',
    deniedAction: 'message',
    layout: 'stacked',
    background: '',
    policyEngineMode: 'any',
    policies: [],
    bindings: [],
    objects: {},
    ...changes,
  };
}

interface Sample {
  readonly title?: string;
  readonly problems?: FieldProblems | null;
  readonly values?: FlowPageData['values'];
  readonly locale?: Locale;
  readonly brand?: Brand;
  readonly layout?: Layout;
  readonly background?: string;
  readonly reply?: Partial<StepReply>;
  readonly qrCode?: FlowPageData['qrCode'];
  readonly query?: string;
}

export function sampleData(challenge: Challenge, sample: Sample = {}): FlowPageData {
  return {
    reply: {
      challenge,
      problems: sample.problems ?? null,
      flow: flow({ layout: sample.layout ?? 'stacked', background: sample.background ?? '' }),
      title: sample.title ?? 'Welcome back',
      pendingUser: '',
      messages: [],
      actingAs: null,
      stepToken: 'step-token',
      session: null,
      locale: sample.locale ?? 'en',
      ...sample.reply,
    },
    brand: sample.brand ?? brand,
    action: '/if/flow/sample/?next=%2Fapp',
    values: sample.values ?? {},
    qrCode: sample.qrCode ?? null,
    query: sample.query ?? 'next=%2Fapp',
  };
}

export function samplePage(challenge: Challenge, sample: Sample = {}): string {
  return flowPage(sampleData(challenge, sample));
}

export function promptField(type: PromptType, changes: Partial<PromptField> = {}): PromptField {
  const choices = ['radio-button-group', 'dropdown', 'multi-select'].includes(type)
    ? ['Forest walks', 'Evening lectures', 'Workshops for families with small children']
    : null;
  return {
    field_key: type.replaceAll('-', '_'),
    label: type.replaceAll(/[-_]/g, ' '),
    type,
    required: true,
    placeholder: '',
    initial_value: '',
    order: 0,
    sub_text: '',
    choices,
    ...changes,
  };
}

export function prompt(...fields: readonly PromptField[]): PromptChallenge {
  return { component: 'ak-stage-prompt', fields };
}

export const identification: IdentificationChallenge = {
  component: 'ak-stage-identification',
  user_fields: ['username', 'email'],
  password_fields: true,
  allow_show_password: true,
  flow_designation: 'authentication',
  captcha_stage: null,
  enroll_url: '/if/flow/enrollment/',
  recovery_url: '/if/flow/recovery/',
  primary_action: 'Sign in',
  sources: [],
  show_source_labels: false,
  enable_remember_me: false,
};

const everyField: Readonly<Record<PromptType, Partial<PromptField>>> = {
  text: { label: 'Full name', field_key: 'name', initial_value: 'Ada Lovelace' },
  text_area: {
    label: 'About you',
    required: false,
    placeholder: 'A sentence or two',
    sub_text: 'Others can read <b>this</b>.',
  },
  text_read_only: { label: 'Member number', initial_value: 'LH-20418' },
  text_area_read_only: { label: 'Agreement', initial_value: 'Be kind.\nClose the door behind you.' },
  username: { label: 'Username', placeholder: 'ada' },
  email: { label: 'Email address', placeholder: 'ada@example.org' },
  password: { label: 'Password', sub_text: 'At least 8 characters.' },
  number: { label: 'Guests', initial_value: '2' },
  checkbox: { label: 'Send me the programme once a month', initial_value: 'True' },
  'radio-button-group': { label: 'What brings you here?', initial_value: 'Forest walks' },
  dropdown: { label: 'Favourite', initial_value: 'Workshops for families with small children' },
  date: { label: 'Date of birth', field_key: 'birthday', initial_value: '1815-12-10' },
  'date-time': { label: 'Arrival', initial_value: '2026-05-04T08:30:00Z' },
  file: { label: 'Picture', required: false },
  separator: { label: '', placeholder: 'About your stay' },
  hidden: { initial_value: 'campaign-7' },
  static: {
    label: '',
    initial_value:
      '<p>Read the <a href="https://example.org/rules">house rules</a> first.</p><ul><li>Quiet after ten</li></ul>',
  },
  'ak-locale': { label: 'Language', initial_value: 'de', required: false },
  'multi-select': { label: 'Also interested in', required: false, initial_value: '["Evening lectures"]' },
};

/** One prompt with every field type. */
export const everyPrompt = prompt(...promptTypes.map((type) => promptField(type, everyField[type])));

const enrollment = prompt(
  promptField('username', { label: 'Username' }),
  promptField('text', { label: 'Full name', field_key: 'name' }),
  promptField('email', { label: 'Email address' }),
  promptField('password', { label: 'Password', sub_text: 'At least 8 characters. A few words make a good one.' }),
  promptField('password', { label: 'Password again', field_key: 'password_repeat' }),
);

const blank = { code: 'blank', text: 'This field may not be blank.' };

function everyProblem(): FieldProblems {
  const fields = everyPrompt.fields.filter((field) => !['separator', 'static', 'hidden'].includes(field.type));
  return {
    non_field_errors: [{ code: 'invalid', text: 'These details do not go together.' }],
    ...Object.fromEntries(fields.map((field) => [field.field_key, [blank]])),
  };
}

const withPhoto = parseBrand({ ...brand, background: '/static/photo.svg' });
const yellow = parseBrand({ name: 'Sonne', accent: '#ffd400' });
const navy = parseBrand({ name: 'Tiefe', accent: '#0a1a3f' });

/** The brands of the pages below. */
export const sampleBrands: readonly Brand[] = [brand, withPhoto, yellow, navy];

const acting = { username: 'ada', csrf: 'step-token' };
const who = { pendingUser: 'ada.lovelace@analytical-engine.example.org' };

const authenticatorPages = Object.fromEntries(
  authenticatorSamples.map(({ name, challenge, ...sample }) => [
    name,
    samplePage(challenge, { ...sample, reply: who }),
  ]),
);

/** Its script is that of the pages themselves: no other server is there. */
const widget = { site_key: 'site', js_url: `https://pages.test${captchaScriptPath}`, interactive: true };
const permissions = [
  { id: 'openid', name: 'Sign you in' },
  { id: 'email', name: 'See your email address' },
  { id: 'files', name: 'Read the files that you share with others, and change them' },
];
const consent: ConsentChallenge = {
  component: 'ak-stage-consent',
  ...{ token: 'token', header_text: '', permissions: [], additional_permissions: [] },
};

/** Every kind of page by name: all components, all field types with and without problems, the account, the errors. */
export const samplePages: Readonly<Record<string, string>> = {
  identification: samplePage(identification),
  'identification-problem': samplePage(
    { ...identification, application_pre: 'Shared Notes' },
    {
      problems: {
        non_field_errors: [{ code: 'invalid', text: 'This did not match. Check what you typed and try again.' }],
      },
      values: { uid_field: 'ada' },
    },
  ),
  'identification-recovery': samplePage(
    {
      ...identification,
      flow_designation: 'recovery',
      password_fields: false,
      user_fields: ['email'],
      primary_action: 'Continue',
    },
    { title: 'Reset your password', reply: { messages: ['We sent you nothing yet.'] } },
  ),
  'identification-nothing': samplePage({ ...identification, user_fields: null, passwordless_url: '/if/flow/passkey/' }),
  'identification-de': samplePage(
    { ...identification, primary_action: 'Anmelden' },
    { title: 'Willkommen zurück', locale: 'de' },
  ),
  enrollment: samplePage(enrollment, { title: 'Create your account' }),
  'enrollment-problems': samplePage(enrollment, {
    title: 'Create your account',
    problems: {
      username: [{ code: 'unique', text: 'This username is already taken.' }],
      email: [{ code: 'invalid', text: 'Enter a valid email address.' }],
    },
    values: { username: 'ada', name: 'Ada', email: 'ada@', password: 'secret-typed', password_repeat: 'secret-typed' },
  }),
  'every-field': samplePage(everyPrompt, { title: 'Tell us about yourself' }),
  'every-field-problems': samplePage(everyPrompt, {
    title: 'Tell us about yourself',
    problems: everyProblem(),
    values: { name: '', dropdown: 'Forest walks', radio_button_group: 'Evening lectures' },
  }),
  'every-field-de': samplePage(everyPrompt, { title: 'Über Sie', locale: 'de', problems: everyProblem() }),
  password: samplePage(
    { component: 'ak-stage-password', allow_show_password: true, recovery_url: '/if/flow/recovery/' },
    { reply: who },
  ),
  'password-problem': samplePage(
    { component: 'ak-stage-password', allow_show_password: true, recovery_url: '/if/flow/recovery/' },
    {
      reply: { pendingUser: 'ada' },
      problems: { password: [{ code: 'invalid', text: 'This password is not right.' }] },
    },
  ),
  ...authenticatorPages,
  'user-login': samplePage({ component: 'ak-stage-user-login' }, { reply: who }),
  captcha: samplePage({ component: 'ak-stage-captcha', ...widget }, { title: 'Before you go on', reply: who }),
  'captcha-problem-de': samplePage(
    { component: 'ak-stage-captcha', ...widget },
    { locale: 'de', problems: { token: [{ code: 'invalid', text: text('captcha.refused_retry') }] } },
  ),
  'identification-captcha': samplePage({ ...identification, captcha_stage: widget }),
  consent: samplePage(
    { ...consent, header_text: 'Shared Notes asks for your consent.', permissions },
    { title: 'Shared Notes', reply: who },
  ),
  'consent-more-de': samplePage(
    { ...consent, header_text: '', permissions: permissions.slice(0, 2), additional_permissions: permissions.slice(2) },
    { locale: 'de', problems: { token: [{ code: 'invalid', text: text('consent.invalid_token') }] } },
  ),
  email: samplePage({ component: 'ak-stage-email', address: '' }, { title: 'Set a new password' }),
  'email-problem-de': samplePage(
    { component: 'ak-stage-email', address: 'a…@example.com' },
    {
      ...{ title: 'Konto anlegen', locale: 'de', values: { code: '123' } },
      reply: { messages: [text('email.sent_again')] },
      problems: { code: [{ code: 'invalid', text: text('email.wrong_code') }] },
    },
  ),
  'email-link': samplePage(
    {
      ...consent,
      header_text: text('email.confirm', { address: 'ada.lovelace+notes@example.com' }),
      asked: { device: 'Firefox on Linux', place: '2001:db8::5 (Vienna, Austria)', at: '2025-01-01T12:00:00.000Z' },
    },
    { title: 'Create your account' },
  ),
  'email-link-used': samplePage({ component: 'xak-flow-shell', body: text('signal.done') }, { title: 'Thank you' }),
  approval: samplePage(
    { component: 'ak-stage-approval', deadline: '2025-01-08T12:00:00.000Z' },
    { title: 'Create your account' },
  ),
  ...approvalSamples,
  mailbox: mailboxPage({ brand: defaultBrand, locale: 'en' }, [
    { id: 'one', to: 'ada@example.com', subject: 'Set a new password', createdAt: Date.UTC(2025, 0, 1, 12) },
  ]),
  mail: mailPage(
    { brand: defaultBrand, locale: 'de' },
    {
      ...{ to: 'ada@example.com', subject: 'Neues Passwort', createdAt: Date.UTC(2025, 0, 1, 12) },
      text: 'Guten Tag,\n\nNeues Passwort festlegen:\nhttps://id.example/if/flow/recovery/?flow_token=abc',
    },
  ),
  dummy: samplePage({ component: 'ak-stage-dummy', name: 'dummy-stage' }, { title: 'Hello' }),
  confirm: samplePage({ component: 'ak-stage-dummy', name: 'Continue' }, { title: 'Sign out' }),
  denied: samplePage(
    { component: 'ak-stage-access-denied', error_message: text('flow.does_not_apply') },
    { title: 'Members only', reply: who },
  ),
  'flow-error': samplePage({
    component: 'ak-stage-flow-error',
    request_id: '0f6f7f1f2d334a55',
    error: 'Error: dummy stage',
  }),
  redirect: samplePage({ component: 'xak-flow-redirect', to: 'https://notes.example.org/' }, { title: 'Signed in' }),
  unknown: samplePage({ component: 'ak-stage-own-seal' }),
  'layout-content_left': samplePage(identification, { layout: 'content_left', brand: withPhoto }),
  'layout-content_right': samplePage(identification, { layout: 'content_right' }),
  'layout-sidebar_left': samplePage(identification, { layout: 'sidebar_left', brand: withPhoto }),
  'layout-sidebar_right': samplePage(identification, { layout: 'sidebar_right' }),
  'layout-stacked-photo': samplePage(identification, { brand: withPhoto }),
  'accent-yellow': samplePage(identification, { brand: yellow }),
  'accent-navy': samplePage(identification, { brand: navy }),
  account: accountPage(accountData),
  'account-de': accountPage({
    ...accountData,
    locale: 'de',
    notice: text('account.end_others'),
    user: { ...accountData.user, name: '', email: '', passwordChangedAt: null },
  }),
  inspector: flowPage({
    ...sampleData({ component: 'ak-stage-password', allow_show_password: true }, { reply: who }),
    inspector: { inspected: inspectedSample(flow()), open: true },
  }),
  'inspector-de': flowPage({
    ...sampleData(identification, { layout: 'sidebar_left', brand: withPhoto, locale: 'de' }),
    inspector: { inspected: inspectedSample(flow()), open: true },
  }),
  acting: flowPage({ ...sampleData(enrollment, { title: 'Create your account' }), acting }),
  'acting-layout': flowPage({
    ...sampleData(identification, { layout: 'sidebar_left', brand: withPhoto, locale: 'de' }),
    acting: { ...acting, username: 'a-rather-long-username.of-somebody@departments.analytical-engine.example.org' },
  }),
  'acting-account': accountPage({
    ...accountData,
    acting,
    user: { ...accountData.user, emailVerifiedAt: Date.UTC(2026, 4, 4, 9) },
  }),
  'acting-error': errorPage({ status: 404, code: 'not_found', brand, locale: 'de', requestId: '0f6f7f1f', acting }),
  'error-404': errorPage({ status: 404, code: 'flow_not_found', brand, locale: 'en', requestId: '0f6f7f1f' }),
  'error-429-limited': errorPage({
    ...{ status: 429, code: 'rate_limited', brand, locale: 'en', requestId: '0f6f7f1f', retryAfter: 1_500 },
  }),
  'error-429': errorPage({ status: 429, code: 'too_busy', brand, locale: 'de', requestId: '0f6f7f1f', retryAfter: 3 }),
};
