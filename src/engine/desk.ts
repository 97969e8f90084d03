import { usernameKey } from '../kernel/text.ts';
import type { FieldProblems } from '../protocol/text.ts';
import { askPolicies, referredPolicies } from './admit.ts';
import { authenticatorsWith } from './authenticator-effects.ts';
import { type Consent, receiverKey } from './consent.ts';
import type { Effect } from './effects.ts';
import { type CompiledFlow, type CompiledStage, labelIn, recoveryPathIn } from './flow.ts';
import { limitedTools } from './limited-tools.ts';
import { noLimits } from './limits.ts';
import type { PlanContext, PromptValue } from './plan-context.ts';
import type { Policies, Reads, Tools } from './ports.ts';
import { noProvenance } from './provenance.ts';
import type { AnyStage, Desk } from './stage.ts';
import { type User, userAfter } from './user.ts';
import type { Visitor } from './visitor.ts';

/** What a desk is made of. */
export interface DeskParts {
  readonly definition: AnyStage;
  readonly stage: CompiledStage;
  readonly binding: string;
  readonly flow: CompiledFlow;
  readonly context: PlanContext;
  readonly memo: PromptValue;
  readonly revise: FieldProblems | null;
  readonly visitor: Visitor;
  readonly query: Readonly<Record<string, string>>;
  readonly unattended: boolean;
  readonly dryRun: boolean;
  readonly read: Reads;
  readonly tools: Tools;
  readonly policies: Policies;
  readonly sessionHash: string;
  readonly run: string;
}

/** Lays a stage's desk. The configuration was checked when the version was compiled. */
export function layDesk(parts: DeskParts): Desk {
  const { flow, stage } = parts;
  return {
    config: stage.config,
    stage,
    binding: parts.binding,
    flow: { slug: flow.slug, designation: flow.designation },
    context: parts.context,
    memo: parts.memo,
    revise: parts.revise,
    visitor: parts.visitor,
    query: parts.query,
    unattended: parts.unattended,
    dryRun: parts.dryRun,
    read: parts.read,
    tools: parts.unattended ? { ...parts.tools, limits: noLimits } : limitedTools(parts.tools, parts.visitor),
    sessionHash: parts.sessionHash,
    run: { id: parts.run, version: flow.version },
    policies: (pks, more) => {
      const context = { ...parts.context, ...more };
      const about = { flow, visitor: parts.visitor, context };
      return askPolicies(parts.policies, referredPolicies(flow, stage.pk, pks), about, parts.read);
    },
    label: (key) => labelIn(flow, key),
    recoveryPath: () => recoveryPathIn(flow),
    object: (pk) => (Object.hasOwn(flow.objects, pk) ? (flow.objects[pk] ?? null) : null),
  };
}

/**
 * Reads that see the effects still pending in this request, so that user_login finds the user that user_write is about
 * to make.
 */
export function readThrough(read: Reads, pending: () => readonly Effect[]): Reads {
  // Two stages of one request ask the same of a name or a user; the index (W32) and the row's version decide in the end.
  const names = new Map<string, Promise<User | null>>();
  const users = new Map<number, Promise<User | null>>();
  const known = (id: number): Promise<User | null> => {
    const asked = users.get(id) ?? read.user(id);
    users.set(id, asked);
    return asked;
  };
  const user: Reads['user'] = async (id) => {
    const effects = pending();
    const created = findCreated(effects, (one) => one.id === id);
    const base = created ?? (await known(id));
    return base === null ? null : withUpdates(base, effects);
  };
  return {
    ...bound(read),
    user,
    userByUsername: async (key) => {
      const created = findCreated(pending(), ({ username }) => usernameKey(username) === key);
      if (created !== null) return created;
      const renamed = findRenamed(pending(), key);
      if (renamed !== null) return user(renamed);
      const asked = names.get(key) ?? read.userByUsername(key);
      names.set(key, asked);
      return asked;
    },
    passwordHash: async (userId) => pendingHash(pending(), userId) ?? read.passwordHash(userId),
    passwordHistory: async (userId, limit) => {
      const hash = pendingHash(pending(), userId);
      const known = await read.passwordHistory(userId, limit);
      return hash === null ? known : [hash, ...known].slice(0, limit);
    },
    reputation: async (subject, address) => {
      const scores = pending().map((effect) =>
        effect.kind === 'reputation.add' && (effect.subject === subject || effect.address === address) ? effect.by : 0,
      );
      return scores.reduce<number>((sum, by) => sum + by, await read.reputation(subject, address));
    },
    provenance: async (userId) => {
      for (const effect of [...pending()].reverse()) {
        if (effect.kind === 'user.create' && effect.user.id === userId) return effect.provenance ?? noProvenance;
        if (effect.kind === 'user.update' && effect.id === userId && effect.provenance !== undefined)
          return effect.provenance;
      }
      return read.provenance(userId);
    },
    authenticatorsOf: async (userId) => authenticatorsWith(await read.authenticatorsOf(userId), userId, pending()),
    consent: async (userId, givenTo) =>
      consentGiven(pending(), userId, receiverKey(givenTo)) ?? read.consent(userId, givenTo),
    groupsOf: async (userId) => {
      const joined = pending().flatMap((effect) =>
        effect.kind === 'group.join' && effect.userId === userId ? [effect.group] : [],
      );
      const groups = await read.groupsOf(userId);
      if (joined.length === 0) return groups;
      const added = (await read.groups(joined)).filter((group) => group !== null);
      return [...groups.filter(({ pk }) => !added.some((group) => group.pk === pk)), ...added];
    },
  };
}

function pendingHash(effects: readonly Effect[], userId: number): string | null {
  for (const effect of effects.toReversed()) {
    if (effect.kind === 'password.set' && effect.userId === userId) return effect.hash;
    if (effect.kind === 'user.create' && effect.user.id === userId) return effect.passwordHash;
  }
  return null;
}

function consentGiven(effects: readonly Effect[], userId: number, key: string): Consent | null {
  const given = effects.flatMap((effect) => (effect.kind === 'consent.give' ? [effect.consent] : []));
  return given.findLast((one) => one.userId === userId && receiverKey(one.givenTo) === key) ?? null;
}

function findCreated(effects: readonly Effect[], matches: (user: User) => boolean): User | null {
  for (const effect of effects) if (effect.kind === 'user.create' && matches(effect.user)) return effect.user;
  return null;
}

/** Who gets this name in this very request: else the store alone would refuse the second who is to have it. */
function findRenamed(effects: readonly Effect[], key: string): number | null {
  const names = new Map<number, string>();
  for (const effect of effects)
    if (effect.kind === 'user.update' && effect.set.username !== undefined)
      names.set(effect.id, usernameKey(effect.set.username));
  return [...names].find(([, name]) => name === key)?.[0] ?? null;
}

function withUpdates(user: User, effects: readonly Effect[]): User {
  let known = user;
  for (const effect of effects) {
    if (effect.kind === 'user.update' && effect.id === user.id)
      known = { ...userAfter(known, effect.set), version: known.version + 1 };
    if (effect.kind === 'user.email_verified' && effect.id === user.id && emailVerifiedNow(known, effect.email))
      known = { ...known, emailVerifiedAt: effect.at };
    if (effect.kind === 'password.set' && effect.userId === user.id) known = { ...known, passwordPendingAt: effect.at };
  }
  return known;
}

function emailVerifiedNow({ email, emailVerifiedAt }: User, proven: string): boolean {
  return emailVerifiedAt === null && usernameKey(email) === usernameKey(proven);
}

/** The same calls as plain functions, so that a spread keeps them whatever class answers. */
function bound(read: Reads): Reads {
  return {
    user: (id) => read.user(id),
    userByUsername: (key) => read.userByUsername(key),
    userByIdentifier: (fields, typed, exact) => read.userByIdentifier(fields, typed, exact),
    usersByEmail: (key) => read.usersByEmail(key),
    passwordHash: (userId) => read.passwordHash(userId),
    passwordHistory: (userId, limit) => read.passwordHistory(userId, limit),
    provenance: (userId) => read.provenance(userId),
    groups: (references) => read.groups(references),
    groupsOf: (userId) => read.groupsOf(userId),
    membersWithin: (group) => read.membersWithin(group),
    attempts: (bucket, windowMs, now) => read.attempts(bucket, windowMs, now),
    reputation: (subject, address) => read.reputation(subject, address),
    setupSecret: () => read.setupSecret(),
    token: (hash) => read.token(hash),
    invitation: (hash) => read.invitation(hash),
    runKey: (hash) => read.runKey(hash),
    sessionsOf: (userId) => read.sessionsOf(userId),
    authenticatorsOf: (userId) => read.authenticatorsOf(userId),
    authenticatorByCredential: (credential) => read.authenticatorByCredential(credential),
    recoveryCodes: (uuid) => read.recoveryCodes(uuid),
    consent: (userId, givenTo) => read.consent(userId, givenTo),
    hashToCompare: (userId, draw) => read.hashToCompare(userId, draw),
  };
}
