/** Flows in code, carried out on the same workspace as blueprints. */
import { createHash } from 'node:crypto';
import type { Definition } from '../../engine/definition.ts';
import { DoorwardError } from '../../kernel/errors.ts';
import { isPlainObject, type Json, type JsonObject } from '../../kernel/json.ts';
import { asText, bindingModel, flowModel, groupModel, type Model, policyBindingModel } from '../models.ts';
import type { Workspace } from '../workspace.ts';
import { entriesOf, type Link, type TypedEntry } from './entries.ts';
import type { TypedFlow } from './flow.ts';

/** A flow in code that was carried out; not for blueprints. */
export const typedModel = 'doorward.typed';

interface Planning {
  readonly workspace: Workspace;
  readonly models: ReadonlyMap<string, Model>;
}

/**
 * Makes what the flows say of the workspace. What an earlier edition of a flow made and this one does not goes, unless
 * something else refers to it.
 *
 * @throws DoorwardError `blueprint`: which flow and stage, what is wrong and what to do
 */
export async function carryOutFlows(planning: Planning, flows: readonly TypedFlow[]): Promise<void> {
  const writers = flows.map((flow) => new FlowWriter(planning, flow));
  // Flows first: they may refer to each other.
  for (const writer of writers) await writer.flow();
  for (const writer of writers) await writer.rest();
}

class FlowWriter {
  readonly #planning: Planning;
  readonly #slug: string;
  readonly #entries: readonly TypedEntry[];
  readonly #hash: string;
  readonly #pks = new Map<string, string>();

  constructor(planning: Planning, flow: TypedFlow) {
    this.#planning = planning;
    this.#slug = flow.slug;
    this.#entries = entriesOf(flow);
    this.#hash = flowHash(flow);
  }

  async flow(): Promise<void> {
    const [flow] = this.#entries;
    if (flow !== undefined) await this.#put(flow);
  }

  async rest(): Promise<void> {
    this.#clear();
    for (const entry of this.#entries.slice(1)) await this.#put(entry);
    const objects = [...this.#pks.values()];
    this.#planning.workspace.record(typedModel, { slug: this.#slug }, { hash: this.#hash, objects });
  }

  async #put(entry: TypedEntry): Promise<void> {
    const { workspace } = this.#planning;
    const model = this.#model(entry.model);
    const attrs: [string, Json][] = [];
    for (const [name, value] of Object.entries(entry.attrs)) {
      const resolved = await this.#resolved(entry, value);
      attrs.push([name, model.texts.includes(name) ? asText(resolved) : resolved]);
    }
    const result = await workspace.put(model, await this.#pkOf(entry), Object.fromEntries(attrs));
    if (!('pk' in result)) throw this.#wrong(entry.place, result.map(({ text }) => text).join('; '));
    this.#pks.set(entry.place, result.pk);
  }

  /** A flow that stands there already keeps its pk, whoever made it. */
  async #pkOf({ place, model }: TypedEntry): Promise<string> {
    const found = place === '' ? await this.#find(flowModel, { slug: this.#slug }) : null;
    return found?.pk ?? pkAt(this.#slug, place, model);
  }

  async #resolved(entry: TypedEntry, value: TypedEntry['attrs'][string]): Promise<Json> {
    if (Array.isArray(value)) return Promise.all(value.map((item: Json | Link) => this.#resolved(entry, item)));
    if (!isPlainObject(value)) return value as Json;
    if ('$own' in value) return this.#pks.get(String(value.$own)) ?? null;
    if ('$group' in value) return this.#group(String(value.$group));
    if (!('$flow' in value)) return value as JsonObject;
    const flow = await this.#find(flowModel, { slug: String(value.$flow) });
    if (flow === null) throw this.#wrong(entry.place, `there is no flow with the slug "${String(value.$flow)}"`);
    return flow.pk;
  }

  async #group(name: string): Promise<string> {
    const found = await this.#find(groupModel, { name });
    const made = found ?? (await this.#planning.workspace.put(this.#model(groupModel), null, { name }));
    if ('pk' in made) return made.pk;
    throw this.#wrong('', made.map(({ text }) => text).join('; '));
  }

  /**
   * The code is the whole flow: what else is bound to it goes, and what an earlier edition made. What the code still
   * says comes back with its pk, and so is no change.
   */
  #clear(): void {
    const { workspace } = this.#planning;
    const flow = this.#pks.get('');
    const { attrs } = workspace.all().find((one) => one.model === typedModel && one.attrs.slug === this.#slug) ?? {};
    const former = Array.isArray(attrs?.objects) ? attrs.objects.map(String) : [];
    const bound = workspace
      .all()
      .filter(({ model, attrs: { target } }) => [bindingModel, policyBindingModel].includes(model) && target === flow);
    for (const { pk } of bound) workspace.remove(pk);
    // Stages before the prompts and policies that they hold.
    for (const pk of former.toReversed()) if (pk !== flow && !this.#isReferredTo(pk)) workspace.remove(pk);
  }

  #isReferredTo(pk: string): boolean {
    const { workspace, models } = this.#planning;
    return workspace.all().some(({ model, attrs }) =>
      Object.keys(models.get(model)?.references ?? {}).some((name) => {
        const value = attrs[name];
        return Array.isArray(value) ? value.includes(pk) : value === pk;
      }),
    );
  }

  #find(model: string, identifiers: JsonObject): Promise<Definition | null> {
    return this.#planning.workspace.find(this.#model(model), identifiers);
  }

  #model(name: string): Model {
    const model = this.#planning.models.get(name);
    if (model === undefined) throw this.#wrong('', `the model ${name} does not exist here`);
    return model;
  }

  #wrong(place: string, message: string): DoorwardError {
    const [stage = ''] = place.split('/');
    const at = ['', 'when'].includes(stage) ? `flow ${this.#slug}` : `flow ${this.#slug}, stage ${stage}`;
    return new DoorwardError('blueprint', `${at}: ${message}`);
  }
}

/** Tells one edition of a flow in code from another. */
export function flowHash(flow: TypedFlow): string {
  return createHash('sha256')
    .update(JSON.stringify(entriesOf(flow)))
    .digest('base64url');
}

/** The same for the same code: a UUID of version 8 (RFC 9562 section 5.8). */
function pkAt(slug: string, place: string, model: string): string {
  const hex = createHash('sha256').update(`doorward flow\n${slug}\n${place}\n${model}`).digest('hex');
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
