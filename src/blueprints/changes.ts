/** What a plan changes, for people: each object with its members before and after, references by name, no secrets. */
import type { Definition } from '../engine/definition.ts';
import { isPlainObject, type Json, type JsonObject, sameJson } from '../kernel/json.ts';
import { isSecretSetting } from '../kernel/secret-names.ts';
import { bindingModel, flowModel, type Model, policyBindingModel } from './models.ts';

/** One object that is added, changed or removed. */
export interface ObjectChange {
  readonly action: 'added' | 'changed' | 'removed';
  readonly model: string;
  readonly pk: string;
  /** For people: `flow sign-up`, `stage "ask" in flow sign-up at 10`. */
  readonly label: string;
  /** Of an added object what is no default; of a changed one what differs; of a removed one nothing. */
  readonly members: readonly MemberChange[];
}

export interface MemberChange {
  /** `attributes.team` for a member of a member. */
  readonly name: string;
  /** Absent where there was nothing. */
  readonly before?: Json;
  /** Absent where nothing is left. */
  readonly after?: Json;
}

/** Stands for a value that is never shown. */
export const secretText = '(secret)';
const otherSecret = '(another secret)';

/** The difference between two states of all definitions, in the order of the second one; removals last. */
export function changesOf(
  before: ReadonlyMap<string, Definition>,
  now: ReadonlyMap<string, Definition>,
  models: ReadonlyMap<string, Model>,
): readonly ObjectChange[] {
  const changes: ObjectChange[] = [];
  for (const definition of now.values()) {
    const old = before.get(definition.pk);
    const model = models.get(definition.model);
    if (model === undefined || (old !== undefined && sameJson(old.attrs, definition.attrs))) continue;
    changes.push({
      action: old === undefined ? 'added' : 'changed',
      ...{ model: definition.model, pk: definition.pk, label: labelOf(definition, now) },
      members: memberChanges(old?.attrs ?? model.defaults(), definition, {
        isNew: old === undefined,
        shown: (name, value) => named(model, name, value, now, before),
      }),
    });
  }
  for (const definition of before.values()) {
    if (now.has(definition.pk) || !models.has(definition.model)) continue;
    const { model, pk } = definition;
    changes.push({ action: 'removed', model, pk, label: labelOf(definition, before), members: [] });
  }
  return changes;
}

/** An object's name for people. */
export function labelOf({ model, attrs }: Definition, all: ReadonlyMap<string, Definition>): string {
  const other = (name: string): string => {
    const found = typeof attrs[name] === 'string' ? all.get(attrs[name]) : undefined;
    return found === undefined ? String(attrs[name]) : labelOf(found, all);
  };
  if (model === flowModel) return `flow ${String(attrs.slug)}`;
  if (model === bindingModel) return `${other('stage')} in ${other('target')} at ${String(attrs.order)}`;
  if (model === policyBindingModel) {
    const bound = ['policy', 'group', 'user'].find((name) => attrs[name] !== null && attrs[name] !== undefined);
    const what = bound === 'user' ? `user ${String(attrs.user)}` : other(bound ?? 'policy');
    return `${what} bound to ${other('target')}, order ${String(attrs.order)}`;
  }
  return `${kindWord(model)} ${JSON.stringify(attrs.name)}`;
}

/** `authentik_stages_password.passwordstage` → `password stage`. */
function kindWord(model: string): string {
  const [app = '', last = ''] = model.split('.');
  const [, family, kind = ''] = /_?(stages|policies)_(\w+)$/.exec(app) ?? [];
  if (family === 'policies') return `${kind.replaceAll('_', ' ')} policy`;
  if (family === 'stages' && last.endsWith('stage')) return `${kind.replaceAll('_', ' ')} stage`;
  return last;
}

interface Showing {
  /** Then nothing was there before. */
  readonly isNew: boolean;
  /** A value as people read it. */
  shown(name: string, value: Json): Json;
}

function memberChanges(
  old: JsonObject,
  now: Pick<Definition, 'model' | 'attrs'>,
  how: Showing,
): readonly MemberChange[] {
  const names = [...new Set([...Object.keys(now.attrs), ...Object.keys(old)])];
  return names.flatMap((name): readonly MemberChange[] => {
    const [before, after] = [old[name], now.attrs[name]];
    if (sameJson(before, after) || (how.isNew && isEmpty(after))) return [];
    if (isSecretSetting(now.attrs, name)) return [{ name, ...masked(how.isNew ? undefined : before, after) }];
    if (isPlainObject(after) && (isPlainObject(before) || how.isNew)) {
      const inner = isPlainObject(before) ? (before as JsonObject) : {};
      return memberChanges(inner, { model: '', attrs: after as JsonObject }, how).map((one) => below(name, one));
    }
    const seen = (value: Json) => how.shown(name, withoutSecrets(value));
    return [
      {
        name,
        ...(before === undefined || how.isNew ? {} : { before: seen(before) }),
        ...(after === undefined ? {} : { after: seen(after) }),
      },
    ];
  });
}

/** A member of a member; languages stand right below their text. */
function below(path: string, { name, ...rest }: MemberChange): MemberChange {
  return { name: name.startsWith('$lang.') ? `${path}${name.slice('$lang'.length)}` : `${path}.${name}`, ...rest };
}

function masked(before: Json | undefined, after: Json | undefined): Omit<MemberChange, 'name'> {
  return {
    ...(before === undefined || isEmpty(before) ? {} : { before: secretText }),
    ...(after === undefined || isEmpty(after) ? {} : { after: isEmpty(before) ? secretText : otherSecret }),
  };
}

function withoutSecrets(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isPlainObject(value)) return value;
  // A text in several languages, as it is written in a file.
  if (isPlainObject(value.$lang)) return value.$lang as JsonObject;
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([name, item]) => [
      name,
      isSecretSetting(value, name) && !isEmpty(item) ? secretText : withoutSecrets(item),
    ]),
  );
}

function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return isPlainObject(value) && Object.keys(value).length === 0;
}

/** A reference as the name of what it refers to. */
function named(model: Model, name: string, value: Json, ...states: readonly ReadonlyMap<string, Definition>[]): Json {
  if (model.references[name] === undefined) return value;
  if (Array.isArray(value)) return value.map((item: Json) => named(model, name, item, ...states));
  for (const state of states) {
    const found = typeof value === 'string' ? state.get(value) : undefined;
    if (found !== undefined) return labelOf(found, state);
  }
  return value;
}
