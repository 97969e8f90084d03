import type { Effect } from '../engine/effects.ts';
import type { Group, User } from '../engine/user.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { newUuid } from '../kernel/ids.ts';
import { isPlainObject, type JsonObject } from '../kernel/json.ts';
import { codePoints, isStorable } from '../kernel/text.ts';
import type { OpenStore } from '../store/open.ts';
import { type Actor, commitOrThrow } from './users.ts';

/** A group to make outside of a flow. */
export interface NewGroup {
  readonly name: string;
  /** Its members are administrators. */
  readonly isSuperuser?: boolean;
  /** Name or pk of the group that its members count as members of, too. */
  readonly parent?: string | null;
  readonly attributes?: JsonObject;
}

/** Groups for programs; whatever changes is told by an event. */
export interface Groups {
  get(reference: { pk: string } | { name: string }): Promise<Group | null>;
  /** By name. */
  list(): Promise<readonly Group[]>;
  /** Members of the group itself, not those of its children. */
  members(pk: string): Promise<readonly User[]>;
  /** @throws DoorwardError `refused` (taken, missing parent), `invalid_request` */
  create(group: NewGroup, actor?: Actor): Promise<Group>;
  /** Attributes are replaced as a whole. @throws DoorwardError `not_found`, `refused`, `invalid_request` */
  update(pk: string, changes: Partial<NewGroup>, actor?: Actor): Promise<Group>;
  /** Its members stay, and its children have no parent any more. @throws DoorwardError `refused` */
  delete(pk: string, actor?: Actor): Promise<void>;
}

const library: Actor = { via: 'library' };
const longestName = 150;

/** @param parts.now milliseconds since the epoch */
export function createGroups({ store, now }: { readonly store: OpenStore; now(): number }): Groups {
  const told = (action: string, { pk, name }: Group, { via, address = '', requestId = '' }: Actor): Effect => {
    const context = { model: 'group', pk, name, via };
    return { kind: 'event', event: { action, user: null, context, address, requestId, flow: null, at: now() } };
  };
  const find = async (pk: string): Promise<Group> => {
    const group = (await store.accounts.listGroups()).find((known) => known.pk === pk);
    if (group === undefined) throw new DoorwardError('not_found', `there is no group with the pk ${pk}`);
    return group;
  };
  return {
    async get(reference) {
      const groups = await store.accounts.listGroups();
      return groups.find(({ pk, name }) => ('pk' in reference ? pk === reference.pk : name === reference.name)) ?? null;
    },
    list: () => store.accounts.listGroups(),
    members: (pk) => store.accounts.membersOf(pk),
    async create(input, actor = library) {
      check(input);
      const { name, isSuperuser = false, attributes = {} } = input;
      const group = { pk: newUuid(), name, isSuperuser, parent: await parentOf(store, input.parent), attributes };
      await commitOrThrow(store, [{ kind: 'group.create', group }, told('model_created', group, actor)]);
      return group;
    },
    async update(pk, changes, actor = library) {
      check(changes);
      const before = await find(pk);
      const { parent, ...rest } = changes;
      // Only what is to change, so that what somebody else changes meanwhile stays.
      const set = { ...rest, ...(parent === undefined ? {} : { parent: await parentOf(store, parent, pk) }) };
      await commitOrThrow(store, [
        { kind: 'group.update', pk, set },
        told('model_updated', { ...before, ...set }, actor),
      ]);
      return find(pk);
    },
    async delete(pk, actor = library) {
      const group = await find(pk);
      await commitOrThrow(store, [{ kind: 'group.delete', pk }, told('model_deleted', group, actor)]);
    },
  };
}

/** The pk of a parent. @param own the group that gets it, which it may not be below */
async function parentOf(
  store: OpenStore,
  reference: string | null | undefined,
  own: string | null = null,
): Promise<string | null> {
  if (reference == null) return null;
  const [found] = await store.read.groups([reference]);
  if (found == null) throw new DoorwardError('refused', `there is no group "${reference}"`);
  const groups = new Map((await store.accounts.listGroups()).map((group) => [group.pk, group]));
  const seen = new Set<string>();
  for (let above: string | null = found.pk; above !== null && !seen.has(above); ) {
    if (above === own) throw new DoorwardError('refused', `"${found.name}" is this group, or below it`);
    seen.add(above);
    above = groups.get(above)?.parent ?? null;
  }
  return found.pk;
}

function check({ name, attributes }: Partial<NewGroup>): void {
  if (name !== undefined && (name === '' || codePoints(name) > longestName || !isStorable(name)))
    throw new DoorwardError('invalid_request', `name: 1 to ${longestName} characters that can be stored`);
  if (attributes !== undefined && !isPlainObject(attributes))
    throw new DoorwardError('invalid_request', 'attributes: must be an object');
}
