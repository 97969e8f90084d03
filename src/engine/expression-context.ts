import { isPlainObject, type Json, type JsonObject, member, sameJson } from '../kernel/json.ts';
import { Secret } from '../kernel/secrets.ts';
import { isStorable } from '../kernel/text.ts';
import { type Crossing, withoutObjects } from './expression-values.ts';
import { fixedVariables, isOwnMember, variableName } from './expression-variables.ts';
import type { CompiledFlow } from './flow.ts';
import { type PlanContext, type PromptData, type PromptValue, promptPairs } from './plan-context.ts';

/** The plan context before and after an evaluation. */
export interface ContextChange {
  readonly context: PlanContext;
  /** As the code got it. */
  readonly before: JsonObject;
  /** The variables as the code left them: the context, and members of it under names of their own. */
  readonly left: JsonObject;
  readonly crossing: Crossing;
  readonly flow: { readonly objects?: CompiledFlow['objects'] };
}

/**
 * What the code set in the plan context, by top-level member; `undefined` for one that it took out.
 *
 * @throws Error for a member that is Doorward's own, and for values that cannot be kept
 */
export function contextPatch(change: ContextChange): Readonly<Record<string, unknown>> {
  const { before, crossing } = change;
  const after = afterwards(change);
  const patch = new Map<string, unknown>();
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [member(before, key), member(after, key)];
    if (key === 'flow_plan' || isSame(was, is)) continue;
    if (isOwnMember(key)) throw new Error(`it sets ${key}, which is for Doorward itself`);
    if (is === undefined) patch.set(key, undefined);
    else if (key === 'prompt_data') patch.set(key, answersBack(change, is));
    else if (key === 'pending_user') patch.set(key, userBack(is));
    else patch.set(key, texts.has(key) ? textBack(key, is) : crossing.back(is));
  }
  return Object.fromEntries(patch);
}

function isSame(was: Json | undefined, is: Json | undefined): boolean {
  if (was === undefined || is === undefined) return was === is;
  return sameJson(withoutObjects(was), withoutObjects(is));
}

/** `prompt_data["x"] = 1` and `context["prompt_data"]["x"] = 1` are the same. */
function afterwards({ before, left }: ContextChange): JsonObject {
  const after = new Map<string, Json>(
    Object.entries(isPlainObject(left.context) ? (left.context as JsonObject) : before),
  );
  for (const [key, was] of Object.entries(before)) {
    const alone = member(left, variableName(key));
    if (alone !== undefined && !fixedVariables.has(variableName(key)) && !isSame(alone, was)) after.set(key, alone);
  }
  return Object.fromEntries(after);
}

/** In the order that they had, new ones last; what answers a password prompt is a secret. */
function answersBack({ context, crossing, flow }: ContextChange, value: Json): PromptData | Json {
  const answers = crossing.back(value);
  if (!isPlainObject(answers)) return answers as Json;
  const secret = secretKeys(flow);
  const known = (promptPairs(context) ?? []).map(([key]) => key);
  const keys = new Set([...known.filter((key) => Object.hasOwn(answers, key)), ...Object.keys(answers)]);
  return [...keys].map((key) => {
    const answer = answers[key] as PromptValue;
    return [key, typeof answer === 'string' && secret(key) ? new Secret(answer) : answer] as const;
  });
}

/** Keys that a prompt of the flow asks for as a password, and those that a user write takes as one. */
function secretKeys({ objects = {} }: ContextChange['flow']): (key: string) => boolean {
  const asked = new Set<unknown>();
  for (const { kind, config } of Object.values(objects))
    if (kind === 'prompt' && isPlainObject(config) && config.type === 'password') asked.add(config.field_key);
  return (key) => asked.has(key) || key === 'password' || key.startsWith('password_');
}

/** Members that stages take as a text without asking. */
const texts: ReadonlySet<string> = new Set(['redirect', 'redirect_stage_target', 'deny_message']);

/** Where a flow ends is the administrator's own word; but a browser would run some of them as a script. */
function textBack(key: string, value: Json): string {
  if (typeof value !== 'string' || !isStorable(value)) throw new Error(`${key} can only be a text`);
  if (key === 'redirect' && URL.canParse(value) && scripts.has(new URL(value).protocol))
    throw new Error('redirect cannot be a script; write the address of a page');
  return value;
}

const scripts: ReadonlySet<string> = new Set(['javascript:', 'data:', 'vbscript:', 'blob:']);

function userBack(value: Json): unknown {
  const pk = isPlainObject(value) && value.$object === 'user' ? value.pk : undefined;
  if (typeof pk === 'number') return { ref: pk };
  throw new Error('pending_user can only be a user, such as ak_user_by gives');
}
