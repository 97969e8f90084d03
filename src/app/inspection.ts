/** What the inspector shows of a run: secrets masked before anybody else sees it. */
import type { StepInput } from '../engine/exchange.ts';
import { type InspectedPlace, type Inspection, inspect } from '../engine/inspect.ts';
import { promptPairs } from '../engine/plan-context.ts';
import type { AnyStage } from '../engine/stage.ts';
import type { User } from '../engine/user.ts';
import type { World } from '../engine/world.ts';
import type { Json, JsonObject } from '../kernel/json.ts';
import { masked } from '../kernel/secrets.ts';
import { maskValue } from '../stages/user-write/report.ts';

/** A run for the inspector. */
export interface Inspected extends Omit<Inspection, 'context' | 'pendingUser' | 'places'> {
  readonly places: readonly (InspectedPlace & { readonly declared: AnyStage | null })[];
  /** By the reference's names, masked. */
  readonly context: JsonObject;
}

/** Members whose names tell of a secret, and which hold none; their own members are masked as ever. */
const harmless = ['auth_method', 'auth_method_args', 'goauthentik.io/sources/connection'];

/** Looks at the run of a browser's session. @throws DoorwardError `flow_not_found` */
export async function inspected(world: World, input: StepInput): Promise<Inspected | null> {
  const found = await inspect(world, input);
  if (found === null) return null;
  const { context, pendingUser, places, ...rest } = found;
  return {
    ...rest,
    places: places.map((place) => ({ ...place, declared: world.stages.get(place.stage.kind) ?? null })),
    context: maskedContext({
      ...context,
      ...(context.prompt_data === undefined ? {} : { prompt_data: Object.fromEntries(promptPairs(context) ?? []) }),
      ...(pendingUser === null ? {} : { pending_user: userInShort(pendingUser) }),
    }),
  };
}

function maskedContext(context: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(Object.entries(context).map(([name, value]) => [name, shown(name, value)]));
}

function shown(name: string, value: unknown): Json {
  // Some of the product's own members hold hashes of one-time secrets.
  if (name.startsWith('doorward/') && name !== 'doorward/baseline') return masked;
  return maskValue(harmless.includes(name) ? '' : name, value);
}

/** As the reference puts a model into a context: what it is, and what tells it from others. */
function userInShort({ id, username, name }: User): JsonObject {
  return { app: 'authentik_core', model_name: 'user', pk: id, username, name };
}
