import type { Challenge } from '../protocol/challenge.ts';
import { showsPendingUser } from '../protocol/challenge.ts';
import { localize } from '../protocol/localize.ts';
import { type Text, text } from '../protocol/text.ts';
import type { Chain } from './chain.ts';
import { pendingId } from './chain-state.ts';
import type { StepReply } from './exchange.ts';
import type { CompiledFlow, DeniedAction } from './flow.ts';
import { safeNext } from './next.ts';
import type { PlanContext } from './plan-context.ts';
import { remembering } from './remembered.ts';
import type { Run } from './run.ts';
import { flowPath, onward } from './run-writes.ts';
import type { Scene } from './scene.ts';
import { mintStepToken } from './step-token.ts';
import type { Visitor } from './visitor.ts';
import type { World } from './world.ts';

/** A reply with no run behind it. @param user who is named in it: the visitor, unless the run knows better */
export function plainReply(
  world: World,
  scene: Scene,
  flow: CompiledFlow | null,
  challenge: Challenge,
  user = scene.visitor.user?.username ?? '',
): StepReply {
  return {
    ...{ challenge, problems: null, flow, messages: [], stepToken: null, locale: scene.locale },
    session: unchangedSession(scene),
    title: flow === null ? '' : titleOf(world, scene, flow, user),
    pendingUser: showsPendingUser(challenge.component) ? user : '',
    actingAs: actingAs(scene.visitor),
  };
}

/** The run's current challenge. `chain` is there when it was decided in this very request. */
export async function shownReply(
  world: World,
  scene: Scene,
  flow: CompiledFlow,
  run: Run,
  chain: Chain | null = null,
): Promise<StepReply> {
  const challenge = run.state.challenge ?? { component: 'ak-stage-access-denied', error_message: text('flow.gone') };
  const isNamed = showsPendingUser(challenge.component) || localize(flow.title, scene.locale).includes('%(user)s');
  const shown = await shownUser(world, scene, chain, run.state.context, isNamed);
  const token = { run: run.id, seq: run.seq, session: run.session, mintedAt: scene.now };
  return {
    ...plainReply(world, scene, flow, challenge, shown),
    problems: chain === null ? run.state.problems : chain.state.problems,
    messages: run.state.messages,
    stepToken: mintStepToken(world.keyring, token),
    session: chain === null ? unchangedSession(scene) : sessionOf(scene, chain),
    ...remembered(world, scene, chain),
    actingAs: actingAs((chain?.state ?? scene).visitor),
  };
}

/** The end: a redirect, or the denial. @param otherwise where the visitor goes while there is no end yet */
export function endReply(world: World, scene: Scene, flow: CompiledFlow, chain: Chain, otherwise = '/'): StepReply {
  const { ended, jump, messages } = chain.state;
  const challenge: Challenge =
    jump !== null
      ? { component: 'xak-flow-redirect', to: flowPath(jump.flow.slug, onward(scene.input.query)) }
      : ended?.kind === 'denied'
        ? { component: 'ak-stage-access-denied', error_message: ended.message }
        : { component: 'xak-flow-redirect', to: ended?.to ?? otherwise };
  const changed = { messages, session: sessionOf(scene, chain), actingAs: actingAs(chain.state.visitor) };
  return { ...plainReply(world, scene, flow, challenge), ...changed, ...remembered(world, scene, chain) };
}

function actingAs({ user, impersonator }: Visitor): string | null {
  return impersonator === null ? null : (user?.username ?? null);
}

/** The flow does not apply to this visitor: what `denied_action` says (flow-engine.md 3.6). */
export function denialReply(
  world: World,
  scene: Scene,
  flow: CompiledFlow,
  denial: { readonly message: Text; readonly action: DeniedAction },
): StepReply {
  const asked = scene.input.query.next;
  const next = asked === undefined ? null : safeNext(asked, scene.input.origin);
  const to = denial.action === 'message' ? null : (next ?? (denial.action === 'continue' ? '/' : null));
  return plainReply(
    world,
    scene,
    flow,
    to === null
      ? { component: 'ak-stage-access-denied', error_message: denial.message }
      : { component: 'xak-flow-redirect', to },
  );
}

/** The flow was deleted or replaced under a visitor. */
export function goneReply(world: World, scene: Scene): StepReply {
  return plainReply(world, scene, null, { component: 'ak-stage-access-denied', error_message: text('flow.gone') });
}

/** One click first, since the request came from elsewhere (DESIGN: What a visitor meets). */
export function confirmReply(world: World, scene: Scene, flow: CompiledFlow, run: Run): StepReply {
  const token = { run: run.id, seq: run.seq, session: run.session, mintedAt: scene.now };
  return {
    ...plainReply(world, scene, flow, {
      component: 'ak-stage-dummy',
      name: localize(text('flow.confirm'), scene.locale),
    }),
    stepToken: mintStepToken(world.keyring, token),
  };
}

/** Where no stage changed the session: null, unless the run began under the fresh token. */
function unchangedSession({ input }: Scene): StepReply['session'] {
  return input.sessionToken === input.freshToken ? 'fresh' : null;
}

function sessionOf(scene: Scene, chain: Chain): StepReply['session'] {
  const { session, ended } = chain.state;
  if (session === null) return unchangedSession(scene);
  const anonymous = (token: string) => ({ token, persistent: false, expiresAt: null });
  if (session.kind === 'end') return ended !== null || session.token === undefined ? 'end' : anonymous(session.token);
  if (session.kind === 'hand_over') return anonymous(session.token);
  const kept = scene.visitor.session;
  return session.kind === 'begin'
    ? { token: session.token, persistent: session.persistent, expiresAt: session.expiresAt }
    : { token: session.token, persistent: kept?.persistent ?? false, expiresAt: kept?.expiresAt ?? 0 };
}

function remembered({ keyring }: World, { visitor }: Scene, chain: Chain | null): Pick<StepReply, 'remember'> {
  const more = chain?.state.remember ?? [];
  return more.length === 0 ? {} : { remember: remembering(keyring, visitor.remembered ?? [], more) };
}

/** B-1: the typed identifier where the real name is not to be shown, then the pending user, then the visitor. */
async function shownUser(
  world: World,
  scene: Scene,
  chain: Chain | null,
  context: PlanContext,
  isNamed: boolean,
): Promise<string> {
  if (context.pending_user_identifier !== undefined) return context.pending_user_identifier;
  const pending = context.pending_user;
  if (pending !== undefined && 'decoy' in pending) return pending.typed;
  const visitor = chain?.state.visitor.user ?? scene.visitor.user;
  const id = pendingId(context);
  if (id === null || id === visitor?.id || !isNamed) return visitor?.username ?? '';
  return (await (chain?.read ?? world.store.read).user(id))?.username ?? '';
}

/** `%(app)s` and `%(user)s` of the flow's title (flow-engine.md 3.3); another placeholder leaves it as it is. */
function titleOf(world: World, scene: Scene, flow: CompiledFlow, user: string): string {
  const title = localize(flow.title, scene.locale);
  if (!title.includes('%')) return title;
  const values: Readonly<Record<string, string>> = { app: world.brandName, user };
  const names = [...title.matchAll(/%\((\w+)\)s/g)].map((match) => match[1] ?? '');
  if (names.some((name) => !Object.hasOwn(values, name))) return title;
  return title.replace(/%\((\w+)\)s/g, (_, name: string) => values[name] ?? '').replaceAll('%%', '%');
}
