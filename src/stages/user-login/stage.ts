/**
 * Signs the pending user in: a new session for this browser, under a token that was never used before. It gets the
 * pending user, whoever they proved to be, and gives the browser a session; nobody inactive or made up gets one.
 */
import * as z from 'zod';
import { endSessions } from '../../engine/acting.ts';
import type { Effect } from '../../engine/effects.ts';
import { factorsOf } from '../../engine/factors.ts';
import { knownDevice } from '../../engine/limits.ts';
import type { Remembered } from '../../engine/remembered.ts';
import { bindSession, geoipBindings, networkBindings } from '../../engine/session-binding.ts';
import { type Desk, defineStage, type Outcome } from '../../engine/stage.ts';
import type { Session, User } from '../../engine/user.ts';
import { isDuration, parseDuration } from '../../kernel/duration.ts';
import { hashToken, newToken, newUuid } from '../../kernel/ids.ts';
import { type Json, type JsonObject, member } from '../../kernel/json.ts';
import { text } from '../../protocol/text.ts';

/** A session whose cookie ends with the browser still ends on the server, since browsers restore such cookies. */
export const browserSessionMs = 14 * 86_400_000;
/** Such a session also ends when it was not used for so long. */
export const browserSessionIdleMs = 2 * 86_400_000;

const duration = z.string().refine(isDuration, 'is not a duration; write for example hours=8 or days=1;hours=12');
const config = z.object({
  session_duration: duration.default('seconds=0').describe('How long a session lasts; 0: until the browser closes.'),
  remember_me_offset: duration
    .default('seconds=0')
    .describe('How much longer when the visitor wants to stay signed in; 0: they are not asked.'),
  terminate_other_sessions: z.boolean().default(false).describe("Ends the user's other sessions."),
  remember_device: duration
    .default('days=30')
    .describe('How long the browser counts as a device of this user, which nobody else can lock out; 0: it does not.'),
  network_binding: z
    .enum(namesOf(networkBindings))
    .default('no_binding')
    .describe('Ends the session when it is used from another provider, network or address.'),
  geoip_binding: z
    .enum(namesOf(geoipBindings))
    .default('no_binding')
    .describe('Ends the session when it is used from another continent, country or city.'),
});
type LoginDesk = Desk<z.infer<typeof config>>;

/** The user login stage (UL-1 to UL-8). */
export const userLogin = defineStage({
  kind: 'user_login',
  model: 'authentik_stages_user_login.userloginstage',
  component: 'ak-stage-user-login-form',
  description: 'Signs the pending user in.',
  config,
  needs: ['pending_user'],
  gives: ['auth_method_args'],
  touchesBrowser: true,
  proof: ({ remember_me_offset }) => ({ signsIn: true, asks: parseDuration(remember_me_offset) > 0 }),
  async enter(desk) {
    const user = await whoSignsIn(desk);
    if (user === null) return { kind: 'deny', message: null };
    if (desk.unattended) return { kind: 'pass' };
    if (parseDuration(desk.config.remember_me_offset) === 0) return signIn(desk, user, false);
    return { kind: 'ask', challenge: { component: 'ak-stage-user-login' } };
  },
  async answer(desk, response) {
    const remember = choiceOf(member(response, 'remember_me'));
    if (remember === null) {
      const problem = { code: 'required', text: text('prompt.required') };
      return { kind: 'retry', problems: { remember_me: [problem] } };
    }
    const user = await whoSignsIn(desk);
    return user === null ? { kind: 'deny', message: null } : signIn(desk, user, remember);
  },
});

/** The pending user, if there is one who may sign in. */
async function whoSignsIn({ context, read }: LoginDesk): Promise<User | null> {
  const pending = context.pending_user;
  if (pending === undefined || 'decoy' in pending) return null;
  const user = await read.user(pending.ref);
  return user?.isActive ? user : null;
}

function signIn(desk: LoginDesk, user: User, remember: boolean): Outcome {
  const { config, flow, stage, tools, visitor } = desk;
  const bound = bindSession(config, visitor.address, tools.whereabouts);
  if ('lacking' in bound) {
    const fields = { flow: flow.slug, stage: stage.name, lacking: bound.lacking };
    tools.log('warn', 'nobody can sign in here: the session could not be bound', fields);
    return { kind: 'deny', message: null };
  }
  const token = newToken();
  const how = withDevice(desk, user);
  const session = { ...newSession(desk, user, hashToken(token), remember), ...bound };
  const { persistent, expiresAt } = session;
  return {
    kind: 'pass',
    context: { auth_method_args: how },
    session: { kind: 'begin', token, user, persistent, expiresAt },
    ...deviceOf(desk, user),
    effects: [
      ...endSessions(desk),
      { kind: 'session.begin', session },
      ...(config.terminate_other_sessions
        ? [{ kind: 'session.end_all', userId: user.id, except: session.tokenHash } as const]
        : []),
      { kind: 'user.seen', id: user.id, at: session.createdAt },
      loginEvent(desk, user, how, session.createdAt),
    ],
  };
}

/**
 * UL-5: whether this very user signed in with this browser before; what a stage or policy has said of it stays. The
 * reference takes any session from the same address for it, whoever's it is: then all of an office know each other's.
 */
function withDevice({ context, visitor }: LoginDesk, user: User): JsonObject {
  return { known_device: knownDevice(visitor, user) !== null, ...context.auth_method_args };
}

/** UL-5, UL-6: the browser is known for this very user, by a sealed cookie. */
function deviceOf({ config, stage, tools }: LoginDesk, user: User): { readonly remember?: Remembered } {
  const lasts = parseDuration(config.remember_device);
  if (lasts < 1_000) return {};
  const at = tools.now();
  return { remember: { what: 'device', stage: stage.pk, user: user.uuid, authenticator: '', at, until: at + lasts } };
}

function newSession(desk: LoginDesk, user: User, tokenHash: string, remember: boolean): Omit<Session, 'boundTo'> {
  const { config, context, visitor, tools } = desk;
  const now = tools.now();
  const lasts = parseDuration(config.session_duration) + (remember ? parseDuration(config.remember_me_offset) : 0);
  const persistent = lasts > 0;
  return {
    tokenHash,
    uuid: newUuid(),
    userId: user.id,
    impersonatorId: null,
    returnsTo: null,
    createdAt: now,
    lastUsedAt: now,
    expiresAt: now + (persistent ? lasts : browserSessionMs),
    idleTimeout: persistent ? null : browserSessionIdleMs,
    persistent,
    address: visitor.address,
    agent: visitor.agent,
    authMethod: context.auth_method ?? '',
    factors: factorsOf(context),
  };
}

function loginEvent(
  { context, visitor, stage, flow }: LoginDesk,
  user: User,
  auth_method_args: JsonObject,
  at: number,
): Effect {
  return {
    kind: 'event',
    event: {
      action: 'login',
      user: { pk: user.id, username: user.username },
      context: {
        auth_method: context.auth_method ?? null,
        auth_method_args,
        stage: { pk: stage.pk, name: stage.name },
      },
      address: visitor.address,
      requestId: visitor.requestId,
      flow: flow.slug,
      at,
    },
  };
}

/** JSON sends a bool, a form a word. */
function choiceOf(value: Json | undefined): boolean | null {
  if (value === true || value === 'true' || value === 'on') return true;
  return value === false || value === 'false' ? false : null;
}

function namesOf<Name extends string>(table: Readonly<Record<Name, unknown>>): readonly Name[] {
  return Object.keys(table) as Name[];
}
