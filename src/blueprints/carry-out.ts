/**
 * Carries out the entries of one file on the workspace, in their order. It gets a parsed blueprint, and gives changes
 * of the workspace, warnings and the place of each object. Nothing is written to the store.
 */
import type { Definition } from '../engine/definition.ts';
import { isPlainObject, type Json, type JsonObject } from '../kernel/json.ts';
import { mergedContext } from './context.ts';
import { complaintAbout, lookUpIn, placeIn } from './entry-places.ts';
import { asText, type Model, metaApplyModel, userModel } from './models.ts';
import type { ParsedBlueprint, ParsedEntry } from './parse.ts';
import { didYouMean, type Place, type Warning, wrong } from './place.ts';
import { skipped, withoutSkipped } from './skipped.ts';
import { isTrue, mergeDeep, resolveTree, type TagWorld } from './tags.ts';
import { notSupported } from './unsupported.ts';
import type { Identifiers, Workspace } from './workspace.ts';
import type { Tree } from './yaml-tree.ts';

/** What all files of one plan share. */
export interface Planning {
  readonly workspace: Workspace;
  readonly models: ReadonlyMap<string, Model>;
  readonly context: JsonObject;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that `!File` may read; null for none. */
  readonly filesDir: string | null;
  /** Leaves out entries of models that do not exist here, and what cannot do without them. */
  readonly skipUnsupported: boolean;
  readonly warnings: Warning[];
  /** Where each object was last declared. */
  readonly places: Map<string, Place>;
  /** Applies the blueprint that a metaapplyblueprint entry names; says why it did not. */
  applyNamed(wanted: Identifiers, at: Place): Promise<string | null>;
}

const states = ['present', 'created', 'must_created', 'absent'] as const;
type State = (typeof states)[number];

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/**
 * @returns pks of the objects that the file is about
 * @throws DoorwardError `blueprint`, with the place
 */
export async function carryOut(planning: Planning, blueprint: ParsedBlueprint): Promise<ReadonlySet<string>> {
  planning.warnings.push(...blueprint.warnings);
  const run = new FileRun(planning, blueprint);
  for (const entry of blueprint.entries) await run.entry(entry);
  return run.objects;
}

class FileRun {
  readonly objects = new Set<string>();
  readonly #planning: Planning;
  readonly #world: TagWorld;
  /** pk by `id`; null where the entry made and found nothing. */
  readonly #ids = new Map<string, Json>();
  /** The real pk by the one that the file gives (1.4: exported files refer to each other by pk). */
  readonly #pks = new Map<string, Json>();
  readonly #later: ReadonlySet<string | null>;

  constructor(planning: Planning, { file, context, entries }: ParsedBlueprint) {
    this.#planning = planning;
    this.#later = new Set(entries.map(({ id }) => id));
    this.#world = {
      keyOf: (id, at) => this.#keyOf(id, at),
      find: (model, pairs, whole, at) => this.#find(model, pairs, whole, at),
      context: mergedContext(file, context, planning.context),
      env: planning.env,
      filesDir: planning.filesDir,
      warn: (at, message) => planning.warnings.push({ ...at, message }),
    };
  }

  async entry(entry: ParsedEntry): Promise<void> {
    const name = (await this.#text(entry.model, 'model')).toLowerCase();
    const model = name === metaApplyModel ? null : this.#model(name, entry.model.at);
    if (model === 'skipped') return this.#skip(entry, notSupported(name, this.#planning.models));
    const state = await this.#state(entry);
    for (const condition of entry.conditions)
      if (!isTrue(await resolveTree(condition, this.#world))) return this.#remember(entry, null, null);
    if (model === null) return this.#metaApply(entry);
    const given = withoutSkipped(await this.#identifiers(model, entry));
    if (given.lost.length > 0) {
      this.#refuseUnprovedRecovery(model, entry, given);
      return this.#skip(entry, refersToSkipped(model, given.lost));
    }
    const identifiers: Identifiers = given.kept;
    const nothing = Object.keys(model.references).find(
      (name) => identifiers[name] === null && lookUpIn(entry, [name]) !== null,
    );
    // Identified by what is not there, it would be taken for another object that has nothing in this place.
    if (nothing !== undefined && state === 'absent') return this.#remember(entry, null, null);
    if (nothing !== undefined)
      throw wrong(placeIn(entry, [nothing]), `${nothing}: ${lookUpIn(entry, [nothing])} finds nothing`);
    const found = await this.#planning.workspace.find(model, identifiers);
    if (state === 'must_created' && found !== null)
      throw wrong(entry.at, `state must_created: this ${model.kind.replace('_', ' ')} exists already (pk ${found.pk})`);
    if (state === 'absent') return this.#remove(entry, found, identifiers);
    if (state === 'created' && found !== null) return this.#remember(entry, identifiers, found);
    const made = await this.#write(model, entry, identifiers, found);
    if (typeof made === 'string') return this.#skip(entry, made);
    this.#remember(entry, identifiers, made);
  }

  /** The object as it was written, or why its entry is skipped. */
  async #write(
    model: Model,
    entry: ParsedEntry,
    identifiers: Identifiers,
    found: Definition | null,
  ): Promise<Definition | string> {
    const { pk, ...others } = identifiers;
    const { kept, lost } = withoutSkipped(await this.#attrs(model, entry));
    const given = mergeDeep(kept, others) as JsonObject;
    const attrs = Object.fromEntries(
      Object.entries({ ...found?.attrs, ...given }).map(([name, value]) => [
        name,
        model.texts.includes(name) ? asText(value) : value,
      ]),
    );
    const newPk = typeof pk === 'string' ? pk : null;
    const result = await this.#planning.workspace.put(model, found?.pk ?? newPk, attrs);
    if (!('pk' in result)) {
      if (lost.length > 0) return refersToSkipped(model, lost);
      throw complaintAbout(entry, result);
    }
    for (const name of lost)
      this.#warn(placeIn(entry, [name]), `${name} refers to an entry that was skipped, and goes without it`);
    this.#warnOfNothingFound(model, entry, kept);
    return result;
  }

  /** A reference that may be empty, and is, because its look-up found nothing: the file meant something else. */
  #warnOfNothingFound(model: Model, entry: ParsedEntry, attrs: JsonObject): void {
    for (const name of Object.keys(model.references))
      if (attrs[name] === null && lookUpIn(entry, [name]) !== null)
        this.#warn(placeIn(entry, [name]), `${name}: the look-up finds nothing, so it stays empty`);
  }

  /** The stage that a recovery flow loses may be the only one that proves who asks: then anybody could take an account. */
  #refuseUnprovedRecovery(
    model: Model,
    entry: ParsedEntry,
    { kept, lost }: { readonly kept: JsonObject; readonly lost: readonly string[] },
  ): void {
    const flow = typeof kept.target === 'string' ? this.#planning.workspace.get(kept.target) : null;
    if (model.kind !== 'binding' || !lost.includes('stage') || flow?.attrs.designation !== 'recovery') return;
    throw wrong(
      placeIn(entry, ['stage']),
      `stage: it is not supported, and the recovery flow ${String(flow.attrs.slug)} without it may let anybody into any account; leave the flow out, or bind another proof`,
    );
  }

  #skip(entry: ParsedEntry, why: string): void {
    this.#warn(entry.at, `${why}; this entry was skipped`);
    if (entry.id !== null) this.#ids.set(entry.id, skipped);
    const pk = entry.identifiers?.kind === 'map' ? entry.identifiers.members.get('pk')?.value : undefined;
    if (pk?.kind === 'scalar' && typeof pk.value === 'string') this.#pks.set(pk.value, skipped);
  }

  #warn(at: Place, message: string): void {
    this.#planning.warnings.push({ ...at, message });
  }

  #remove(entry: ParsedEntry, found: Definition | null, identifiers: Identifiers): void {
    if (found !== null) {
      const problems = this.#planning.workspace.remove(found.pk);
      if (problems.length > 0) throw complaintAbout(entry, problems);
    }
    this.#remember(entry, identifiers, null);
  }

  #remember(entry: ParsedEntry, identifiers: Identifiers | null, made: Definition | null): void {
    if (entry.id !== null) this.#ids.set(entry.id, made?.pk ?? null);
    if (made === null) return;
    if (typeof identifiers?.pk === 'string') this.#pks.set(identifiers.pk, made.pk);
    this.#planning.workspace.touch(made.pk);
    this.#planning.places.set(made.pk, entry.at);
    this.objects.add(made.pk);
  }

  async #metaApply(entry: ParsedEntry): Promise<void> {
    const attrs = await this.#map(entry.attrs, 'attrs');
    if (!isPlainObject(attrs.identifiers))
      throw wrong(entry.at, 'attrs: expected "identifiers" with the name of a blueprint');
    const refused = await this.#planning.applyNamed(attrs.identifiers as JsonObject, entry.at);
    if (refused === null || attrs.required === false) return;
    if (!this.#planning.skipUnsupported) throw wrong(entry.at, `${refused}; or say "required: false"`);
    this.#warn(entry.at, `${refused}; this entry was skipped`);
  }

  async #identifiers(model: Model, entry: ParsedEntry): Promise<Identifiers> {
    const identifiers = await this.#map(entry.identifiers, 'identifiers');
    for (const [name, value] of Object.entries(identifiers)) {
      if (name === 'pk') {
        if (typeof value !== 'string' || !uuid.test(value)) throw wrong(placeIn(entry, [name]), 'pk: expected a UUID');
      } else if (!model.members.includes(name))
        throw wrong(
          placeIn(entry, [name]),
          `identifiers: ${name} is not a member of ${model.name}${didYouMean(name, model.members)}`,
        );
    }
    if (Object.keys(identifiers).length === 0)
      throw wrong(entry.at, 'identifiers: expected a pk, or members that tell this object from others');
    return identifiers;
  }

  /** Known attributes; unknown ones are left out with a warning, since the reference's own files hold some. */
  async #attrs(model: Model, entry: ParsedEntry): Promise<JsonObject> {
    const attrs = Object.entries(await this.#map(entry.attrs, 'attrs'));
    const isKnown = (name: string) => model.members.length === 0 || model.members.includes(name);
    for (const [name] of attrs)
      if (!isKnown(name))
        this.#warn(
          placeIn(entry, [name]),
          `${name} is not an attribute of ${model.name} and was ignored${didYouMean(name, model.members)}`,
        );
    return Object.fromEntries(attrs.filter(([name]) => isKnown(name)));
  }

  async #map(tree: Tree | null, what: string): Promise<JsonObject> {
    if (tree === null) return {};
    const value = await resolveTree(tree, this.#world);
    if (!isPlainObject(value)) throw wrong(tree.at, `${what}: expected a map (name: value)`);
    const members = Object.entries(value as JsonObject).map(([name, item]) => [name, this.#realPks(item, 0)]);
    return Object.fromEntries(members);
  }

  /** Pks of this file as the real ones, one level into lists and maps; a whole object of `!FindObject` as its pk. */
  #realPks(value: Json, level: number): Json {
    if (typeof value === 'string') return this.#pks.get(value) ?? value;
    if (level > 1 || value === skipped) return value;
    if (Array.isArray(value)) return value.map((item: Json) => this.#realPks(item, level + 1));
    if (!isPlainObject(value)) return value;
    if (typeof value.pk === 'string') return this.#pks.get(value.pk) ?? value.pk;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, this.#realPks(item as Json, level + 1)]),
    );
  }

  async #state(entry: ParsedEntry): Promise<State> {
    if (entry.state === null) return 'present';
    const state = await resolveTree(entry.state, this.#world);
    const known = states.find((one) => one === state);
    if (known === undefined) throw wrong(entry.state.at, `state: expected one of ${states.join(', ')}`);
    return known;
  }

  async #text(tree: Tree, what: string): Promise<string> {
    const value = await resolveTree(tree, this.#world);
    if (typeof value !== 'string') throw wrong(tree.at, `${what}: expected a text`);
    return value;
  }

  #model(name: string, at: Place): Model | 'skipped' {
    const { models, skipUnsupported } = this.#planning;
    const model = models.get(name);
    if (model !== undefined) return model;
    if (skipUnsupported) return 'skipped';
    throw wrong(at, `${notSupported(name, models)}; take this entry out`);
  }

  #keyOf(id: string, at: Place): Json {
    const pk = this.#ids.get(id);
    if (pk !== undefined && pk !== null) return pk;
    if (pk === null)
      throw wrong(at, `!KeyOf ${id}: that entry made no object (its conditions do not hold, or it is absent)`);
    const hint = this.#later.has(id) ? '; it comes later, move it up' : didYouMean(id, this.#ids.keys());
    throw wrong(at, `!KeyOf ${id}: no entry before this one has that id${hint}`);
  }

  async #find(name: string, pairs: readonly (readonly [string, Json])[], whole: boolean, at: Place): Promise<Json> {
    const identifiers: Identifiers = Object.fromEntries(pairs);
    if (name.toLowerCase() === userModel) {
      if (pairs.some(([field]) => field !== 'pk' && field !== 'username'))
        throw wrong(at, '!Find: a user is found by username or pk');
      return this.#planning.workspace.findUser(identifiers);
    }
    const model = this.#model(name.toLowerCase(), at);
    if (model === 'skipped') return skipped;
    if (Object.values(identifiers).includes(skipped)) return skipped;
    const unknown = Object.keys(identifiers).find((field) => field !== 'pk' && !model.members.includes(field));
    if (unknown !== undefined)
      throw wrong(at, `!Find: ${unknown} is not a member of ${model.name}${didYouMean(unknown, model.members)}`);
    const found = await this.#planning.workspace.find(model, identifiers);
    if (found === null) return null;
    return whole ? { ...found.attrs, pk: found.pk } : found.pk;
  }
}

function refersToSkipped({ kind }: Model, names: readonly string[]): string {
  const means: Partial<Record<Model['kind'], string>> = {
    binding: ', so the flow does without this stage',
    policy_binding: ', so its target is not guarded by it',
  };
  return `${names.join(', ')}: refers to an entry that was skipped${means[kind] ?? ''}`;
}
