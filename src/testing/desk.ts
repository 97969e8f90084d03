import type { Authenticator } from '../engine/authenticator.ts';
import { type Consent, receiverKey } from '../engine/consent.ts';
import type { ExpressionHosts } from '../engine/expression-hosts.ts';
import type { Expressions } from '../engine/expressions.ts';
import { type CompiledObject, type CompiledStage, type Designation, labelIn, recoveryPathIn } from '../engine/flow.ts';
import { hasVerified, type IdentifierField, identifiedBy } from '../engine/identifier.ts';
import type { Invitation } from '../engine/invitation.ts';
import { type Limits, noLimits } from '../engine/limits.ts';
import type { Outbound } from '../engine/outbound.ts';
import type { PlanContext, PromptValue } from '../engine/plan-context.ts';
import type { PolicyResult } from '../engine/policy-request.ts';
import type { Reads, Tools } from '../engine/ports.ts';
import type { Profile } from '../engine/profile.ts';
import { noProvenance, type Provenance } from '../engine/provenance.ts';
import type { RunKey } from '../engine/run-key.ts';
import type { Whereabouts } from '../engine/session-binding.ts';
import type { Desk, Stage } from '../engine/stage.ts';
import type { Group, Session, Token, User } from '../engine/user.ts';
import type { Visitor } from '../engine/visitor.ts';
import { hashToken } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { usernameKey } from '../kernel/text.ts';
import type { FieldProblems } from '../protocol/text.ts';

/** What a test says of the world around one stage; everything has a sensible default. */
export interface DeskOptions {
  /** Goes through the stage's own schema, so defaults apply. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly context?: PlanContext;
  readonly memo?: PromptValue;
  readonly revise?: FieldProblems | null;
  readonly visitor?: Partial<Visitor>;
  readonly users?: readonly User[];
  /** Passwords by username; a user without one has none. */
  readonly passwords?: Readonly<Record<string, string>>;
  /** Passwords that users had before, by username, the newest first. */
  readonly formerPasswords?: Readonly<Record<string, readonly string[]>>;
  readonly reputation?: readonly { readonly subject: string; readonly address: string; readonly score: number }[];
  /** How hard a password is to guess; by default nothing can tell. */
  readonly passwordScore?: Tools['passwordScore'];
  readonly groups?: readonly Group[];
  /** Usernames by the name of their group. */
  readonly members?: Readonly<Record<string, readonly string[]>>;
  readonly sessions?: readonly Session[];
  /** What the configuration refers to. */
  readonly objects?: readonly CompiledObject[];
  readonly attempts?: Readonly<Record<string, number>>;
  readonly setupSecret?: string | null;
  /** What is known of users' values, by their id. */
  readonly provenance?: Readonly<Record<number, Provenance>>;
  readonly profile?: Profile;
  /** Runs expressions; by default none can run. */
  readonly expressions?: Expressions;
  /** What expressions may ask other servers; by default nothing. */
  readonly expressionHosts?: ExpressionHosts;
  /** Asks other servers; by default none can be reached. */
  readonly outbound?: Outbound;
  /** What files say of addresses; by default there are none. */
  readonly whereabouts?: Whereabouts;
  /** Budgets and counters of costly work; by default there are none. */
  readonly limits?: Limits;
  /** What policies say that the stage asks; by default all pass. */
  readonly policies?: Desk['policies'];
  readonly tokens?: readonly Token[];
  /** Invitations by their secret. */
  readonly invitations?: Readonly<Record<string, Invitation>>;
  readonly runKeys?: readonly RunKey[];
  /** What users agreed to before. */
  readonly consents?: readonly Consent[];
  readonly authenticators?: readonly Authenticator[];
  /** Recovery codes by the uuid of their authenticator. */
  readonly recoveryCodes?: Readonly<Record<string, readonly string[]>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly unattended?: boolean;
  readonly dryRun?: boolean;
  readonly flow?: { readonly slug: string; readonly designation: Designation };
  readonly stage?: Partial<CompiledStage>;
  /** Milliseconds since the epoch. */
  readonly now?: number;
}

/** A desk that remembers what was logged. */
export interface TestDesk<Config extends JsonObject> extends Desk<Config> {
  readonly logged: readonly {
    readonly level: 'info' | 'warn';
    readonly message: string;
    readonly fields: JsonObject;
  }[];
}

/** Noon of 1 January 2025, UTC: the time at a test's desk. */
export const deskTime = Date.UTC(2025, 0, 1, 12);

/** A desk over plain data in memory, to test one stage without engine and store. */
export function deskFor<Config extends JsonObject>(stage: Stage<Config>, options: DeskOptions = {}): TestDesk<Config> {
  const config = stage.config.parse(options.config ?? {});
  const objects = new Map(options.objects?.map((object) => [object.pk, object]));
  const logged: TestDesk<Config>['logged'][number][] = [];
  return {
    config,
    stage: { pk: 'stage-pk', name: stage.kind, kind: stage.kind, config, ...options.stage },
    binding: 'binding-pk',
    flow: options.flow ?? { slug: 'test-flow', designation: 'enrollment' },
    context: options.context ?? {},
    memo: options.memo ?? null,
    revise: options.revise ?? null,
    visitor: { ...anonymous, ...options.visitor },
    query: options.query ?? {},
    unattended: options.unattended ?? false,
    dryRun: options.dryRun ?? false,
    read: readsOf(options),
    tools: toolsOf(options, (level, message, fields) => logged.push({ level, message, fields })),
    object: (pk) => objects.get(pk) ?? null,
    label: (key) => labelIn({ objects: Object.fromEntries(objects) }, key),
    recoveryPath: () => recoveryPathIn({ objects: Object.fromEntries(objects) }),
    policies: options.policies ?? (async () => allPass),
    sessionHash: 'session-hash',
    run: { id: 'run-id', version: 1 },
    logged,
  };
}

/** A user with the given members, the rest at their defaults. */
export function testUser(members: Partial<User> & Pick<User, 'username'>): User {
  return {
    id: 1,
    uuid: '00000000-0000-4000-8000-000000000001',
    name: '',
    email: '',
    emailVerifiedAt: null,
    path: 'users',
    type: 'internal',
    isActive: true,
    attributes: {},
    dateJoined: deskTime,
    lastLogin: null,
    passwordChangedAt: null,
    lastUpdated: deskTime,
    version: 1,
    ...members,
  };
}

/** What the desk's hasher makes of a password. */
export function testHash(password: string): string {
  return `test$${password}`;
}

const allPass: PolicyResult = {
  ...{ passing: true, failed: false, messages: [], contextPatch: {}, effects: [], decisions: [] },
};

const noExpressions: Expressions = {
  check: async () => null,
  evaluate: async () => {
    throw new Error('no expression can run at this desk');
  },
};

const noScore: Tools['passwordScore'] = async () => {
  throw new Error('no password can be scored at this desk');
};

const noHost = async () => {
  throw new Error('expressions reach no other server from this desk');
};

const noHosts: ExpressionHosts = { send: noHost, resolve: noHost, reverse: noHost };

const noWhereabouts: Whereabouts = {
  files: { network: false, place: false },
  of: () => ({ asn: null, network: null, continent: null, country: null, city: null }),
};

const noOutbound: Outbound = {
  send: async () => {
    throw new Error('no other server can be reached from this desk');
  },
};

const anonymous: Visitor = {
  user: null,
  impersonator: null,
  session: null,
  address: '192.0.2.1',
  agent: 'test',
  locale: 'en',
  origin: 'https://id.example',
  requestId: 'request-1',
};

function readsOf(options: DeskOptions): Reads {
  const signedIn = options.visitor?.user ?? null;
  const users = options.users ?? (signedIn === null ? [] : [signedIn]);
  const groups = options.groups ?? [];
  return {
    user: async (id) => users.find((user) => user.id === id) ?? null,
    userByUsername: async (key) => users.find((user) => usernameKey(user.username) === key) ?? null,
    userByIdentifier: async (fields, typed, exact) => {
      const by = (field: IdentifierField): User[] =>
        fields.includes(field) ? users.filter((user) => matches(user, field, typed)) : [];
      const [username = null] = by('username');
      const verified = by('email').filter((user) => hasVerified(user, typed));
      return identifiedBy({ username, verified, email: by('email'), upn: by('upn') }, fields, typed, exact);
    },
    membersWithin: async () => users.filter(({ isActive }) => isActive),
    usersByEmail: async (key) => users.filter(({ email }) => email !== '' && usernameKey(email) === key),
    passwordHash: async (id) => storedHash(options, id),
    passwordHistory: async (id, limit) => {
      const present = storedHash(options, id);
      const former = options.formerPasswords?.[nameOf(options, id)] ?? [];
      return [...(present === null ? [] : [present]), ...former.map(testHash)].slice(0, limit);
    },
    reputation: async (subject, address) =>
      (options.reputation ?? [])
        .filter((row) => row.subject === subject || row.address === address)
        .reduce((sum, { score }) => sum + score, 0),
    groups: async (references) =>
      references.map((reference) => groups.find(({ pk, name }) => pk === reference || name === reference) ?? null),
    groupsOf: async (id) => {
      const username = users.find((user) => user.id === id)?.username ?? '';
      return withAncestors(
        groups.filter((group) => options.members?.[group.name]?.includes(username)),
        groups,
      );
    },
    provenance: async (id) => options.provenance?.[id] ?? noProvenance,
    attempts: async (bucket) => options.attempts?.[bucket] ?? 0,
    setupSecret: async () => options.setupSecret ?? null,
    token: async (hash) => options.tokens?.find((token) => token.hash === hash) ?? null,
    invitation: async (hash) =>
      Object.entries(options.invitations ?? {}).find(([secret]) => hashToken(secret) === hash)?.[1] ?? null,
    runKey: async (hash) => options.runKeys?.find((key) => key.hash === hash) ?? null,
    sessionsOf: async (id) => (options.sessions ?? []).filter(({ userId }) => userId === id),
    authenticatorsOf: async (id) => (options.authenticators ?? []).filter(({ userId }) => userId === id),
    authenticatorByCredential: async (credential) =>
      options.authenticators?.find((one) => one.credential === credential) ?? null,
    recoveryCodes: async (uuid) => (options.recoveryCodes?.[uuid] ?? []).map((code) => codeHash(uuid, code)),
    consent: async (id, givenTo) =>
      options.consents?.find((one) => one.userId === id && receiverKey(one.givenTo) === receiverKey(givenTo)) ?? null,
    hashToCompare: async (id) => {
      const hash = id === null ? null : storedHash(options, id);
      return hash === null ? null : { hash, isOwn: true };
    },
  };
}

function toolsOf(options: DeskOptions, log: Tools['log']): Tools {
  let nextId = Math.max(0, ...(options.users ?? []).map(({ id }) => id));
  return {
    now: () => options.now ?? deskTime,
    newUserId: async () => ++nextId,
    hashPassword: async (password) => testHash(password),
    verifyPassword: async (id, password) => {
      const stored = id === null ? null : storedHash(options, id);
      return { ok: stored === testHash(password), renewed: null, stored };
    },
    matchesHash: async (password, stored) => stored === testHash(password),
    passwordScore: options.passwordScore ?? noScore,
    hashToken: (token) => `digest$${token}`,
    codeHashes: (authenticator, code) => [codeHash(authenticator, code)],
    brandName: 'Doorward',
    log,
    profile: options.profile ?? null,
    expressions: options.expressions ?? noExpressions,
    expressionHosts: options.expressionHosts ?? noHosts,
    outbound: options.outbound ?? noOutbound,
    limits: options.limits ?? noLimits,
    mail: { linkBase: 'https://id.example', refused: null, hasTemplate: () => true },
    breachCheckUrl: 'http://breaches.invalid/range/',
    whereabouts: options.whereabouts ?? noWhereabouts,
  };
}

function codeHash(authenticator: string, code: string): string {
  return hashToken(`${authenticator}\n${code}`);
}

function storedHash(options: DeskOptions, id: number): string | null {
  const password = options.passwords?.[nameOf(options, id)];
  return password === undefined ? null : testHash(password);
}

function nameOf(options: DeskOptions, id: number): string {
  return options.users?.find((user) => user.id === id)?.username ?? '';
}

function matches(user: User, field: IdentifierField, typed: string): boolean {
  const value = field === 'upn' ? user.attributes.upn : user[field];
  return typeof value === 'string' && value !== '' && usernameKey(value) === usernameKey(typed);
}

function withAncestors(own: readonly Group[], all: readonly Group[]): readonly Group[] {
  const found = new Set(own);
  for (const group of found) {
    const parent = all.find(({ pk }) => pk === group.parent);
    if (parent !== undefined) found.add(parent);
  }
  return [...found].map((group) => (own.includes(group) ? group : { ...group, inherited: true }));
}
