/** What an expression sees, by the reference's names (blueprints-and-expressions.md 1.10, flow-engine.md 5.2). */
import { isIP } from 'node:net';
import type { Json, JsonObject } from '../kernel/json.ts';
import type { ExpressionReads, ExpressionScene } from './expression-scene.ts';
import { type Crossing, nobodyObject } from './expression-values.ts';
import { type PlanContext, promptPairs } from './plan-context.ts';

/** Members of the plan context that are Doorward's own; code neither sees nor sets them. */
export function isOwnMember(key: string): boolean {
  return key.startsWith('doorward/');
}

/** Variables that mean the same whatever stands in the plan context. */
export const fixedVariables: ReadonlySet<string> = new Set([
  ...['context', 'request', 'http_request', 'user', 'ak_client_ip', 'ak_is_sso_flow'],
]);

/** The name under which code may call a member of the plan context. */
export function variableName(key: string): string {
  return key.replaceAll(/[:.-]/g, '_');
}

/** Who has no address, such as a run without a browser, has this one (as in the reference). */
const noAddress = '255.255.255.255';

/** What visitors may change of themselves by default, as the reference's tenants have it. */
const tenant: JsonObject = {
  $object: 'tenant',
  ...{ default_user_change_name: true, default_user_change_email: false, default_user_change_username: false },
};

/** The plan context as one object. */
export async function contextVariable(
  context: PlanContext,
  reads: ExpressionReads,
  crossing: Crossing,
): Promise<JsonObject> {
  const members: [string, Json][] = [];
  for (const [key, value] of Object.entries(context)) {
    if (isOwnMember(key) || value === undefined) continue;
    if (key === 'pending_user') members.push([key, await pendingObject(context, reads)]);
    else if (key === 'prompt_data') members.push([key, answersOf(context, crossing)]);
    else members.push([key, crossing.data(value)]);
  }
  return Object.fromEntries([...members, ['flow_plan', { $object: 'flow_plan', context: {} }]]);
}

/** All other variables; the adapter hands over those that the code names. */
export async function otherVariables(
  scene: ExpressionScene,
  context: JsonObject,
  reads: ExpressionReads,
  crossing: Crossing,
): Promise<JsonObject> {
  const { visitor, flow } = scene;
  const user = await subjectObject(reads);
  const request = {
    ...{ $object: 'http_request', method: 'GET', path: `/api/v3/flows/executor/${flow.slug}/` },
    GET: crossing.data({ ...visitor.query, flow_token: undefined, setup: undefined }),
    META: { HTTP_USER_AGENT: visitor.agent, REMOTE_ADDR: visitor.address },
    user: await reads.userObject(visitor.user),
    tenant,
  };
  const named = Object.entries(context).map(([key, value]) => [variableName(key), value] as const);
  return {
    ...Object.fromEntries(named),
    prompt_context: context.prompt_data ?? {},
    ...{ context, user, http_request: request },
    ak_client_ip: isIP(visitor.address) === 0 ? noAddress : visitor.address,
    ak_is_sso_flow: context.is_sso === true,
    request: { $object: 'request', user, http_request: request, obj: null, debug: false },
  };
}

/** The answers as one object. */
export function answersOf(context: PlanContext, crossing: Crossing): Json {
  const pairs = promptPairs(context);
  return crossing.answers(pairs === null ? context.prompt_data : Object.fromEntries(pairs));
}

/** `backend` is there once the user has proved who they are. */
async function pendingObject({ pending_user: pending, user_backend: backend }: PlanContext, reads: ExpressionReads) {
  if (pending !== undefined && 'decoy' in pending) return nobodyObject(pending.typed);
  const user = await subjectObject(reads);
  return backend === undefined ? user : { ...user, backend };
}

/** Code that names no user costs no read of one. */
async function subjectObject(reads: ExpressionReads): Promise<JsonObject> {
  return reads.names('user') ? reads.userObject(await reads.subject()) : nobodyObject();
}
