/**
 * Writes a flow as a blueprint that applies elsewhere, and here again without a change: objects are named by what tells
 * them apart instead of by pk, what belongs to others (groups, users, other flows) is looked up, and secrets are left
 * out with a word about each.
 */
import { Document, type Node, Scalar, type YAMLSeq } from 'yaml';
import type { Definition, DefinitionStore } from '../engine/definition.ts';
import type { Reads } from '../engine/ports.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { isPlainObject, type Json, type JsonObject, sameJson } from '../kernel/json.ts';
import { isSecretSetting } from '../kernel/secret-names.ts';
import { labelOf } from './changes.ts';
import { exportedObjects } from './export-objects.ts';
import {
  flowModel,
  groupModel,
  type Installed,
  type Model,
  modelTable,
  policyBindingModel,
  userModel,
} from './models.ts';

export interface ExportInput extends Installed {
  readonly definitions: DefinitionStore;
  readonly read: Reads;
}

/**
 * @returns YAML
 * @throws DoorwardError `flow_not_found`
 */
export async function exportFlow(input: ExportInput, slug: string): Promise<string> {
  const { definitions } = await input.definitions.all();
  const flow = definitions.find(({ model, attrs }) => model === flowModel && attrs.slug === slug);
  if (flow === undefined) throw new DoorwardError('flow_not_found', `there is no flow "${slug}"`);
  const models = modelTable(input);
  const objects = exportedObjects(flow, definitions, models);
  return new Writer({ input, models, all: new Map(definitions.map((one) => [one.pk, one])), objects }).write(flow);
}

interface Setting {
  readonly input: ExportInput;
  readonly models: ReadonlyMap<string, Model>;
  readonly all: ReadonlyMap<string, Definition>;
  /** In the order in which they are written. */
  readonly objects: readonly Definition[];
}

class Writer {
  readonly #setting: Setting;
  readonly #ids: ReadonlyMap<string, string>;
  /** What the file needs to find where it is applied. */
  readonly #expected = new Set<string>();
  readonly #document = new Document({}, { version: '1.1' });

  constructor(setting: Setting) {
    this.#setting = setting;
    this.#ids = idsOf(setting.objects);
  }

  async write({ attrs }: Definition): Promise<string> {
    const entries = this.#document.createNode([]) as YAMLSeq;
    for (const object of this.#setting.objects) {
      const entry = await this.#entry(object);
      entry.spaceBefore = entries.items.length > 0;
      entries.add(entry);
    }
    const labels = { 'blueprints.goauthentik.io/generated': 'true' };
    const root = this.#document.createNode({ version: 1, metadata: { name: String(attrs.name), labels }, entries });
    this.#document.contents = root as never;
    const expected = [...this.#expected].map((one) => `\n   ${one.replaceAll(/\s+/g, ' ')}`);
    this.#document.commentBefore = ` The flow ${String(attrs.slug)}.${expected.length > 0 ? ` It expects to find:${expected.join('')}` : ''}`;
    return this.#document.toString({ lineWidth: 0 });
  }

  async #entry(object: Definition): Promise<Node> {
    const model = this.#setting.models.get(object.model) as Model;
    const defaults = model.defaults();
    const keys = naturalKeys(model, object);
    const identifiers: Record<string, unknown> = {};
    const attrs: Record<string, unknown> = {};
    const secrets: string[] = [];
    for (const [name, value] of Object.entries(object.attrs)) {
      if (keys.includes(name)) identifiers[name] = await this.#value(model, name, value);
      else if (Object.hasOwn(defaults, name) && sameJson(defaults[name], value)) continue;
      else if (isSecretSetting(object.attrs, name)) secrets.push(name);
      else attrs[name] = await this.#value(model, name, value);
    }
    const id = this.#ids.get(object.pk);
    const node = this.#document.createNode({
      model: object.model,
      ...(id === undefined ? {} : { id }),
      identifiers,
      ...(Object.keys(attrs).length === 0 ? {} : { attrs }),
    });
    if (secrets.length > 0)
      node.commentBefore = ` Left out, since it is secret: ${secrets.join(', ')}. Set it before this is applied elsewhere.`;
    return node;
  }

  async #value(model: Model, name: string, value: Json): Promise<unknown> {
    if (model.references[name] === undefined) return model.texts.includes(name) ? plainText(value) : value;
    if (!Array.isArray(value)) return this.#reference(value);
    const items: unknown[] = [];
    for (const item of value) items.push(await this.#reference(item));
    return items;
  }

  async #reference(pk: Json): Promise<unknown> {
    if (typeof pk === 'number') {
      const user = await this.#setting.input.read.user(pk);
      if (user === null) return pk;
      this.#expected.add(`user ${user.username}`);
      return this.#find(userModel, { username: user.username });
    }
    if (typeof pk !== 'string') return pk;
    const id = this.#ids.get(pk);
    if (id !== undefined) return tagged(new Scalar(id), '!KeyOf');
    const other = this.#setting.all.get(pk) ?? (await this.#group(pk));
    const model = other === null ? undefined : this.#setting.models.get(other.model);
    if (other === null || model === undefined) return pk;
    this.#expected.add(labelOf(other, this.#setting.all));
    const keys = naturalKeys(model, other).map((name) => [name, other.attrs[name] ?? null]);
    return this.#find(other.model, Object.fromEntries(keys));
  }

  async #group(pk: string): Promise<Definition | null> {
    const [group] = await this.#setting.input.read.groups([pk]);
    return group == null ? null : { pk, model: groupModel, attrs: { name: group.name } };
  }

  #find(model: string, members: JsonObject): unknown {
    const node = this.#document.createNode([model, ...Object.entries(members)], { flow: true });
    return tagged(node as YAMLSeq, '!Find');
  }
}

/** The members that tell an object from others of its kind, wherever it is. */
function naturalKeys(model: Model, { attrs }: Definition): readonly string[] {
  const bound = ['policy', 'group', 'user'].find((name) => attrs[name] !== null && attrs[name] !== undefined);
  if (model.name === policyBindingModel) return ['target', 'order', ...(bound === undefined ? [] : [bound])];
  return model.unique[0] ?? [];
}

function tagged<Node extends Scalar | YAMLSeq>(node: Node, tag: string): Node {
  node.tag = tag;
  return node;
}

/** Texts in several languages the way they are written by hand. */
function plainText(value: Json): Json {
  if (!isPlainObject(value) || !isPlainObject(value.$lang)) return value;
  const languages = value.$lang as JsonObject;
  return Object.keys(languages).every((language) => /^[a-z]{2,3}$/.test(language)) ? languages : (value as JsonObject);
}

/** A readable id for each object that others refer to. */
function idsOf(objects: readonly Definition[]): ReadonlyMap<string, string> {
  const ids = new Map<string, string>();
  const taken = new Set<string>();
  const referred = new Set(
    objects.flatMap(({ attrs }) => Object.values(attrs).flatMap((value) => (Array.isArray(value) ? value : [value]))),
  );
  for (const { pk, model, attrs } of objects) {
    if (!referred.has(pk)) continue;
    const name = model === flowModel ? 'flow' : String(attrs.name ?? `binding-${String(attrs.order)}`);
    const plain =
      name
        .toLowerCase()
        .replaceAll(/[^a-z\d]+/g, '-')
        .replaceAll(/^-|-$/g, '') || 'object';
    let id = plain;
    for (let number = 2; taken.has(id); number += 1) id = `${plain}-${number}`;
    taken.add(id);
    ids.set(pk, id);
  }
  return ids;
}
