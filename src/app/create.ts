import { createExpressionHosts } from '../adapters/expression-hosts.ts';
import { createExpressions } from '../adapters/expressions/expressions.ts';
import { createOutbound } from '../adapters/outbound.ts';
import { createPasswordHasher } from '../adapters/password/hasher.ts';
import { createStrengthMeter } from '../adapters/password/strength.ts';
import { compileProfile } from '../adapters/profile-schema.ts';
import { applyBlueprints } from '../blueprints/apply.ts';
import type { Installed } from '../blueprints/models.ts';
import type { Finding } from '../blueprints/proof/finding.ts';
import { applyShipped } from '../blueprints/shipped.ts';
import { applyTyped } from '../blueprints/typed/apply.ts';
import { installedWith } from '../blueprints/typed/installed.ts';
import type { CompiledFlow } from '../engine/flow.ts';
import type { Profile } from '../engine/profile.ts';
import type { AnyStage } from '../engine/stage.ts';
import { step } from '../engine/step.ts';
import type { World } from '../engine/world.ts';
import { systemClock } from '../kernel/clock.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { newToken, newUuid } from '../kernel/ids.ts';
import { Keyring } from '../kernel/secrets.ts';
import { createPolicies } from '../policies/evaluate.ts';
import { policies as shippedPolicies } from '../policies/index.ts';
import { stages as shippedStages } from '../stages/index.ts';
import { type OpenStore, openStore } from '../store/open.ts';
import type { Retention } from '../store/purge.ts';
import type { App } from './app.ts';
import { type Approvals, createApprovals } from './approvals.ts';
import { type Blueprints, createBlueprints } from './blueprints.ts';
import { createConnections } from './connections.ts';
import { startDelivery } from './deliver.ts';
import { execute } from './execute.ts';
import { FlowCache } from './flow-cache.ts';
import { createDiagrams } from './flow-diagram.ts';
import { createFlowVersions, type FlowVersions } from './flow-versions.ts';
import { createGroups } from './groups.ts';
import { createHooks } from './hooks.ts';
import { inspected } from './inspection.ts';
import { createInvitations } from './invitations.ts';
import { type Jobs, startJob } from './jobs.ts';
import { limitedStore } from './limits.ts';
import { createMailRoom, type MailRoom, tellingOfMessages } from './mail.ts';
import { createMailbox } from './mailbox.ts';
import { isLoopback, MailboxKey } from './mailbox-key.ts';
import type { DoorwardOptions, Log } from './options.ts';
import { createPlaces, type Places } from './places.ts';
import { retentionOf } from './retention.ts';
import { sessionOf } from './sessions.ts';
import { stageSettings } from './stage-settings.ts';
import { createTokens } from './tokens.ts';
import { createTools } from './tools.ts';
import { createUsers } from './users.ts';
import { type WatchedFolder, watchBlueprints } from './watch-blueprints.ts';
import { deliveriesTo, type Webhook, webhooksOf, withWebhooks } from './webhooks.ts';

const purgeEveryMs = 60_000;
const approvalsEveryMs = 30_000;
const placesEveryMs = 60_000;

/**
 * Opens the store (migrating it), applies the shipped flows and the given blueprints, and wires the engine.
 *
 * @throws DoorwardError `configuration`, `blueprint`, `store_unavailable`
 */
export async function createApp(options: DoorwardOptions): Promise<App> {
  const log: Log = options.log ?? (() => {});
  const clock = options.clock ?? systemClock;
  const keyring = new Keyring(options.secretKey);
  const origin = originOf(options.publicUrl);
  const webhooks = webhooksOf(options.webhooks ?? []);
  const places = await createPlaces(options.places, log);
  const mail = mailRoomOf(options, places, () => clock.now());
  const retention = retentionOf(options.retention);
  const hooks = createHooks(options, log);
  const profile = options.profileSchema === undefined ? null : await compileProfile(options.profileSchema);
  const store = await openStore({
    ...{ database: options.database, keyring, clock, log },
    ...(hooks === null ? {} : { hooks }),
  });
  const expressions = createExpressions(options.expressionLimitMs);
  try {
    const installed = installedKinds(options);
    const now = () => clock.now();
    const reading = { ...installed, definitions: store.definitions, read: store.read, expressions };
    await applyShipped(reading);
    const { proof = 'warn' } = options;
    const base = { ...reading, origin, proof, found: logOfFindings(log) };
    if (options.blueprints !== undefined && options.blueprints.length > 0)
      await applyBlueprints({ ...base, files: options.blueprints });
    await applyTyped(base, options.flows ?? []);
    const flows = new FlowCache(store.definitions, now);
    const { blueprintsDir: folder } = options;
    const watched =
      folder === undefined ? null : await watchBlueprints({ folder, base, log, now, changed: () => flows.forget() });
    return wire(options, {
      ...{ log, keyring, origin, opened: store, installed, webhooks, mail, profile, retention, now, expressions },
      ...{ flows, watched, places, blueprints: createBlueprints({ base, flows, now, proof }) },
      versions: createFlowVersions({ base, flows }),
    });
  } catch (error) {
    await expressions.close();
    await store.close();
    throw error;
  }
}

/** What the proof finds is told where nobody waits for an answer. */
function logOfFindings(log: Log): (findings: readonly Finding[]) => void {
  return (findings) => {
    for (const { code, severity, flow, stage, message, change } of findings)
      if (severity !== 'note')
        log('warn', 'the proof of flows found something', { code, severity, flow, stage, message, change });
  };
}

interface Parts {
  readonly log: Log;
  readonly keyring: Keyring;
  readonly origin: string;
  readonly opened: OpenStore;
  readonly installed: Installed;
  readonly webhooks: readonly Webhook[];
  readonly mail: MailRoom;
  readonly places: Places;
  readonly profile: Profile | null;
  readonly retention: Retention;
  readonly expressions: ReturnType<typeof createExpressions>;
  readonly flows: FlowCache;
  readonly blueprints: Blueprints;
  readonly versions: FlowVersions;
  readonly watched: WatchedFolder | null;
  now(): number;
}

function wire(options: DoorwardOptions, parts: Parts): App {
  const { log, keyring, origin, opened, webhooks, mail, profile, expressions, flows, now } = parts;
  const channels = new Map([...deliveriesTo(webhooks, now), ...mail.channels]);
  const delivery = startDelivery({ outbox: opened.outbox, channels, log, now });
  const { counted, limits } = limitedStore(options.rateLimits, opened, now);
  const store = withWebhooks(
    tellingOfMessages(counted, () => delivery.poke()),
    webhooks,
  );
  const builtIn = options.hasher === undefined ? createPasswordHasher() : null;
  const hasher = options.hasher ?? builtIn ?? createPasswordHasher();
  const basePath = options.basePath ?? '';
  const users = createUsers({ store, hasher, profile, now });
  const strength = createStrengthMeter();
  const tools = createTools({
    ...{ clock: { now }, hasher, keyring, log, read: store.read, profile, expressions },
    expressionHosts: createExpressionHosts(options.expressionHosts ?? []),
    ...{ outbound: createOutbound(), limits, passwordScore: strength.score, breachCheckUrl: breachCheckUrl(options) },
    ...{
      brandName: brandName(options.brand),
      mail: mail.desk,
      whereabouts: parts.places,
      newUserId: () => store.newUserId(),
    },
  });
  const world = worldOf(options, parts, { store, tools });
  const approvals = createApprovals({ world, store, flows, keyring, linkBase: mail.desk.linkBase, origin, log, now });
  const jobs = [...startJobs(parts, approvals), delivery];
  return {
    ...{ origin, basePath, origins: [origin, ...(options.alsoOrigins ?? []).map(originOf)], keyring, log, store, now },
    ...{ trustedProxies: options.trustedProxies ?? [], brand: options.brand, brandName: world.brandName, users },
    ...{ groups: createGroups({ store, now }), connections: createConnections({ store, now }), places: parts.places },
    mayActAsAdministrators: options.impersonateAdministrators === true,
    tokens: createTokens({
      ...{ store, now, origin: `${origin}${basePath}` },
      hasFlow: async (slug) => (await flows.current(slug)) !== null,
    }),
    invitations: createInvitations({ store, mail: mail.desk, now, flow: (reference) => flows.named(reference) }),
    ...{ approvals, step: (input) => step(world, input), inspect: (input) => inspected(world, input) },
    execute: (slug, given) => execute({ world, users, origin }, slug, given),
    currentFlow: (slug) => flows.current(slug),
    flowFor: (designation) => flowFor(flows, designation),
    stageSettings: async () => stageSettings(await flows.all()),
    session: (token, from) => sessionOf(world, token, from),
    isAdministrator: async (userId) => (await store.read.groupsOf(userId)).some((group) => group.isSuperuser),
    change: (effects) => store.commit({ id: newUuid(), runs: [], effects }),
    ...{ blueprints: parts.blueprints, versions: parts.versions, diagram: createDiagrams({ flows, read: store.read }) },
    async setupAddress() {
      if (await store.accounts.hasAdministrator()) return null;
      const secret = newToken();
      await store.accounts.ensureSetupSecret(world.tools.hashToken(secret));
      return `${origin}${basePath}/if/flow/initial-setup/?setup=${secret}`;
    },
    mailbox: createMailbox(opened.outbox, mail, { link: mail.desk.linkBase, now }),
    mailboxKey: !mail.leaves && isLoopback(origin) ? new MailboxKey() : null,
    hashLoad: () => builtIn?.load ?? null,
    async close() {
      await Promise.all([
        ...jobs.map((job) => job.stop()),
        parts.watched?.stop(),
        expressions.close(),
        strength.close(),
      ]);
      await mail.close();
      await store.close();
    },
  };
}

function startJobs({ log, opened, retention, now, places }: Parts, approvals: Approvals): readonly Jobs[] {
  return [
    startJob('approvals', approvalsEveryMs, () => approvals.work(), log),
    startJob('places', placesEveryMs, () => places.refresh(), log),
    startJob('purge', purgeEveryMs, () => opened.accounts.purge(now(), retention), log),
  ];
}

function worldOf(
  options: DoorwardOptions,
  { installed, keyring, log, flows }: Parts,
  { store, tools }: Pick<World, 'store' | 'tools'>,
): World {
  return {
    ...{ stages: byKind(installed.stages), store, keyring, tools, brandName: brandName(options.brand) },
    policies: createPolicies({
      ...{ table: installed.policies, tools },
      onError: (binding, error) =>
        log('warn', 'a policy could not run, so it denies', { binding: binding.pk, error: String(error) }),
    }),
    flow: (slug, version) => flows.version(slug, version),
    currentFlow: (slug) => flows.current(slug),
    recentVersion: (slug) => flows.recent(slug),
  };
}

/** @throws DoorwardError `configuration` */
function mailRoomOf(options: DoorwardOptions, places: Places, now: () => number): MailRoom {
  const { mail = {}, publicUrl, basePath = '', brand } = options;
  const origin = originOf(publicUrl);
  const host = new URL(origin).hostname;
  const linkBase = `${origin}${basePath}`;
  return createMailRoom({ options: mail, linkBase, host, brandName: brandName(brand), places, now });
}

/** The default flow of a designation by the reference's name, else the first by slug. */
async function flowFor(flows: FlowCache, designation: CompiledFlow['designation']): Promise<string | null> {
  const preferred = await flows.current(`default-${designation}-flow`);
  if (preferred !== null) return preferred.slug;
  for (const slug of await flows.slugs()) if ((await flows.current(slug))?.designation === designation) return slug;
  return null;
}

/** @throws DoorwardError `configuration` where two have one kind */
function installedKinds({ stages = [], policies = [], flows = [] }: DoorwardOptions): Installed {
  const given = { stages: [...shippedStages, ...stages], policies: [...shippedPolicies, ...policies] };
  const installed = installedWith(flows, given);
  for (const [what, declared] of Object.entries({ ...installed })) {
    const kinds = declared.map(({ kind }) => kind);
    const twice = kinds.find((kind, index) => kinds.indexOf(kind) !== index);
    if (twice !== undefined) throw new DoorwardError('configuration', `two ${what} have the kind "${twice}"`);
  }
  return installed;
}

function byKind(stages: readonly AnyStage[]): ReadonlyMap<string, AnyStage> {
  return new Map(stages.map((stage) => [stage.kind, stage]));
}

function originOf(url: string): string {
  if (!URL.canParse(url))
    throw new DoorwardError('configuration', `publicUrl: "${url}" is not an origin such as https://id.example.com`);
  return new URL(url).origin;
}

function breachCheckUrl({ breachCheckUrl: url = 'https://api.pwnedpasswords.com/range/' }: DoorwardOptions): string {
  if (!URL.canParse(url) || !/^https?:/i.test(url))
    throw new DoorwardError(
      'configuration',
      `breachCheckUrl: "${url}" is not an address such as https://example.com/range/`,
    );
  return url;
}

function brandName(brand: unknown): string {
  return typeof brand === 'object' && brand !== null && 'name' in brand && typeof brand.name === 'string'
    ? brand.name
    : 'Doorward';
}
