/**
 * Asks who the visitor is, and their password on the same page if it is set up so. It gives the pending user, or a
 * stand-in where nobody was found and that shall not show.
 */
import * as z from 'zod';
import { type CompiledObject, pathOf } from '../../engine/flow.ts';
import { checkPassword, longestTyped } from '../../engine/password-check.ts';
import { inbuiltBackend, type PendingUser } from '../../engine/plan-context.ts';
import { reputationChange, reputationSubject } from '../../engine/reputation.ts';
import { type Desk, defineStage, type Outcome, type Response } from '../../engine/stage.ts';
import type { StageProof } from '../../engine/stage-proof.ts';
import type { User } from '../../engine/user.ts';
import { isPlainObject, type JsonObject, member } from '../../kernel/json.ts';
import type { IdentificationChallenge } from '../../protocol/challenge.ts';
import { text, wholeForm } from '../../protocol/text.ts';
import { type CaptchaConfig, captchaConfig, captchaToken, captchaWidget, checkCaptcha } from '../captcha-check.ts';
import { credentialIn } from '../passkey.ts';
import { byPasskey, offeredPasskey, passkeyRefused } from './passkey.ts';

const flowLink = z.string().nullable().default(null);
const config = z
  .object({
    user_fields: z
      .array(z.enum(['email', 'username', 'upn']))
      .default([])
      .describe('What identifies a user.'),
    password_stage: z.string().nullable().default(null).describe('Asks the password on the same page.'),
    captcha_stage: z.string().nullable().default(null).describe('Asks its captcha on the same page.'),
    webauthn_stage: z.string().nullable().default(null).describe('Passkeys that it allows sign in without a name.'),
    case_insensitive_matching: z.boolean().default(true),
    show_matched_user: z.boolean().default(true).describe("Later pages show the user's name, not what was typed."),
    pretend_user_exists: z.boolean().default(true).describe('An unknown user goes on as if there were one.'),
    enable_remember_me: z.boolean().default(false).describe('The browser keeps the name for the next time.'),
    enrollment_flow: flowLink,
    recovery_flow: flowLink,
    passwordless_flow: flowLink,
    sources: z.array(z.string()).default([]),
    show_source_labels: z.boolean().default(false),
  })
  .refine(({ user_fields, sources }) => user_fields.length > 0 || sources.length > 0, {
    path: ['user_fields'],
    message: 'needs at least one field or source', // ID-13
  });
type Config = z.infer<typeof config>;

/** The identification stage (ID-1 to ID-13). */
export const identification = defineStage({
  kind: 'identification',
  model: 'authentik_stages_identification.identificationstage',
  component: 'ak-stage-identification-form',
  description: 'Asks who the visitor is.',
  config,
  references: {
    password_stage: 'stage',
    captcha_stage: 'stage',
    webauthn_stage: 'stage',
    enrollment_flow: 'flow',
    recovery_flow: 'flow',
    passwordless_flow: 'flow',
    sources: 'source',
  },
  needs: [],
  gives: ['pending_user', 'pending_user_identifier', 'user_backend', 'auth_method', 'auth_method_args', 'captcha'],
  proof: whatItProves,
  secretFields: () => ['password', 'passkey'],
  async enter(desk) {
    return isCaptchaGone(desk) ? { kind: 'deny', message: null } : { kind: 'ask', challenge: challengeOf(desk) };
  },
  answer,
  async refused(desk, { reason, effect }) {
    if (reason === 'limited') return tooMany;
    // The passkey's answer was used by somebody else a moment ago.
    if (effect === 'authenticator.use' || effect === 'once') return withNewChallenge(desk, passkeyRefused);
    return { kind: 'deny', message: null };
  },
});

const tooMany: Outcome = { kind: 'deny', message: text('password.limited') };

function challengeOf(desk: Desk<Config>): IdentificationChallenge {
  const { config, flow } = desk;
  const password = passwordSettings(desk);
  const captcha = captchaOf(desk);
  return {
    component: 'ak-stage-identification',
    user_fields: config.user_fields,
    password_fields: password !== null,
    allow_show_password: password?.allow_show_password === true,
    flow_designation: flow.designation,
    captcha_stage: captcha === null ? null : captchaWidget(captcha.config),
    ...link(desk, 'enroll_url', config.enrollment_flow),
    ...link(desk, 'recovery_url', config.recovery_flow),
    ...link(desk, 'passwordless_url', config.passwordless_flow),
    primary_action: text(flow.designation === 'authentication' ? 'identification.log_in' : 'identification.continue'),
    sources: [],
    show_source_labels: config.show_source_labels,
    enable_remember_me: config.enable_remember_me,
    ...offeredPasskey(desk),
  };
}

async function answer(desk: Desk<Config>, response: Response): Promise<Outcome> {
  const { config } = desk;
  const passkey = credentialIn(response, 'passkey');
  if (passkey !== null) return withNewChallenge(desk, await byPasskey(desk, passkey));
  const typed = textOf(response, 'uid_field').trim();
  if (typed === '') return required('uid_field');
  const password = textOf(response, 'password');
  if (config.password_stage !== null && password === '') return required('password');
  // One answer whether or not such an account could be: nothing is looked up, hashed or counted.
  if (typed.length > longestTyped || password.length > longestTyped) return failed;
  // ID-5: of every visitor alike, before anybody is looked up; whether it was passed tells nothing of accounts.
  const { refused = null, known } = await judgeCaptcha(desk, response);
  if (refused !== null) return refused;
  const outcome = await judge(desk, typed, password);
  return outcome.kind === 'pass' ? { ...outcome, context: { ...outcome.context, ...known } } : outcome;
}

async function judge(desk: Desk<Config>, typed: string, password: string): Promise<Outcome> {
  const { config, read } = desk;
  const user = await read.userByIdentifier(config.user_fields, typed, !config.case_insensitive_matching);
  if (config.password_stage !== null) return judgePassword(desk, user, typed, password);
  if (user !== null) return identified(desk, { ref: user.id }, typed);
  if (config.pretend_user_exists) return identified(desk, { decoy: true, typed }, typed);
  return { ...failed, effects: [reputationChange(desk, reputationSubject(desk.tools, null, typed), -1)] };
}

/** `known`: what the plan context is told of a captcha that was passed. */
async function judgeCaptcha(
  desk: Desk<Config>,
  response: Response,
): Promise<{ readonly refused?: Outcome; readonly known?: Readonly<Record<string, unknown>> }> {
  if (isCaptchaGone(desk)) return { refused: { kind: 'deny', message: null } };
  const captcha = captchaOf(desk);
  if (captcha === null) return {};
  const judged = await checkCaptcha(desk, captcha.config, captcha, captchaToken(response, 'captcha_token'));
  if (judged.ok) return { known: { captcha: judged.captcha } };
  return { refused: { kind: 'retry', problems: { [wholeForm]: [judged.problem] } } };
}

/** An unknown user and a wrong password read the same, cost the same and count the same (ID-4, ID-6). */
async function judgePassword(
  desk: Desk<Config>,
  found: User | null,
  typed: string,
  password: string,
): Promise<Outcome> {
  const settings = passwordSettings(desk);
  const { backends, failed_attempts_before_cancel: limit } = settings ?? {};
  if (typeof limit !== 'number' || !Array.isArray(backends)) return { kind: 'deny', message: null };
  const user = backends.includes(inbuiltBackend) ? found : null;
  const { ok, limited, effects } = await checkPassword(desk, { user, typed, password, limit });
  if (limited) return { ...tooMany, effects };
  if (!ok || user === null) return { ...failed, effects };
  const proof = { user_backend: inbuiltBackend, auth_method: 'password', auth_method_args: {} };
  return { ...identified(desk, { ref: user.id }, typed, proof), effects };
}

const failed: Outcome = {
  kind: 'retry',
  problems: { [wholeForm]: [{ code: 'invalid', text: text('identification.failed') }] },
};

/** What was proven of somebody else in an earlier round does not hold for this user. */
const unproven = { user_backend: undefined, auth_method: undefined, auth_method_args: undefined };

function identified(
  { config }: Desk<Config>,
  pending_user: PendingUser,
  typed: string,
  proof: Readonly<Record<string, unknown>> = unproven,
): Outcome {
  const pending_user_identifier = config.show_matched_user ? undefined : typed;
  return { kind: 'pass', context: { pending_user, pending_user_identifier, ...proof } };
}

function required(field: 'uid_field' | 'password'): Outcome {
  return { kind: 'retry', problems: { [field]: [{ code: 'required', text: text('prompt.required') }] } };
}

/** With the password on the same page an unknown name and a wrong password read the same, and what is shown is proven. */
function whatItProves(config: Config): StageProof {
  if (config.password_stage !== null) return { asks: true, identifies: 'anybody', proves: ['password'] };
  const showsNames = config.show_matched_user && config.user_fields.some((field) => field !== 'username');
  const reveals = !config.pretend_user_exists ? 'accounts' : showsNames ? 'names' : null;
  return { asks: true, identifies: 'anybody', ...(reveals === null ? {} : { reveals }) };
}

function withNewChallenge(desk: Desk<Config>, outcome: Outcome): Outcome {
  return outcome.kind === 'retry' ? { ...outcome, challenge: challengeOf(desk) } : outcome;
}

/** The configuration of the inline password stage; null when there is none. */
function passwordSettings({ config, object }: Desk<Config>): JsonObject | null {
  const stage = config.password_stage === null ? null : object(config.password_stage);
  return stage !== null && isPlainObject(stage.config) ? (stage.config as JsonObject) : null;
}

/** The captcha on the same page, as its stage is configured. */
function captchaOf({ config, object }: Desk<Config>): (CompiledObject & { readonly config: CaptchaConfig }) | null {
  const stage = config.captcha_stage === null ? null : object(config.captcha_stage);
  const parsed = captchaConfig.safeParse(stage?.config);
  return stage !== null && parsed.success ? { ...stage, config: parsed.data } : null;
}

/** One is asked for, but its stage is gone or is none of a captcha: then nobody passes. */
function isCaptchaGone(desk: Desk<Config>): boolean {
  return desk.config.captcha_stage !== null && captchaOf(desk) === null;
}

/** A link to another flow's page; the executor adds this page's query (ID-10). */
function link<Name extends string>(
  desk: Desk<Config>,
  name: Name,
  flow: string | null,
): { readonly [Key in Name]?: string } {
  const target = flow === null ? null : desk.object(flow);
  return target === null ? {} : ({ [name]: pathOf(target) } as { readonly [Key in Name]?: string });
}

function textOf(response: Response, field: string): string {
  const value = member(response, field);
  return typeof value === 'string' ? value : '';
}
