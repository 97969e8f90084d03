import type { Definition } from '../engine/definition.ts';
import type { Effect } from '../engine/effects.ts';
import type { Reads } from '../engine/ports.ts';
import type { Group } from '../engine/user.ts';
import { newUuid } from '../kernel/ids.ts';
import { isPlainObject, type Json, type JsonObject, sameJson } from '../kernel/json.ts';
import { usernameKey } from '../kernel/text.ts';
import type { Problem } from './issue-words.ts';
import { groupModel, type Model } from './models.ts';

/** What identifies an object: its pk, or all the other members together. */
export type Identifiers = JsonObject & { readonly pk?: Json };

/** How the objects of a plan fared. */
export interface Tally {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly deleted: number;
}

const ancestorLimit = 20;

/**
 * A working copy of all definitions, and of those groups that come up. Nothing leaves it but the difference to what it
 * began with, so a plan is carried out as a whole or not at all.
 */
export class Workspace {
  readonly #models: ReadonlyMap<string, Model>;
  readonly #read: Reads;
  readonly #before: Map<string, Definition>;
  readonly #now: Map<string, Definition>;
  readonly #touched = new Set<string>();

  constructor(models: ReadonlyMap<string, Model>, definitions: readonly Definition[], read: Reads) {
    this.#models = models;
    this.#read = read;
    this.#before = new Map(definitions.map((definition) => [definition.pk, definition]));
    this.#now = new Map(this.#before);
  }

  all(): readonly Definition[] {
    return [...this.#now.values()];
  }

  before(): readonly Definition[] {
    return [...this.#before.values()];
  }

  get(pk: string): Definition | null {
    return this.#now.get(pk) ?? null;
  }

  /** The object with the pk, else the first one that all the other members match. */
  async find(model: Model, identifiers: Identifiers): Promise<Definition | null> {
    const { pk, ...others } = identifiers;
    if (model.name === groupModel) await this.#loadGroups([pk, others.name]);
    const byPk = typeof pk === 'string' ? this.#now.get(pk) : undefined;
    if (byPk?.model === model.name) return byPk;
    const wanted = Object.entries(others);
    if (wanted.length === 0) return null;
    for (const definition of this.#now.values())
      if (definition.model === model.name && wanted.every(([name, value]) => contains(definition.attrs[name], value)))
        return definition;
    return null;
  }

  /** The pk of a user who matches all pairs; they are looked up by `pk` or `username`. */
  async findUser(identifiers: Identifiers): Promise<number | null> {
    const { pk, username } = identifiers;
    if (typeof pk === 'number') return (await this.#read.user(pk))?.id ?? null;
    if (typeof username === 'string') return (await this.#read.userByUsername(usernameKey(username)))?.id ?? null;
    return null;
  }

  /** Makes or changes an object, or says what is wrong with it. A new one gets `pk`, else a fresh one. */
  async put(model: Model, pk: string | null, attrs: JsonObject): Promise<Definition | readonly Problem[]> {
    const checked = model.check(attrs);
    if ('problems' in checked) return checked.problems;
    const definition = { pk: pk ?? newUuid(), model: model.name, attrs: checked.attrs };
    const other = this.#now.get(definition.pk);
    if (other !== undefined && other.model !== model.name)
      return [{ path: ['pk'], text: `pk: it is already the pk of an object of the model ${other.model}` }];
    const problems = [...(await this.#clashes(model, definition)), ...(await this.#dangling(model, definition))];
    if (problems.length > 0) return problems;
    this.#now.set(definition.pk, definition);
    this.touch(definition.pk);
    return definition;
  }

  /** Notes that a file is about this object, also where it stays as it is. */
  touch(pk: string): void {
    this.#touched.add(pk);
  }

  /** Removes an object and what hangs on it; references that may be empty are emptied. */
  remove(pk: string): readonly Problem[] {
    this.#now.delete(pk);
    for (const definition of this.all()) {
      const model = this.#models.get(definition.model);
      if (model === undefined || !this.#now.has(definition.pk)) continue;
      const holding = Object.entries(model.references).filter(([name]) => refersTo(definition.attrs[name], pk));
      if (holding.length === 0) continue;
      if (holding.some(([, reference]) => reference.cascade)) {
        const problems = this.remove(definition.pk);
        if (problems.length > 0) return problems;
        continue;
      }
      const attrs = { ...definition.attrs };
      for (const [name] of holding) attrs[name] = without(attrs[name], pk);
      const checked = model.check(attrs);
      const label = `${definition.model} "${String(definition.attrs.name)}"`;
      if ('problems' in checked) return [{ path: [], text: `cannot be deleted, ${label} needs it` }];
      this.#now.set(definition.pk, { ...definition, attrs: checked.attrs });
    }
    return [];
  }

  /** Puts a record of this room's own, which has no model. */
  record(model: string, identifiers: JsonObject, attrs: JsonObject): void {
    const old = this.all().find((one) => one.model === model && contains(one.attrs, identifiers));
    const pk = old?.pk ?? newUuid();
    this.#now.set(pk, { pk, model, attrs: { ...attrs, ...identifiers } });
  }

  /** Brings in every group that a definition refers to, for their names. */
  async loadReferencedGroups(): Promise<void> {
    const pks = this.all().flatMap(({ model, attrs }) =>
      Object.entries(this.#models.get(model)?.references ?? {})
        .filter(([, { kinds }]) => kinds.includes('group'))
        .flatMap(([name]) => listOf(attrs[name])),
    );
    await this.#loadGroups(pks);
  }

  /** What is different from the beginning. */
  difference(): {
    readonly put: Definition[];
    readonly remove: string[];
    readonly effects: Effect[];
    readonly tally: Tally;
  } {
    const put: Definition[] = [];
    const remove: string[] = [];
    const effects: Effect[] = [];
    for (const definition of this.#now.values()) {
      const before = this.#before.get(definition.pk);
      if (before !== undefined && sameJson(before.attrs, definition.attrs)) continue;
      if (definition.model !== groupModel) put.push(definition);
      else if (before === undefined) effects.push({ kind: 'group.create', group: asGroup(definition) });
      else effects.push({ kind: 'group.update', pk: definition.pk, set: groupChanges(before, definition) });
    }
    for (const { pk, model } of this.#before.values()) {
      if (this.#now.has(pk)) continue;
      if (model === groupModel) effects.push({ kind: 'group.delete', pk });
      else remove.push(pk);
    }
    return { put, remove, effects, tally: this.#tally() };
  }

  #tally(): Tally {
    const tally = { created: 0, updated: 0, unchanged: 0, deleted: 0 };
    for (const pk of this.#touched) {
      const [before, now] = [this.#before.get(pk), this.#now.get(pk)];
      if (now === undefined) continue;
      if (before === undefined) tally.created += 1;
      else if (sameJson(before.attrs, now.attrs)) tally.unchanged += 1;
      else tally.updated += 1;
    }
    for (const pk of this.#before.keys()) if (!this.#now.has(pk)) tally.deleted += 1;
    return tally;
  }

  async #clashes(model: Model, { pk, attrs }: Definition): Promise<readonly Problem[]> {
    if (model.name === groupModel) await this.#loadGroups([attrs.name]);
    const problems: Problem[] = [];
    for (const names of model.unique) {
      if (names.some((name) => attrs[name] === null)) continue;
      const other = this.all().find(
        (one) =>
          one.pk !== pk &&
          this.#models.get(one.model)?.kind === model.kind &&
          names.every((name) => sameJson(one.attrs[name], attrs[name])),
      );
      if (other === undefined) continue;
      const what = other.model === model.name ? 'another one' : `an object of the model ${other.model}`;
      problems.push({ path: names.slice(-1), text: `${names.join(', ')}: already used by ${what} (pk ${other.pk})` });
    }
    return problems;
  }

  async #dangling(model: Model, definition: Definition): Promise<readonly Problem[]> {
    const problems: Problem[] = [];
    for (const [name, { kinds }] of Object.entries(model.references)) {
      for (const value of listOf(definition.attrs[name])) {
        if (await this.#exists(kinds, value)) continue;
        problems.push({
          path: [name],
          text: `${name}: there is no ${kinds.join(' or ').replaceAll('_', ' ')} with the pk ${String(value)}`,
        });
      }
    }
    if (model.name === groupModel && (await this.#isOwnAncestor(definition)))
      problems.push({ path: ['parent'], text: 'parent: a group cannot stand below itself' });
    return problems;
  }

  async #exists(kinds: Model['references'][string]['kinds'], value: Json): Promise<boolean> {
    if (typeof value === 'number') return kinds.includes('user') && (await this.#read.user(value)) !== null;
    if (typeof value !== 'string') return false;
    if (kinds.includes('group')) await this.#loadGroups([value]);
    const kind = this.#models.get(this.#now.get(value)?.model ?? '')?.kind;
    return kind !== undefined && kinds.includes(kind);
  }

  async #isOwnAncestor(group: Definition): Promise<boolean> {
    let parent = group.attrs.parent;
    for (let level = 0; level < ancestorLimit && typeof parent === 'string'; level += 1) {
      if (parent === group.pk) return true;
      await this.#loadGroups([parent]);
      parent = this.#now.get(parent)?.attrs.parent;
    }
    return typeof parent === 'string';
  }

  async #loadGroups(references: readonly (Json | undefined)[]): Promise<void> {
    const texts = references.filter((one): one is string => typeof one === 'string' && !this.#before.has(one));
    if (texts.length === 0) return;
    for (const group of await this.#read.groups(texts)) {
      if (group === null || this.#before.has(group.pk)) continue;
      const definition = asDefinition(group);
      this.#before.set(group.pk, definition);
      this.#now.set(group.pk, definition);
    }
  }
}

function asDefinition({ pk, name, isSuperuser, parent, attributes }: Group): Definition {
  return { pk, model: groupModel, attrs: { name, is_superuser: isSuperuser, parent, attributes } };
}

function asGroup({ pk, attrs }: Definition): Group {
  return {
    pk,
    name: String(attrs.name),
    isSuperuser: attrs.is_superuser === true,
    parent: typeof attrs.parent === 'string' ? attrs.parent : null,
    attributes: (attrs.attributes ?? {}) as JsonObject,
  };
}

/** Only what differs, so that a change somebody else makes meanwhile survives. */
function groupChanges(before: Definition, now: Definition): Partial<Omit<Group, 'pk'>> {
  const { name, isSuperuser, parent, attributes } = asGroup(now);
  const differs = (member: string) => !sameJson(before.attrs[member], now.attrs[member]);
  return {
    ...(differs('name') ? { name } : {}),
    ...(differs('is_superuser') ? { isSuperuser } : {}),
    ...(differs('parent') ? { parent } : {}),
    ...(differs('attributes') ? { attributes } : {}),
  };
}

/** Equal, or a map that holds at least these members (1.4). */
function contains(actual: Json | undefined, wanted: Json): boolean {
  if (!isPlainObject(actual) || !isPlainObject(wanted)) return sameJson(actual, wanted);
  return Object.entries(wanted as JsonObject).every(([name, value]) => contains((actual as JsonObject)[name], value));
}

function listOf(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

function refersTo(value: Json | undefined, pk: string): boolean {
  return listOf(value).includes(pk);
}

function without(value: Json | undefined, pk: string): Json {
  return Array.isArray(value) ? value.filter((item: Json) => item !== pk) : null;
}
