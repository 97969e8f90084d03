/**
 * Writes what earlier stages collected to the pending user, and makes that user if needed. It gets prompt_data and the
 * pending user from the plan context, and gives the written user back; what it decides are effects of one commit.
 * Rules W1 to W41 of docs/user-write.md.
 */
import type { Effect, Refusal } from '../../engine/effects.ts';
import {
  inbuiltBackend,
  type PlanContext,
  type PromptData,
  promptPairs,
  promptValue,
} from '../../engine/plan-context.ts';
import { mayReplace } from '../../engine/profile.ts';
import { noProvenance, type Provenance } from '../../engine/provenance.ts';
import { type Desk, defineStage, type Outcome } from '../../engine/stage.ts';
import { type Group, type User, type UserChanges, userAfter } from '../../engine/user.ts';
import { sameJson, withMember } from '../../kernel/json.ts';
import { text, wholeForm } from '../../protocol/text.ts';
import { outgrows } from './attributes.ts';
import { claimed, claimRefused } from './claims.ts';
import { type UserWriteConfig, userWriteConfig } from './config.ts';
import { type Changes, type Dispatched, type DispatchRules, dispatch } from './dispatch.ts';
import { hookCall, vetoed } from './hook.ts';
import { changedMeanwhile } from './meanwhile.ts';
import { noticesOf } from './notices.ts';
import { originsOf, provenanceAfter, writersOf } from './origins.ts';
import { failed, findProblem, lastAdministrator, usernameTaken } from './problems.ts';
import { userWriteProof } from './proof.ts';
import { addressRefused, markedIfProven } from './proven-address.ts';
import { dryRunMark, dryRunReport, type Write, writeEvent, writeReport } from './report.ts';
import { sessionsAfterPassword, sessionsUntouched } from './sessions.ts';
import { chooseTarget, type UserTarget } from './target.ts';

type WriteDesk = Desk<UserWriteConfig>;

const sourceKey = 'goauthentik.io/sources/connection';
const sourcesAttribute = 'goauthentik.io/user/sources';

/** The user write stage. */
export const userWrite = defineStage({
  kind: 'user_write',
  model: 'authentik_stages_user_write.userwritestage',
  component: 'ak-stage-user-write-form',
  description: 'Writes the collected answers to the pending user, and makes that user if needed.',
  config: userWriteConfig,
  references: { create_users_group: 'group' },
  needs: ['prompt_data'],
  gives: ['pending_user', 'user_backend'],
  proof: userWriteProof,
  // A new password renews the session of who sets it.
  touchesBrowserNow: ({ context, visitor }) => visitor.user !== null && promptValue(context, 'password') !== undefined,
  enter: decide,
  async refused(desk, refusal) {
    if (refusal.effect === 'attempt.sign_up') throw desk.tools.limits.signUpsUsedUp();
    if (refusal.reason === 'changed') return decide(desk);
    if (isUsernameTaken(refusal)) return usernameTaken(desk);
    if (refusal.reason === 'last_administrator') return lastAdministrator(desk);
    const veto = refusal.reason === 'vetoed' ? vetoed(desk, refusal) : null;
    const told = veto ?? claimRefused(desk, refusal);
    if (told !== null) return told;
    return refuse(desk, `the store refused ${refusal.effect}: ${refusal.reason}`);
  },
});

async function decide(desk: WriteDesk): Promise<Outcome> {
  const pairs = promptPairs(desk.context);
  if (pairs === null) return { kind: 'deny', message: text('user_write.no_data') };
  const target = await chooseTarget(desk);
  switch (target.kind) {
    case 'nobody':
      return { kind: 'deny', message: text('user_write.no_user') };
    case 'refused':
      return refuse(desk, target.why);
    case 'decoy':
      return { kind: 'pass', report: { ...writeReport(nothingWritten), ...(desk.dryRun ? dryRunMark : {}) } };
    case 'user':
      return writeTo(desk, target, pairs);
  }
}

async function writeTo(desk: WriteDesk, target: UserTarget, collected: PromptData): Promise<Outcome> {
  const rules = await rulesFor(desk, target.user);
  const dispatched = dispatch(collected, rules);
  if (!dispatched.ok) return refuse(desk, dispatched.why, dispatched.key);
  const wished = withChanges(desk, target, dispatched.changes);
  const { leftAlone, conflicts } = changedMeanwhile(desk, target, wished, dispatched.changes.written);
  const pairs = collected.filter(([key]) => !leftAlone.has(key));
  const changes = leftAlone.size === 0 ? dispatched.changes : without(dispatched.changes, dispatch(pairs, rules));
  for (const { key, member, reason } of changes.discarded)
    desk.tools.log('info', 'discarding key', { key, ...(member === undefined ? {} : { member }), reason });
  const user = leftAlone.size === 0 ? wished : withChanges(desk, target, changes);
  const wrong = addressRefused(desk, target.user, user, changes);
  if (wrong !== null) return refuse(desk, wrong.why, wrong.key);
  if (outgrows(target.user.attributes, user.attributes)) return refuse(desk, 'the attributes are too large');
  const problem = await findProblem(desk, target, user, { changes, conflicts });
  if (problem !== null) return problem;
  const groups = await groupsToJoin(desk, target);
  if (groups === null) return refuse(desk, 'a group is unknown');
  return carryOut(desk, target, { user, changes, groups, pairs });
}

async function rulesFor(desk: WriteDesk, user: User): Promise<DispatchRules> {
  const { profile } = desk.tools;
  const trustsAddresses = desk.unattended && desk.context['doorward/trusted_addresses'] === true;
  const rules = {
    attributes: user.attributes,
    writable: desk.config.writable_fields,
    impersonating: desk.visitor.impersonator !== null,
    trustedHashes: desk.unattended && desk.context['doorward/trusted_hashes'] === true,
    addressesVerifiedAt: trustsAddresses ? desk.tools.now() : null,
  };
  if (profile === null) return rules;
  const [originOf, writerOf] = [originsOf(desk), await writersOf(desk)];
  return { ...rules, mayReplace: (key, path, values) => mayReplace(profile, writerOf(originOf(key)), path, values) };
}

/** Fields that the visitor left alone are accepted, but what somebody else made of them meanwhile stays (W31). */
function without(all: Changes, rest: Dispatched): Changes {
  return rest.ok ? { ...rest.changes, written: all.written, discarded: all.discarded } : all;
}

/** A write with nothing left that could keep it from being carried out, save the store. */
interface Decided {
  readonly user: User;
  readonly changes: Changes;
  readonly groups: readonly Group[];
  readonly pairs: PromptData;
}

async function carryOut(desk: WriteDesk, target: UserTarget, decided: Decided): Promise<Outcome> {
  const { user, changes, groups, pairs } = decided;
  const { created } = target;
  const hash = await passwordHash(desk, changes.password);
  const provenance = await provenanceAfter(desk, target, user, { changes, pairs });
  const sessions = created || hash === null ? sessionsUntouched : await sessionsAfterPassword(desk, user.id);
  const write: Write & { user: User } = {
    ...{ user, created, changes, groupsAdded: groups.map(({ name }) => name) },
    ...{ sessionRenewed: sessions.renewed, sessionsEnded: sessions.ended },
  };
  const claims = claimed(desk, user);
  const made = created || target.again ? ofNewUser(desk, user) : {};
  return {
    kind: 'pass',
    context: { pending_user: { ref: user.id }, ...made, ...claims.context },
    effects: [
      ...(created ? creation(desk, { user, hash, provenance }) : update(desk, target.user, { user, hash, provenance })),
      ...groups.map(({ pk }): Effect => ({ kind: 'group.join', group: pk, userId: user.id })),
      ...connection(desk, user),
      ...sessions.effects,
      ...claims.effects,
      ...noticesOf(desk, target.user, user, { created, newPassword: hash !== null }),
      { kind: 'event', event: writeEvent(desk, write, pairs) },
      hookCall(target.user, { user, created, changes }),
    ],
    report: desk.dryRun ? dryRunReport(write, target.user) : writeReport(write),
    ...(sessions.change === null ? {} : { session: sessions.change }),
  };
}

/** What a run knows besides of a user that it made. */
function ofNewUser({ binding, context }: WriteDesk, { id }: User): PlanContext {
  return { user_backend: inbuiltBackend, 'doorward/made': { ...context['doorward/made'], [binding]: id } };
}

/** The user as the write leaves it; a source adds its name to the user's list once (W26). */
function withChanges(desk: WriteDesk, target: UserTarget, { columns, attributes }: Changes): User {
  const source = desk.context[sourceKey]?.source;
  const after = markedIfProven(desk, target, userAfter(target.user, columns));
  if (source === undefined) return { ...after, attributes };
  const known = attributes[sourcesAttribute];
  const sources = Array.isArray(known) ? known : [];
  const all = sources.includes(source) ? sources : [...sources, source];
  return { ...after, attributes: withMember(attributes, sourcesAttribute, all) };
}

function passwordHash(desk: WriteDesk, password: Changes['password']): Promise<string | null> {
  if (password === null) return Promise.resolve(null);
  return 'hash' in password ? Promise.resolve(password.hash) : desk.tools.hashPassword(password.plain);
}

interface Row {
  readonly user: User;
  readonly hash: string | null;
  readonly provenance: Provenance | undefined;
}

function creation(desk: WriteDesk, { user, hash, provenance = noProvenance }: Row): readonly Effect[] {
  const passwordChangedAt = hash === null ? null : desk.tools.now();
  return [
    { kind: 'user.create', user: { ...user, passwordChangedAt }, passwordHash: hash, provenance },
    ...desk.tools.limits.signUp(desk.visitor, desk.run.id),
  ];
}

/** A new password alone is an update of the row too: where it came from stands there. */
function update(desk: WriteDesk, before: User, { user, hash, provenance }: Row): readonly Effect[] {
  const set = changedColumns(before, user);
  const known = provenance === undefined ? {} : { provenance };
  const row = { kind: 'user.update', id: before.id, version: before.version, set, ...known } as const;
  return [
    ...(Object.keys(set).length === 0 && provenance === undefined ? [] : [row]),
    ...(hash === null ? [] : [{ kind: 'password.set', userId: before.id, hash, at: desk.tools.now() } as const]),
  ];
}

const columns = ['username', 'name', 'email', 'emailVerifiedAt', 'path', 'type', 'isActive', 'attributes'] as const;

/** Only what changed is written, so that another's change of another field survives (W31); an address with its mark. */
function changedColumns(before: User, after: User): UserChanges {
  const changed = columns.filter((column) => !sameJson(before[column], after[column]));
  const marked = changed.includes('email') ? [...changed, 'emailVerifiedAt' as const] : changed;
  return Object.fromEntries(marked.map((column) => [column, after[column]]));
}

/** The stage's group and the context's, less those that the user is in; null when one is unknown (W30). */
async function groupsToJoin(desk: WriteDesk, target: UserTarget): Promise<readonly Group[] | null> {
  const { create_users_group: own } = desk.config;
  const wanted: unknown = desk.context.groups ?? [];
  if (!Array.isArray(wanted) || !wanted.every((reference) => typeof reference === 'string')) return null;
  const references = [...new Set([...(own === null ? [] : [own]), ...wanted])];
  if (references.length === 0) return [];
  const found = await desk.read.groups(references);
  const groups = new Map<string, Group>();
  for (const group of found) if (group !== null) groups.set(group.pk, group);
  if (found.includes(null)) return null;
  const held = target.created ? [] : await desk.read.groupsOf(target.user.id);
  // Whose group is theirs by a child of it alone joins it themselves.
  for (const { pk, inherited } of held) if (inherited !== true) groups.delete(pk);
  return [...groups.values()];
}

function connection(desk: WriteDesk, user: User): readonly Effect[] {
  const link = desk.context[sourceKey];
  if (link === undefined || !link.isNew) return [];
  return [{ kind: 'connection.save', userId: user.id, source: link.source, identifier: link.identifier }];
}

function isUsernameTaken({ reason, effect, field }: Refusal): boolean {
  return reason === 'taken' && (effect === 'user.create' || effect === 'user.update') && field === 'username';
}

/** The visitor reads W40's message; the reason is for the log and for who runs the flow, and names no value. */
function refuse(desk: WriteDesk, why: string, field = wholeForm): Outcome {
  desk.tools.log('warn', 'user write refused', { stage: desk.stage.name, why });
  const problems = { [field]: [{ code: 'invalid', text: why }] };
  return { kind: 'deny', message: failed, ...(desk.unattended ? { problems } : {}) };
}

const nothingWritten: Write = {
  user: null,
  created: false,
  changes: { written: [], discarded: [] },
  groupsAdded: [],
  sessionRenewed: false,
  sessionsEnded: 0,
};
