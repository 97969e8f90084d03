import { isPlainObject, type Json, type JsonObject } from '../kernel/json.ts';
import { masked, Secret } from '../kernel/secrets.ts';
import { isStorable } from '../kernel/text.ts';
import { asData, fromData } from './expressions.ts';
import type { Group, User } from './user.ts';

/** A shorter secret occurs in ordinary text by chance, so it is masked only where it stands alone. */
const shortestTold = 4;
const longestLogged = 500;

/**
 * One evaluation's way into the sandbox and out of it. What was typed in confidence is readable inside, and a secret
 * again outside; data from outside makes no objects there (`asData`).
 */
export class Crossing {
  readonly #secrets = new Map<string, Secret>();
  readonly #typed = new Set<string>();

  /** Data as the code sees it. */
  data(value: unknown): Json {
    return asData(this.#plain(value));
  }

  /**
   * What the code left behind, as data: a text that was typed in confidence is a secret wherever it stands now, a group
   * is its pk, a user a reference.
   *
   * @throws Error for another object of ours, and for text that cannot be stored
   */
  back(value: Json): unknown {
    return this.#sealed(fromData(withoutObjects(value)));
  }

  #plain(value: unknown): Json {
    if (value instanceof Secret) {
      if (value.reveal() !== '') this.#secrets.set(value.reveal(), value);
      return value.reveal();
    }
    if (Array.isArray(value)) return value.map((item) => this.#plain(item));
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (typeof value === 'number') return Number.isFinite(value) ? value : null;
    if (typeof value === 'string' || typeof value === 'boolean') return value;
    if (!isPlainObject(value)) return null;
    const members = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(members.map(([name, item]) => [name, this.#plain(item)]));
  }

  #sealed(value: Json): unknown {
    if (typeof value === 'string') {
      if (!isStorable(value)) throw new Error('it leaves text that cannot be stored (NUL, or half a surrogate pair)');
      return this.#secrets.get(value) ?? value;
    }
    if (Array.isArray(value)) return value.map((item: Json) => this.#sealed(item));
    if (!isPlainObject(value)) return value;
    return Object.fromEntries(Object.entries(value as JsonObject).map(([name, item]) => [name, this.#sealed(item)]));
  }

  /** A text for people: what was typed in confidence is masked in it. */
  told(text: string): string {
    let told = text;
    for (const secret of this.#secrets.keys())
      if (secret === told || secret.length >= shortestTold) told = told.replaceAll(secret, masked);
    return told;
  }

  /** What the code returned, as data that people may see. */
  shown(value: Json): Json {
    if (typeof value === 'string') return this.told(value);
    if (Array.isArray(value)) return value.map((item: Json) => this.shown(item));
    if (!isPlainObject(value)) return value;
    return Object.fromEntries(Object.entries(value as JsonObject).map(([name, item]) => [name, this.shown(item)]));
  }

  /** A text for the log, where no word stands that was typed at all. */
  logged(text: string): string {
    let told = this.told(text);
    for (const words of this.#typed)
      if (told.includes(words))
        told = told.replaceAll(new RegExp(`(?<!${letter})${escaped(words)}(?!${letter})`, 'gu'), masked);
    return told.slice(0, longestLogged);
  }

  /** The answers to prompts, as data. */
  answers(value: unknown): Json {
    const data = this.data(value);
    for (const text of textsIn(data)) this.#typed.add(text);
    return data;
  }
}

const letter = '[\\p{L}\\p{N}_]';

function escaped(words: string): string {
  return words.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

function textsIn(value: Json): readonly string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (typeof value === 'number') return [String(value)];
  return value === null || typeof value !== 'object' ? [] : Object.values(value).flatMap(textsIn);
}

/** A user as code sees one: no hash, no version, nothing that is not listed here. */
export function userObject(user: User, crossing: Crossing, more: JsonObject = {}): JsonObject {
  return {
    ...{ $object: 'user', pk: user.id, id: user.id, uuid: user.uuid, username: user.username, name: user.name },
    ...{ email: user.email, is_active: user.isActive, type: user.type, path: user.path },
    attributes: crossing.data(user.attributes),
    ...{ date_joined: time(user.dateJoined), last_login: time(user.lastLogin), is_authenticated: true },
    ...{ is_anonymous: false, ak_groups: groupsOf(user.id), groups: groupsOf(user.id) },
    ...more,
  };
}

/** Nobody known; `typed` is what a visitor said of themselves. */
export function nobodyObject(typed = ''): JsonObject {
  return {
    ...{ $object: 'user', pk: null, id: null, uuid: '', username: typed, name: '', email: '', is_active: false },
    ...{ type: 'external', path: '', attributes: {}, date_joined: null, last_login: null, is_superuser: false },
    ...{ is_authenticated: false, is_anonymous: true, uid: '', ak_groups: groupsOf(null), groups: groupsOf(null) },
  };
}

/** A group as code sees one. */
export function groupObject(group: Group, crossing: Crossing): JsonObject {
  const { pk, name, isSuperuser, parent, attributes } = group;
  return {
    ...{ $object: 'group', pk, group_uuid: pk, name, is_superuser: isSuperuser, parent },
    attributes: crossing.data(attributes),
  };
}

function groupsOf(user: number | null): JsonObject {
  return { $object: 'groups', user };
}

function time(at: number | null): Json {
  return at === null ? null : new Date(at).toISOString();
}

/** A value with objects of ours as what they stand for; two are the same whatever the sandbox keeps of their members. */
export function withoutObjects(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => withoutObjects(item));
  if (!isPlainObject(value)) return value;
  const object = value as JsonObject;
  if (Object.hasOwn(object, '$object')) return kept(object);
  return Object.fromEntries(Object.entries(object).map(([name, item]) => [name, withoutObjects(item)]));
}

function kept({ $object, pk = null, username = '' }: JsonObject): Json {
  if ($object === 'group' && typeof pk === 'string') return pk;
  if ($object === 'user') return { pk, username };
  if ($object === 'flow_plan') return null;
  throw new Error(`an object of the kind ${String($object)} cannot stay in the plan context`);
}
