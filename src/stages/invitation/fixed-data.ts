/** An invitation's fixed data in prompt_data: merged into what is there, and from then on nobody else's to change. */
import type { Invitation } from '../../engine/invitation.ts';
import { type PlanContext, type PromptValue, promptPairs } from '../../engine/plan-context.ts';
import type { Origin } from '../../engine/provenance.ts';
import { isPlainObject, type Json, type JsonObject, sameJson } from '../../kernel/json.ts';
import { overlaps, plainKey } from '../fixed-key.ts';

/**
 * What the plan context holds once an invitation is in effect (IN-4): its data win, lists are appended. Every key is
 * fixed (IN-7). Its values come from the invitation, save a list that somebody else had begun.
 */
export function withFixedData(
  context: PlanContext,
  { name, fixedData }: Pick<Invitation, 'name' | 'fixedData'>,
): PlanContext {
  const origin: Origin = { kind: 'invitation', invitation: name };
  const fixed = new Map(pairsOf(fixedData));
  const before = promptPairs(context) ?? [];
  const known = new Map(before.map(([key, value]) => [plainKey(key), value]));
  const merged = [...fixed].map(([key, value]): [string, PromptValue] => [key, mergedInto(known.get(key), value)]);
  const own = merged.flatMap(([key, value]) => (sameJson(value as Json, fixed.get(key)) ? [key] : []));
  return {
    prompt_data: [...before.filter(([key, value]) => !gives(key, value, fixed)), ...merged],
    'doorward/fixed': [...(context['doorward/fixed'] ?? []), ...fixed.keys()],
    'doorward/origins': [...(context['doorward/origins'] ?? []), { origin, keys: own }],
  };
}

/** Keys of prompt_data are flat: what is inside `attributes` stands under its path. */
function pairsOf(fixedData: JsonObject): readonly (readonly [string, Json])[] {
  return Object.entries(fixedData).flatMap(([key, value]) => {
    const plain = plainKey(key);
    return plain === 'attributes' || plain.startsWith('attributes.') ? leaves(plain, value) : [[plain, value] as const];
  });
}

function leaves(key: string, value: Json): readonly (readonly [string, Json])[] {
  if (!isPlainObject(value)) return [[key, value]];
  const members = Object.entries(value as JsonObject);
  if (members.length === 0) return key === 'attributes' ? [] : [[key, value as JsonObject]];
  return members.flatMap(([name, inner]) => leaves(`${key}.${name}`, inner));
}

/** Whether a value gives way to fixed ones: an object around them stays, and they are written into it. */
function gives(key: string, value: PromptValue, fixed: ReadonlyMap<string, Json>): boolean {
  const own = plainKey(key);
  if (fixed.has(own)) return true;
  return [...fixed.keys()].some((one) => overlaps(one, own) && !(one.startsWith(`${own}.`) && isPlainObject(value)));
}

function mergedInto(before: PromptValue | undefined, value: Json): Json {
  if (Array.isArray(before) && Array.isArray(value))
    return [...(before as readonly Json[]), ...(value as readonly Json[])];
  if (!isPlainObject(before) || !isPlainObject(value)) return value;
  const known = before as JsonObject;
  const members = Object.entries(value as JsonObject).map(([name, item]) => [
    name,
    mergedInto(Object.hasOwn(known, name) ? known[name] : undefined, item),
  ]);
  return { ...known, ...(Object.fromEntries(members) as JsonObject) };
}
