import { hashToken } from '../kernel/ids.ts';
import { chooseLocale, type Locale } from '../protocol/localize.ts';
import type { StepInput } from './exchange.ts';
import type { CompiledFlow } from './flow.ts';
import type { Loaded } from './ports.ts';
import { rememberedIn } from './remembered.ts';
import type { EndedRun, Run } from './run.ts';
import { signedInHere } from './signed-in-here.ts';
import type { User } from './user.ts';
import type { Visitor } from './visitor.ts';
import type { World } from './world.ts';

/** Who is at the door and where they stand, brought by one query. */
export interface Scene {
  readonly input: StepInput;
  readonly now: number;
  readonly visitor: Visitor;
  readonly locale: Locale;
  readonly sessionHash: string;
  /** The token names no session that lives. */
  readonly sessionGone: boolean;
  readonly variant: string;
  /** The version to go by: the run's own, else the current one. */
  readonly flow: CompiledFlow | null;
  /** A run was under way, but its flow or version is gone. */
  readonly flowGone: boolean;
  /** The open run, if it can go on. */
  readonly run: Run | null;
  /** Id of this session's newest run of the flow, whatever became of it; '' for none. */
  readonly previous: string;
  /** An open run that can't: expired, or somebody else's by now. A new one takes its place. */
  readonly replaces: string | null;
  /** The open run, where it went on under another token, and this browser still sends the one before. */
  readonly movedOn: Run | null;
  /** The newest run, when it has ended lately. */
  readonly ended: { readonly run: Run; readonly how: EndedRun } | null;
}

/** An open run is kept for a day after its last step. */
export const runLifetimeMs = 24 * 60 * 60 * 1000;

/** An ended run is remembered so long, so that a repeated answer gets the same outcome (CONTRACT: Runs). */
export const endedMemoryMs = 10 * 60 * 1000;

/**
 * Loads session, visitor and run, and finds out which of them count. A browser without a cookie has none of these, so
 * its first page costs no query.
 */
export async function setScene(world: World, input: StepInput): Promise<Scene> {
  const now = world.tools.now();
  const sessionHash = hashToken(input.sessionToken);
  const variant = variantOf(input.query);
  const load = async (): Promise<Loaded> =>
    input.newcomer
      ? { flowVersion: await world.recentVersion(input.slug), signedIn: null, run: null }
      : await world.store.load({ sessionHash, flow: input.slug, variant, now });
  let loaded = await load();
  const here = await signedInHere(world, loaded.signedIn, { ...input, flow: input.slug });
  // Its open runs ended with it.
  if (here === 'ended') loaded = await load();
  const signedIn = here === 'ended' ? null : here;
  const user = signedIn?.user ?? null;
  const locale = chooseLocale(input.query.locale || languageSetting(user), input.acceptLanguage);
  const visitor: Visitor = {
    ...{ user, impersonator: signedIn?.impersonator ?? null, session: signedIn?.session ?? null },
    ...{ address: input.address, agent: input.agent, locale, origin: input.origin, requestId: input.requestId },
    query: input.query,
    remembered: rememberedIn(world.keyring, input.remembered ?? null, now),
  };
  const known = loaded.run;
  const open = known !== null && known.ended === null;
  const movedOn = open && known.session !== sessionHash ? known : null;
  const usable =
    open && movedOn === null && known.expiresAt > now && isPinnedTo(known, visitor) && loaded.flowVersion !== null;
  const run = usable ? known : null;
  const version = run?.version ?? loaded.flowVersion;
  const flow = version === null ? null : await world.flow(input.slug, version);
  const gone = flow === null && (open || known?.ended?.outcome.kind === 'denied');
  return {
    ...{ input, now, visitor, locale, sessionHash, variant, flow, flowGone: gone, run: flow === null ? null : run },
    sessionGone: loaded.signedIn === null,
    previous: known?.id ?? '',
    replaces: open && !usable && movedOn === null ? known.id : null,
    movedOn,
    ended: known?.ended != null && known.ended.at + endedMemoryMs > now ? { run: known, how: known.ended } : null,
  };
}

/**
 * The scene that a run begins in: under a fresh token where the browser's session is gone, since whoever holds a copy
 * of that session's cookie would share the run. A session that lives but stands for nobody at the moment is kept: it
 * may be an administrator's only way back.
 */
export function beginningScene(scene: Scene): Scene {
  const { input, sessionGone } = scene;
  if (input.freshToken === undefined || !sessionGone) return scene;
  return {
    ...scene,
    input: { ...input, sessionToken: input.freshToken, newcomer: true },
    sessionHash: hashToken(input.freshToken),
    ...{ previous: '', replaces: null, movedOn: null, ended: null },
  };
}

/**
 * Whether another request moved the run since the scene was set. A commit finds that out by itself; an answer that was
 * judged wrong writes nothing, and may be wrong only because its own double was there first (W34).
 */
export async function hasMovedSince(world: World, scene: Scene): Promise<boolean> {
  const { input, sessionHash, variant, now, previous, run } = scene;
  if (input.newcomer) return false;
  const { run: latest } = await world.store.load({ sessionHash, flow: input.slug, variant, now });
  return (latest?.id ?? '') !== previous || (run !== null && latest?.seq !== run.seq);
}

/** A run belongs to who was signed in when it began (or to whom it signed in itself). */
export function isPinnedTo(run: Run, visitor: Visitor): boolean {
  return run.userId === (visitor.user?.id ?? null) && run.impersonatorId === (visitor.impersonator?.id ?? null);
}

/** Another invitation or link is another run. */
export function variantOf(query: StepInput['query']): string {
  const { itoken, token, flow_token: flowToken, setup } = query;
  const parts = [itoken || token || '', flowToken ?? '', setup ?? ''];
  return parts.every((part) => part === '') ? '' : hashToken(parts.join('\n'));
}

/** The language in the user's settings, where the reference keeps it too. */
export function languageSetting(user: User | null): unknown {
  const settings: unknown = user?.attributes.settings;
  return settings !== null && typeof settings === 'object' && 'locale' in settings ? settings.locale : undefined;
}
