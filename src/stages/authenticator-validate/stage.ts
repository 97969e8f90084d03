/**
 * Asks for a second factor: a code of an app, a recovery code, a passkey; or, where nobody is known yet, for a passkey
 * that says who it is. It gets the pending user and says what they proved themselves with.
 */
import type { Authenticator } from '../../engine/authenticator.ts';
import { byPasskeyAlone, factorsOf, withFactor } from '../../engine/factors.ts';
import { loginFailed } from '../../engine/password-check.ts';
import type { Remembered } from '../../engine/remembered.ts';
import { defineStage, type Outcome, type Response } from '../../engine/stage.ts';
import { parseDuration } from '../../kernel/duration.ts';
import { type JsonObject, member } from '../../kernel/json.ts';
import { type Text, text, wholeForm } from '../../protocol/text.ts';
import { credentialIn, jsonObject } from '../passkey.ts';
import { sendToAuthenticator } from './by-email.ts';
import { config, type ValidateDesk } from './config.ts';
import { type Judged, judgeCode, judgePasskey, subjectOf } from './judge.ts';
import { type Asked, configurations, offer, whoIsAsked } from './offer.ts';

/** The validate stage (AV-1 to AV-9). */
export const authenticatorValidate = defineStage({
  kind: 'authenticator_validate',
  model: 'authentik_stages_authenticator_validate.authenticatorvalidatestage',
  component: 'ak-stage-authenticator-validate-form',
  description: 'Asks for a second factor, or for a passkey alone.',
  config,
  references: { configuration_stages: 'stage' },
  needs: [],
  gives: ['pending_user', 'auth_method', 'auth_method_args'],
  touchesBrowser: true,
  // Who has none is let past, or gets one here: only `deny` proves something of everybody.
  proof: ({ not_configured_action, device_classes }) => ({
    ...{ asks: true, proves: ['authenticator'], mayPassWithout: not_configured_action !== 'deny' },
    ...(device_classes.includes('webauthn') ? { identifies: 'holder_if_nobody' as const } : {}),
  }),
  secretFields: () => ['code', 'webauthn'],
  async enter(desk) {
    if (factorsOf(desk.context).some((kind) => desk.config.device_classes.includes(kind))) return { kind: 'pass' };
    const asked = await whoIsAsked(desk);
    if (asked.kind === 'nobody') return withNobody(desk);
    if (asked.kind === 'user') {
      if (asked.authenticators.length === 0) return withoutAuthenticator(desk);
      if (await isTrusted(desk, asked)) return { kind: 'pass' };
    }
    return { kind: 'ask', challenge: offer(desk, asked) };
  },
  async answer(desk, response) {
    const selected = member(response, 'selected_stage');
    if (selected !== undefined && selected !== null) return chosen(desk, selected);
    return judge(desk, await whoIsAsked(desk), response);
  },
  async refused(desk, { reason, effect }) {
    if (reason === 'limited') return tooMany;
    // Used by somebody else a moment ago: as wrong as any other.
    if (effect !== 'authenticator.use' && effect !== 'once') return { kind: 'deny', message: null };
    const asked = await whoIsAsked(desk);
    const { user } = await subjectOf(desk, asked);
    return { ...again(desk, asked, wrongCode), effects: [loginFailed(desk, user)] };
  },
});

const tooMany: Outcome = { kind: 'deny', message: text('authenticator.limited') };
const wrongCode = { field: 'code', code: 'invalid', text: text('authenticator_validate.invalid') };
const wrongPasskey = { field: 'webauthn', code: 'invalid', text: text('authenticator_validate.passkey') };

async function judge(desk: ValidateDesk, asked: Asked, response: Response): Promise<Outcome> {
  if (asked.kind === 'nobody') return withNobody(desk);
  const wish = jsonObject(member(response, 'selected_challenge'));
  if (wish !== null) return select(desk, asked, wish);
  const passkey = credentialIn(response, 'webauthn');
  if (passkey !== null) return decide(desk, asked, await judgePasskey(desk, asked, passkey), wrongPasskey);
  const code = member(response, 'code');
  if ((typeof code !== 'string' || code.trim() === '') && typeof code !== 'number')
    return again(desk, asked, { field: 'code', code: 'required', text: text('authenticator_validate.nothing') });
  return decide(desk, asked, await judgeCode(desk, asked, code), wrongCode);
}

interface Problem {
  readonly field: string;
  readonly code: string;
  readonly text: Text;
}

/** The page once more: a passkey needs a new challenge. */
function again(desk: ValidateDesk, asked: Asked, { field, code, text }: Problem): Outcome {
  return { kind: 'retry', challenge: offer(desk, asked), problems: { [field]: [{ code, text }] } };
}

async function decide(desk: ValidateDesk, asked: Asked, judged: Judged, problem: Problem): Promise<Outcome> {
  const { effects } = judged;
  if (judged.kind === 'limited') return { ...tooMany, effects };
  if (judged.kind === 'wrong') return { ...again(desk, asked, problem), effects };
  const { authenticator } = judged;
  const { context } = desk;
  if (asked.kind !== 'user') return { kind: 'pass', effects, context: byPasskeyAlone(authenticator) };
  const { auth_method = 'auth_mfa' } = context;
  return {
    kind: 'pass',
    effects,
    context: {
      pending_user: { ref: asked.id },
      ...{ auth_method, auth_method_args: withFactor(context, authenticator) },
    },
    ...(await trust(desk, authenticator)),
  };
}

/**
 * AV-4: the choice is made in the browser, and the reference's client ignores what it is answered; but a code by mail is
 * sent when it is chosen.
 */
async function select(desk: ValidateDesk, asked: Asked, wish: JsonObject): Promise<Outcome> {
  const { device_challenges: offered } = offer(desk, asked);
  const isOffered = offered.some((one) => one.device_class === wish.device_class && one.device_uid === wish.device_uid);
  const known = asked.kind === 'user' ? asked.authenticators.find(({ uuid }) => uuid === wish.device_uid) : undefined;
  if (asked.kind === 'user' && isOffered && known?.kind === 'email') return sendToAuthenticator(desk, asked, known);
  return again(
    desk,
    asked,
    isOffered
      ? { field: wholeForm, code: 'invalid', text: text('authenticator_validate.empty') }
      : { field: 'selected_challenge', code: 'invalid', text: text('authenticator_validate.unknown') },
  );
}

/** AV-2: nobody is there to ask, or to set anything up for. */
function withNobody({ config }: ValidateDesk): Outcome {
  if (config.not_configured_action === 'skip') return { kind: 'pass' };
  return { kind: 'deny', message: text('authenticator_validate.none') };
}

/** They have nothing to prove it with (AV-3). */
function withoutAuthenticator(desk: ValidateDesk): Outcome {
  const { not_configured_action: action, configuration_stages: stages } = desk.config;
  if (action === 'skip') return { kind: 'pass' };
  if (action === 'deny') return { kind: 'deny', message: text('authenticator_validate.none') };
  const [only] = stages;
  if (stages.length === 1 && only !== undefined) return configure(desk, only);
  const challenge = {
    component: 'ak-stage-authenticator-validate',
    device_challenges: [],
    configuration_stages: configurations(desk),
  } as const;
  return { kind: 'ask', challenge };
}

/** Only who has no authenticator may choose one to set up: everybody else must use theirs. */
async function chosen(desk: ValidateDesk, pk: unknown): Promise<Outcome> {
  const asked = await whoIsAsked(desk);
  const { not_configured_action: action, configuration_stages: stages } = desk.config;
  if (action === 'configure' && asked.kind === 'user' && asked.authenticators.length === 0)
    if (typeof pk === 'string' && stages.includes(pk)) return configure(desk, pk);
  const problem = { code: 'invalid', text: text('authenticator_validate.choose') };
  return { kind: 'retry', problems: { selected_stage: [problem] } };
}

/** The stage comes next, and this one is done (AV-3). */
function configure({ object }: ValidateDesk, pk: string): Outcome {
  const stage = object(pk);
  if (stage?.stageKind === undefined) return { kind: 'deny', message: null };
  const { name, stageKind: kind, config } = stage;
  return { kind: 'insert', stages: [{ pk, name, kind, config: config as JsonObject }] };
}

/** AV-9: the same browser, user and stage, an authenticator that they still have, no new password since. */
async function isTrusted(
  { config, stage, visitor, tools, read }: ValidateDesk,
  { id, authenticators }: Extract<Asked, { kind: 'user' }>,
): Promise<boolean> {
  const now = tools.now();
  const threshold = parseDuration(config.last_auth_threshold);
  const known = (visitor.remembered ?? []).filter(
    (one) =>
      one.what === 'factor' &&
      one.stage === stage.pk &&
      one.at + threshold > now &&
      authenticators.some(({ uuid }) => uuid === one.authenticator),
  );
  const user = known.length === 0 ? null : await read.user(id);
  return user !== null && known.some((one) => one.user === user.uuid && one.at >= (user.passwordChangedAt ?? 0));
}

async function trust(
  { config, stage, tools, read }: ValidateDesk,
  { uuid: authenticator, userId }: Authenticator,
): Promise<{ readonly remember?: Remembered }> {
  const threshold = parseDuration(config.last_auth_threshold);
  const user = threshold === 0 ? null : await read.user(userId);
  if (user === null) return {};
  const at = tools.now();
  return { remember: { what: 'factor', stage: stage.pk, user: user.uuid, authenticator, at, until: at + threshold } };
}
