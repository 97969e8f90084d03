import { inbuiltBackend, type PlanContext } from '../../src/engine/plan-context.ts';
import type { Visitor } from '../../src/engine/visitor.ts';
import type { Json, JsonObject } from '../../src/kernel/json.ts';
import { Secret } from '../../src/kernel/secrets.ts';
import { promptTypes } from '../../src/protocol/challenge.ts';
import { captchaConfig } from '../../src/stages/captcha-check.ts';
import { type DeskOptions, deskTime, testUser } from '../../src/testing/desk.ts';
import { testGroup, testSession } from '../support/user-write-rig.ts';

/** What is typed in confidence: it may stand in nothing that a stage decides. */
export const typedSecret = 'typed-in-confidence-7f3a';

/** The least configuration of the stages that cannot do without one. */
export const least: Readonly<Record<string, JsonObject>> = {
  approval: { approvers_group: 'pk-staff' },
  captcha: { public_key: 'site', private_key: typedSecret },
  identification: { user_fields: ['username'] },
  initial_setup: { group: 'pk-staff' },
  redirect: { mode: 'static', target_static: '/' },
};

/** More configurations that are worth a visit; each is taken with the least one. */
export const others: Readonly<Record<string, readonly JsonObject[]>> = {
  identification: [
    { password_stage: 'password', enrollment_flow: 'flow' },
    { pretend_user_exists: false },
    { captcha_stage: 'captcha' },
  ],
  approval: [{ required: 2, deadline: 'hours=1', reminder: 'minutes=30', message: 'May they?' }],
  captcha: [{ interactive: true, error_on_invalid_score: false }],
  consent: [{ mode: 'permanent' }],
  prompt: [{ fields: promptTypes.map((type) => `prompt-${type}`) }],
  authenticator_totp: [{ digits: '8' }],
  authenticator_webauthn: [{ user_verification: 'required', max_attempts: 1 }],
  authenticator_validate: [
    { not_configured_action: 'deny', device_classes: ['webauthn'] },
    { not_configured_action: 'configure', configuration_stages: ['password'] },
  ],
  redirect: [{ mode: 'flow', target_flow: 'flow' }, { target_static: 'https://elsewhere.example/' }],
  user_login: [{ remember_me_offset: 'days=30', terminate_other_sessions: true }],
  user_write: [
    { create_users_group: 'pk-staff', user_creation_mode: 'always_create' },
    { user_creation_mode: 'never_create' },
  ],
};

const ada = testUser({ id: 7, username: 'ada', name: 'Ada', email: 'ada@example.com' });
const root = testUser({ id: 8, username: 'root' });
const asleep = testUser({ id: 9, username: 'asleep', isActive: false });

/** Of each type one, with as much as an administrator may write beside it. */
const prompts = promptTypes.map((type) => ({
  pk: `prompt-${type}`,
  kind: 'prompt',
  name: type,
  config: {
    ...{
      field_key: type === 'password' ? 'password' : `attributes.${type}`,
      type,
      label: { $lang: { en: 'A', de: 'B' } },
    },
    ...{ required: type === 'username', choices: ['a', 'b'], sub_text: '<b>More</b>'.repeat(50), prefill: true },
  } as Json,
}));
const backends = [inbuiltBackend];

/** The world around the stage, the same in all situations. */
export const world: DeskOptions = {
  users: [ada, root, asleep],
  passwords: { ada: typedSecret },
  groups: [testGroup('staff', { isSuperuser: true })],
  sessions: [testSession(7, 'session-hash'), testSession(7, 'another session')],
  setupSecret: 'digest$setup',
  invitations: {
    invited: {
      ...{ uuid: '00000000-0000-4000-8000-00000000000a', name: 'friends', flow: null, singleUse: true, createdBy: 7 },
      ...{ fixedData: { name: 'Ada', attributes: { team: ['a'] } }, createdAt: deskTime, expiresAt: deskTime + 1_000 },
      uses: 0,
    },
  },
  authenticators: [
    {
      ...{ uuid: 'app', userId: 7, kind: 'totp', name: 'App', createdAt: deskTime, lastUsedAt: null, credential: null },
      ...{ secret: new Secret('JBSWY3DPEHPK3PXP'), data: { digits: 6, drift: 0 }, counter: 0, codesLeft: 0 },
    },
    {
      ...{ uuid: 'key', userId: 7, kind: 'webauthn', name: 'Key', createdAt: deskTime, lastUsedAt: deskTime },
      ...{
        credential: 'a2V5',
        secret: null,
        data: { public_key: 'a2V5', transports: ['usb'] },
        counter: 0,
        codesLeft: 0,
      },
    },
  ],
  tokens: [
    {
      ...{ hash: 'digest$link', uuid: 'link', purpose: 'recovery', flow: 'test-flow', userId: 7 },
      ...{ createdAt: deskTime, expiresAt: deskTime + 1_000, description: '' },
    },
  ],
  objects: [
    ...prompts,
    { pk: 'flow', kind: 'flow', name: 'other-flow', config: { slug: 'other-flow' } },
    {
      ...{ pk: 'password', kind: 'stage', name: 'password' },
      config: { backends, failed_attempts_before_cancel: 5, allow_show_password: true },
    },
    {
      ...{ pk: 'captcha', kind: 'stage', name: 'captcha', stageKind: 'captcha' },
      config: captchaConfig.parse({ public_key: 'site', private_key: typedSecret }),
    },
    { pk: 'pk-staff', kind: 'group', name: 'staff', config: {} },
  ],
};

const contexts: readonly PlanContext[] = [
  {},
  { prompt_data: [] },
  { prompt_data: 'not an object' },
  {
    prompt_data: [
      ['username', 'grace'],
      ['password', new Secret(typedSecret)],
      ['attributes.a.b', 1],
    ],
  },
  {
    prompt_data: [
      ['username', 'root'],
      ['is_superuser', true],
      ['password', new Secret(typedSecret)],
    ],
  },
  {
    prompt_data: [
      ['name', 'Ada L.'],
      ['password', new Secret(typedSecret)],
    ],
    pending_user: { ref: 7 },
  },
  { prompt_data: [['name', 'X']], pending_user: { decoy: true, typed: 'nobody' } },
  { prompt_data: [['name', 'X']], pending_user: { ref: 404 }, groups: ['nobodies'] },
  { pending_user: { ref: 7 }, 'doorward/setup': 'digest$setup', 'doorward/one_time_link': 'digest$link' },
  { pending_user: { ref: 9 }, 'doorward/setup': 'digest$wrong', 'doorward/one_time_link': 'digest$wrong' },
  {
    consent_header: 'Notes wants to know you.',
    consent_permissions: [{ id: 'email', name: 'See your address' }, 'no permission'],
    consent_additional_permissions: [{ id: 'files', name: 'See your files' }],
  },
  {
    ...{ prompt_data: [['attributes.text', 'theirs']], 'doorward/fixed': ['attributes.text', 'username'] },
    'doorward/claims': [
      {
        ...{ effect: { kind: 'token.revoke', uuid: 'claimed' }, event: { action: 'claimed', context: {} } },
        otherwise: 'Somebody else has it.',
      },
    ],
  },
  { deny_message: 'No.', redirect_stage_target: 'javascript:alert(1)' },
  { redirect_stage_target: 'ak-flow://other-flow', is_redirected: 'test-flow' },
];

const signedIn = { user: ada, session: testSession(7, 'session-hash') };
const visitors: readonly Partial<Visitor>[] = [
  {},
  signedIn,
  { user: ada, impersonator: root, session: testSession(7, 'session-hash', 8), locale: 'de' },
];

/** Every context with every visitor, without a browser and as a dry run too. */
export const situations: readonly DeskOptions[] = contexts.flatMap((context) =>
  visitors.flatMap((visitor) => [
    { ...world, context, visitor, query: { setup: 'setup', flow_token: 'link', itoken: 'invited', next: '/' } },
    { ...world, context, visitor, unattended: true, dryRun: true },
  ]),
);

/** Answers to whatever was asked: good ones, empty ones, and such as a stranger sends. */
export const answers: readonly JsonObject[] = [
  {},
  { code: '000000', webauthn: { id: 'a2V5', response: {} } },
  { code: typedSecret, selected_stage: 'password' },
  { uid_field: 'ada', password: typedSecret, remember_me: true, 'attributes.username': 'grace' },
  { uid_field: 'nobody', password: `${typedSecret} but wrong`, remember_me: 'maybe' },
  { uid_field: 'ada', captcha_token: 'passed', token: 'passed' },
  { token: ['passed'] },
  { uid_field: 'asleep', password: typedSecret, remember_me: false },
  {
    uid_field: ['ada'],
    password: { a: typedSecret },
    remember_me: null,
    'attributes.email': 7,
    'attributes.number': 'x',
  },
];
