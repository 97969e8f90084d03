/** What expressions may ask about users and groups. Each answer is a copy: nothing here changes an account. */
import { isPlainObject, type Json, type JsonObject } from '../kernel/json.ts';
import { isStorable, usernameKey } from '../kernel/text.ts';
import { matchesAll } from './expression-filter.ts';
import type { ExpressionReads, ExpressionScene } from './expression-scene.ts';
import { type Crossing, groupObject } from './expression-values.ts';
import type { User } from './user.ts';

/** A function of the server that code may call. */
export type HostFunction = (args: readonly Json[], named: JsonObject) => Promise<Json> | Json;

/** The functions about accounts, by the name that they are called by. */
export function accountFunctions(
  scene: ExpressionScene,
  reads: ExpressionReads,
  crossing: Crossing,
): Readonly<Record<string, HostFunction>> {
  const groups = async (user: Json | undefined, inherited: boolean): Promise<readonly JsonObject[]> => {
    if (typeof user !== 'number') return [];
    const found = await reads.groupsOf(user);
    return found.filter((group) => inherited || !group.inherited).map((group) => groupObject(group, crossing));
  };
  const matching = (filters: JsonObject) => usersBy(scene, reads, filters);
  return {
    ak_user_by: async (_, filters) => only(await matching(filters)),
    ak_is_group_member: async ([user], filters) =>
      (await groups(pkOf(user), true)).some((group) => matchesAll(group, filters)),
    ak_user_has_authenticator: async ([user, kind], { device_type: named = kind }) => {
      const pk = pkOf(user);
      const known = typeof pk === 'number' ? await scene.read.authenticatorsOf(pk) : [];
      return known.some((one) => named === undefined || named === null || one.kind === named);
    },
    'user.has_usable_password': async ([user]) => {
      const pk = pkOf(user);
      return typeof pk === 'number' && (await scene.read.passwordHash(pk)) !== null;
    },
    'user.locale': ([user]) => localeOf(user),
    'user.app_entitlements': () => [],
    'user.all_groups': ([user]) => groups(pkOf(user), true),
    'user.group_attributes': async ([user]) => {
      const own = isPlainObject(user) && isPlainObject(user.attributes) ? (user.attributes as JsonObject) : {};
      const given = (await groups(pkOf(user), true)).map(({ attributes }) => attributes as JsonObject);
      return [...given, own].reduce(mergedDeep, {});
    },
    'groups.all': ([set]) => groups(memberOf(set, 'user'), false),
    'groups.filter': ([set], filters) => ({ ...(set as JsonObject), $object: 'group_query', filters }),
    ...query('group_query', async (asked) =>
      (await groups(memberOf(asked, 'user'), false)).filter((group) => matchesAll(group, filtersOf(asked))),
    ),
    'User.objects.filter': (_, filters) => ({ $object: 'user_query', filters }),
    ...query('user_query', (asked) => matching(filtersOf(asked))),
    'Group.objects.filter': (_, filters) => ({ $object: 'group_by_name', filters }),
    ...query('group_by_name', async (asked) => groupsBy(scene, crossing, filtersOf(asked))),
  };
}

/** `.first()`, `.exists()`, `.count()` and `.all()` of a filtered set. */
function query(
  kind: string,
  run: (asked: Json | undefined) => Promise<readonly JsonObject[]>,
): Readonly<Record<string, HostFunction>> {
  return {
    [`${kind}.all`]: async ([asked]) => run(asked),
    [`${kind}.first`]: async ([asked]) => (await run(asked))[0] ?? null,
    [`${kind}.exists`]: async ([asked]) => (await run(asked)).length > 0,
    [`${kind}.count`]: async ([asked]) => (await run(asked)).length,
  };
}

/** Users by what the store has an index for; every other filter is applied to those. */
async function usersBy(
  scene: ExpressionScene,
  reads: ExpressionReads,
  filters: JsonObject,
): Promise<readonly JsonObject[]> {
  const { by, rest } = indexed(filters);
  const objects = await Promise.all((await by(scene)).map((user) => reads.userObject(user)));
  return objects.filter((object) => matchesAll(object, rest));
}

/** @throws Error where several match: none of them is the right one for sure */
function only(found: readonly JsonObject[]): JsonObject | null {
  if (found.length > 1) throw new Error('several users match; look one up by pk or username');
  return found[0] ?? null;
}

type Lookup = (scene: ExpressionScene) => Promise<readonly User[]>;

const lookups: Readonly<Record<string, (wanted: Json, scene: ExpressionScene) => Promise<readonly (User | null)[]>>> = {
  pk: async (pk, { read }) => (Number.isSafeInteger(pk) ? [await read.user(Number(pk))] : []),
  username: async (name, { read }) => (isText(name) ? [await read.userByUsername(usernameKey(name))] : []),
  email: async (email, { read }) => (isText(email) ? read.usersByEmail(usernameKey(email)) : []),
};

/** Names and addresses are compared as the store compares them: without case. */
function indexed(filters: JsonObject): { readonly by: Lookup; readonly rest: JsonObject } {
  for (const [filter, wanted] of Object.entries(filters)) {
    const name = { id: 'pk', username__iexact: 'username', email__iexact: 'email' }[filter] ?? filter;
    const lookup = Object.hasOwn(lookups, name) ? lookups[name] : undefined;
    if (lookup === undefined) continue;
    const { [filter]: _, ...rest } = filters;
    return { by: async (scene) => (await lookup(wanted, scene)).filter((user) => user !== null), rest };
  }
  throw new Error(
    `users are looked up by pk, username or email (and then by more), not by ${Object.keys(filters).join(', ') || 'nothing'}`,
  );
}

async function groupsBy(
  { read }: ExpressionScene,
  crossing: Crossing,
  filters: JsonObject,
): Promise<readonly JsonObject[]> {
  const wanted = filters.name ?? filters.pk ?? filters.group_uuid;
  if (wanted === undefined) throw new Error('groups are looked up by name or pk');
  if (!isText(wanted)) return [];
  const found = (await read.groups([wanted])).filter((group) => group !== null);
  return found.map((group) => groupObject(group, crossing)).filter((group) => matchesAll(group, filters));
}

/** Maps merge, lists are joined, anything else is replaced (flow-engine.md 1.6). */
function mergedDeep(first: JsonObject, later: JsonObject): JsonObject {
  const merged = new Map<string, Json>(Object.entries(first));
  for (const [name, value] of Object.entries(later)) {
    const known = merged.get(name);
    if (isPlainObject(known) && isPlainObject(value))
      merged.set(name, mergedDeep(known as JsonObject, value as JsonObject));
    else if (Array.isArray(known) && Array.isArray(value)) merged.set(name, [...known, ...value]);
    else merged.set(name, value);
  }
  return Object.fromEntries(merged);
}

function localeOf(user: Json | undefined): Json {
  const settings = memberOf(memberOf(user, 'attributes'), 'settings');
  return memberOf(settings, 'locale') ?? '';
}

/** One that the store can be asked about. */
function isText(value: Json): value is string {
  return typeof value === 'string' && value !== '' && isStorable(value);
}

function pkOf(user: Json | undefined): Json | undefined {
  return memberOf(user, 'pk');
}

function memberOf(object: Json | undefined, name: string): Json | undefined {
  return isPlainObject(object) && Object.hasOwn(object, name) ? (object as JsonObject)[name] : undefined;
}

function filtersOf(asked: Json | undefined): JsonObject {
  const filters = memberOf(asked, 'filters');
  return isPlainObject(filters) ? (filters as JsonObject) : {};
}
