import type { Effect } from '../engine/effects.ts';
import type { CommitAnswer } from '../engine/ports.ts';
import type { Profile } from '../engine/profile.ts';
import { type FieldProvenance, provenanceByField } from '../engine/provenance.ts';
import { type Group, type User, type UserChanges, type UserType, userTypes } from '../engine/user.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { newUuid } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { codePoints, isStorable } from '../kernel/text.ts';
import { wouldLeaveNobody } from '../store/administrators.ts';
import type { OpenStore } from '../store/open.ts';
import { createRecords, toldOf } from './account-records.ts';
import type { Hasher } from './options.ts';
import { type UserAuthenticators, userAuthenticators } from './user-authenticators.ts';

/** A user to make outside of a flow. */
export interface NewUser {
  readonly username: string;
  readonly name?: string;
  readonly email?: string;
  /** Whether the address is known to be theirs; false by default. */
  readonly emailVerified?: boolean;
  /** Without one the user cannot sign in by password. */
  readonly password?: string;
  readonly type?: UserType;
  readonly path?: string;
  readonly isActive?: boolean;
  readonly attributes?: JsonObject;
  /** Names or pks of groups. */
  readonly groups?: readonly string[];
}

/** What a program may change. `emailVerified` is about the address as it is after the change, and false for a new one. */
export type UserUpdate = Omit<UserChanges, 'emailVerifiedAt'> & { readonly emailVerified?: boolean };

/** Who asks for a change, for the event. */
export interface Actor {
  /** `cli`, `library` or `api`. */
  readonly via: string;
  /** pk of the person, where one is known. */
  readonly by?: number;
  readonly address?: string;
  readonly requestId?: string;
}

/** Accounts for programs: the same effects, events and commit as flows use. */
export interface Users extends UserAuthenticators {
  get(reference: { pk: number } | { username: string } | { uuid: string }): Promise<User | null>;
  /** @throws DoorwardError `refused` (taken, missing group), `invalid_request` */
  create(user: NewUser, actor?: Actor): Promise<User>;
  /** @throws DoorwardError as `create`, and `last_administrator` for all that takes the last active one away */
  update(pk: number, changes: UserUpdate, actor?: Actor): Promise<User>;
  /** Ends all the user's sessions. @throws DoorwardError `invalid_request` for a password outside 8 to 256 characters */
  setPassword(pk: number, password: string, actor?: Actor): Promise<void>;
  /** Ends all the user's sessions. */
  deactivate(pk: number, actor?: Actor): Promise<User>;
  delete(pk: number, actor?: Actor): Promise<void>;
  /** @param group name or pk */
  join(pk: number, group: string, actor?: Actor): Promise<void>;
  leave(pk: number, group: string, actor?: Actor): Promise<void>;
  /** Where the user's values came from, by field (`email`, `password`, `attributes.settings.locale`). */
  provenance(pk: number): Promise<Readonly<Record<string, FieldProvenance>>>;
}

const library: Actor = { via: 'library' };

/** Password length in code points (CONTRACT: Trust). */
export const passwordLength = { min: 8, max: 256 } as const;

/** What accounts are made of. */
export interface UserParts {
  readonly store: OpenStore;
  readonly hasher: Hasher;
  readonly profile: Profile | null;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Somebody else may write a row first so often. */
const mostAttempts = 100;

export function createUsers({ store, hasher, profile, now }: UserParts): Users {
  const records = createRecords({ read: store.read, profile, now });
  const commit = (effects: readonly Effect[]): Promise<void> => commitOrThrow(store, effects);
  const find = async (pk: number): Promise<User> => {
    const user = await store.read.user(pk);
    if (user === null) throw new DoorwardError('not_found', `there is no user with the pk ${pk}`);
    return user;
  };
  const eventOf = (action: string, user: User, actor: Actor, context: JsonObject): Effect => ({
    kind: 'event',
    event: {
      ...{ action, user: { pk: user.id, username: user.username }, flow: null, at: now() },
      ...{ context: { ...context, via: actor.via }, address: actor.address ?? '', requestId: actor.requestId ?? '' },
    },
  });
  /** What is to be written does not follow from the row, so when somebody else wrote it first, it is written again. */
  const update = async (pk: number, set: UserChanges, actor: Actor, make: (user: User) => readonly Effect[]) => {
    for (let attempt = 1; ; attempt += 1) {
      const user = await find(pk);
      const effects = make(user);
      const provenance = await records.update(user, set, actor, effects);
      const row = { kind: 'user.update', id: pk, version: user.version, set, provenance } as const;
      const answer = await store.commit({ id: newUuid(), runs: [], effects: [row, ...effects] });
      if (answer.status === 'refused' && answer.refusal.reason === 'changed' && attempt < mostAttempts) continue;
      throwUnlessDone(answer);
      return find(pk);
    }
  };
  const change = (pk: number, changes: UserUpdate, actor: Actor, more: readonly Effect[] = []): Promise<User> => {
    const set = checkedSet(changes, now());
    const told = toldOf(false, changes);
    return update(pk, set, actor, (user) => [...more, eventOf('user_write', user, actor, told)]);
  };
  const member = async (kind: 'group.join' | 'group.leave', pk: number, group: string, actor: Actor): Promise<void> => {
    const user = await find(pk);
    const moved = await membership(store, { kind, group, user });
    await commit([...moved, eventOf(kind.replace('.', '_'), user, actor, { group })]);
  };
  return {
    get: (reference) => ('pk' in reference ? store.read.user(reference.pk) : store.accounts.findUser(reference)),
    async create(input, actor = library) {
      const user = await draft(store, input, now());
      const passwordHash = input.password === undefined ? null : await hashChecked(hasher, input.password);
      const { groups: wanted = [], ...values } = input;
      const groups = await groupsNamed(store, wanted);
      const joins = groups.map(({ pk }) => ({ kind: 'group.join', group: pk, userId: user.id }) as const);
      const told = { ...toldOf(true, values), groups_added: groups.map(({ name }) => name) };
      await commit([
        { kind: 'user.create', user, passwordHash, provenance: records.create(user, passwordHash !== null, actor) },
        ...joins,
        eventOf('user_write', user, actor, told),
      ]);
      return user;
    },
    update: (pk, changes, actor = library) => change(pk, changes, actor),
    async setPassword(pk, password, actor = library) {
      const hash = await hashChecked(hasher, password);
      await update(pk, {}, actor, (user) => [
        { kind: 'password.set', userId: pk, hash, at: now() },
        { kind: 'session.end_all', userId: pk, except: null },
        eventOf('password_set', user, actor, {}),
      ]);
    },
    deactivate: (pk, actor = library) =>
      change(pk, { isActive: false }, actor, [{ kind: 'session.end_all', userId: pk, except: null }]),
    async delete(pk, actor = library) {
      const user = await find(pk);
      await commit([{ kind: 'user.delete', id: pk }, eventOf('model_deleted', user, actor, { model: 'user' })]);
    },
    ...userAuthenticators({ read: store.read, commit, eventOf, find, now }),
    async provenance(pk) {
      await find(pk);
      return Object.fromEntries(provenanceByField(await store.read.provenance(pk)));
    },
    join: (pk, group, actor = library) => member('group.join', pk, group, actor),
    leave: (pk, group, actor = library) => member('group.leave', pk, group, actor),
  };
}

/** Commits effects without a run; a refusal becomes an error that says which rule spoke. */
export async function commitOrThrow(store: OpenStore, effects: readonly Effect[]): Promise<void> {
  throwUnlessDone(await store.commit({ id: newUuid(), runs: [], effects }));
}

function throwUnlessDone(answer: CommitAnswer): void {
  if (answer.status === 'done') return;
  if (answer.status === 'lost') throw new DoorwardError('refused', 'somebody else changed this meanwhile; try again');
  const { reason, effect, field } = answer.refusal;
  if (reason === 'last_administrator') throw wouldLeaveNobody();
  const said =
    reason === 'taken' && field !== undefined ? `this ${field} is already taken` : `${effect} was refused: ${reason}`;
  throw new DoorwardError('refused', said);
}

async function draft(store: OpenStore, input: NewUser, now: number): Promise<User> {
  checkTexts(input);
  const emailVerifiedAt = input.emailVerified === true ? now : null;
  return {
    ...{ id: await store.newUserId(), uuid: newUuid(), username: input.username, name: input.name ?? '' },
    ...{ email: input.email ?? '', emailVerifiedAt, path: input.path ?? 'users', type: input.type ?? 'internal' },
    ...{ isActive: input.isActive ?? true, attributes: input.attributes ?? {}, dateJoined: now, lastLogin: null },
    ...{ passwordChangedAt: input.password === undefined ? null : now, lastUpdated: now, version: 1 },
  };
}

function checkTexts({ username, name, email, path, type }: UserUpdate): void {
  const limits = { username: 150, name: 10_000, email: 254, path: 10_000 } as const;
  for (const [field, value] of Object.entries({ username, name, email, path })) {
    if (value === undefined) continue;
    const limit = limits[field as keyof typeof limits];
    if (!isStorable(value)) throw new DoorwardError('invalid_request', `${field}: holds NUL or a broken character`);
    if (codePoints(value) > limit) throw new DoorwardError('invalid_request', `${field}: at most ${limit} characters`);
  }
  if (username === '') throw new DoorwardError('invalid_request', 'username: must not be empty');
  if (type !== undefined && !userTypes.includes(type))
    throw new DoorwardError('invalid_request', `type: one of ${userTypes.join(', ')}`);
}

function checkedSet({ emailVerified, ...set }: UserUpdate, now: number): UserChanges {
  checkTexts(set);
  return emailVerified === undefined ? set : { ...set, emailVerifiedAt: emailVerified ? now : null };
}

async function hashChecked(hasher: Hasher, password: string): Promise<string> {
  const normal = password.normalize('NFC');
  const length = codePoints(normal);
  if (length < passwordLength.min || length > passwordLength.max || !isStorable(normal))
    throw new DoorwardError('invalid_request', `password: ${passwordLength.min} to ${passwordLength.max} characters`);
  return hasher.hash(normal);
}

/** A user comes into a group, or leaves it. @param group name or pk @throws DoorwardError `refused` */
async function membership(
  store: OpenStore,
  { kind, group, user }: { readonly kind: 'group.join' | 'group.leave'; readonly group: string; readonly user: User },
): Promise<readonly Effect[]> {
  return (await groupsNamed(store, [group])).map(({ pk }) => ({ kind, group: pk, userId: user.id }));
}

async function groupsNamed(store: OpenStore, references: readonly string[]): Promise<readonly Group[]> {
  const found = await store.read.groups(references);
  return found.map((group, index) => {
    if (group === null) throw new DoorwardError('refused', `there is no group "${references[index]}"`);
    return group;
  });
}
