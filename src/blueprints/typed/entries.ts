/**
 * A flow in code as the objects that it defines, each with a place in the flow that its pk and its name are made of. So
 * the same code makes the same objects at every start, on every node.
 */
import { createHash } from 'node:crypto';
import { DoorwardError } from '../../kernel/errors.ts';
import { isPlainObject, type Json, type JsonObject } from '../../kernel/json.ts';
import { functionModel } from '../../policies/function/policy.ts';
import { bindingModel, flowModel, policyBindingModel, promptModel } from '../models.ts';
import { type Condition, type FlowFunction, type PolicyUse, plainOf, verdictOf } from './condition.ts';
import { labelOf } from './field.ts';
import type { TypedFlow } from './flow.ts';
import type { FlowLink, GroupLink, Setting, TypedStage } from './stage.ts';

/** Stands for a pk that is known when the entries are carried out. */
export type Link = { readonly $own: string } | FlowLink | GroupLink;

/** One object of a flow. */
export interface TypedEntry {
  /** Within the flow: '' for the flow itself, `2` (or its name) for the second stage, `2/when/0`, … */
  readonly place: string;
  readonly model: string;
  /** Members; a value (or an item of a list) may be a link. */
  readonly attrs: Readonly<Record<string, Json | Link | readonly Link[]>>;
}

/** All objects of a flow, what is referred to before what refers to it. */
export function entriesOf(flow: TypedFlow): readonly TypedEntry[] {
  const gathered: TypedEntry[] = [
    {
      place: '',
      model: flowModel,
      attrs: { ...(flow.attrs as unknown as JsonObject), slug: flow.slug, policy_engine_mode: 'all' },
    },
  ];
  const writer = new Writer(flow.slug, gathered);
  writer.conditions('', 'when', flow.when);
  for (const [index, stage] of flow.stages.entries()) writer.bound(placeOf(stage, index), stage, index * 10);
  return gathered;
}

/** Every function of these flows, by the name that its policy has it under. */
export function functionsOf(flows: readonly TypedFlow[]): ReadonlyMap<string, ReturnType<typeof verdictOf>> {
  const functions = new Map<string, ReturnType<typeof verdictOf>>();
  const add = (slug: string, place: string, conditions: readonly Condition[]): void => {
    for (const [index, condition] of conditions.entries()) {
      const { plain } = plainOf(condition);
      if (typeof plain === 'function') functions.set(functionName(slug, `${place}/${index}`, plain), verdictOf(plain));
    }
  };
  for (const { slug, when, stages } of flows) {
    add(slug, 'when', when);
    for (const [index, stage] of stages.entries()) {
      add(slug, `${placeOf(stage, index)}/when`, stage.when);
      add(slug, `${placeOf(stage, index)}/validate`, stage.validate);
    }
  }
  return functions;
}

/** A stage with a name of its own keeps its objects wherever it is moved to. */
function placeOf({ name }: TypedStage, index: number): string {
  return name ?? String(index + 1);
}

/** A run never meets another function than the one it began with: its source is part of the name. */
function functionName(slug: string, place: string, decide: FlowFunction): string {
  const source = 'source' in decide ? String(decide.source) : String(decide);
  return `${slug}/${place} ${createHash('sha256').update(source).digest('base64url').slice(0, 12)}`;
}

class Writer {
  readonly #slug: string;
  readonly #entries: TypedEntry[];

  constructor(slug: string, entries: TypedEntry[]) {
    this.#slug = slug;
    this.#entries = entries;
  }

  /** A stage, its binding, and what decides about it. */
  bound(place: string, stage: TypedStage, order: number): void {
    this.#stage(place, stage);
    const binding = `${place}/binding`;
    const attrs = { target: own(''), stage: own(place), order, policy_engine_mode: 'all' };
    this.#add(binding, bindingModel, { ...attrs, invalid_response_action: stage.onInvalid });
    this.conditions(binding, `${place}/when`, stage.when);
  }

  /** Conditions that are bound to something. */
  conditions(target: string, place: string, conditions: readonly Condition[]): void {
    for (const [order, condition] of conditions.entries()) {
      const { negate, plain } = plainOf(condition);
      const at = `${place}/${order}`;
      const isGroup = typeof plain !== 'function' && 'group' in plain;
      if (!isGroup) this.#policy(at, plain);
      const what = isGroup ? { group: { $group: plain.group } } : { policy: own(at) };
      this.#add(`${at}/binding`, policyBindingModel, { target: own(target), order, negate, ...what });
    }
  }

  #stage(place: string, typed: TypedStage): void {
    const { stage, config, fields } = typed;
    const asked = Object.entries(fields).map(([key, { type, attrs }], index) => {
      const at = `${place}/${key}`;
      const name = `${this.#slug}-${place}-${key}`;
      this.#add(at, promptModel, { label: labelOf(key), ...attrs, name, field_key: key, type, order: index * 10 });
      return own(at);
    });
    const judged = typed.validate.map((judge, index) => {
      const at = `${place}/validate/${index}`;
      this.#policy(at, judge);
      return own(at);
    });
    const prompting = asked.length > 0 ? { fields: asked, validation_policies: judged } : {};
    const settings = Object.entries(config).map(([name, value]) => [name, this.#setting(`${place}/${name}`, value)]);
    const name = typed.name ?? `${this.#slug}-${place.replaceAll('/', '-')}-${stage.kind}`;
    this.#add(place, stage.model.toLowerCase(), { ...Object.fromEntries(settings), ...prompting, name });
  }

  #setting(at: string, value: Setting): TypedEntry['attrs'][string] {
    if (!isPlainObject(value) || !('$inline' in value)) return value as Json | Link;
    this.#stage(at, value.$inline as TypedStage);
    return own(at);
  }

  #policy(at: string, plain: FlowFunction | PolicyUse): void {
    const name = `${this.#slug}/${at}`;
    if (typeof plain === 'function')
      this.#add(at, functionModel, { name, function: functionName(this.#slug, at, plain) });
    else this.#add(at, plain.policy.model.toLowerCase(), { ...plain.config, name });
  }

  #add(place: string, model: string, attrs: TypedEntry['attrs']): void {
    if (this.#entries.some((entry) => entry.place === place))
      throw new DoorwardError('blueprint', `flow ${this.#slug}: two stages are called "${place}"`);
    this.#entries.push({ place, model, attrs });
  }
}

function own(place: string): Link {
  return { $own: place };
}
