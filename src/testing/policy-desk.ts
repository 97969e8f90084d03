import * as z from 'zod';
import type { Policy, PolicyDesk } from '../engine/policy.ts';
import type { PolicyRequest } from '../engine/policy-request.ts';
import { defineStage } from '../engine/stage.ts';
import type { JsonObject } from '../kernel/json.ts';
import { type DeskOptions, deskFor, type TestDesk } from './desk.ts';

/** What a test says of the world around one policy; everything has a sensible default. */
export interface PolicyDeskOptions extends Omit<DeskOptions, 'memo' | 'revise' | 'stage' | 'policies' | 'query'> {
  /** Whom it is about; by default the pending user of the context, else the visitor's. */
  readonly userId?: number | null;
  readonly signal?: AbortSignal;
  /** Answers of other policies that it asks; by default there is none. */
  readonly call?: PolicyDesk['call'];
}

/** A policy's desk that remembers what was logged. */
export interface TestPolicyDesk<Config extends JsonObject> extends PolicyDesk<Config> {
  readonly logged: TestDesk<JsonObject>['logged'];
}

/**
 * A desk over plain data in memory, to test one policy without engine and store.
 *
 * @example
 * const desk = policyDeskFor(officeHours, { now: Date.UTC(2025, 0, 1, 12) });
 * expect(await officeHours.evaluate(desk)).toMatchObject({ passing: true });
 */
export function policyDeskFor<Config extends JsonObject>(
  policy: Policy<Config>,
  options: PolicyDeskOptions = {},
): TestPolicyDesk<Config> {
  const { read, tools, visitor, flow, logged } = deskFor(anywhere, { ...options, config: {} });
  const context = options.context ?? {};
  const { pending_user: pending } = context;
  const about = pending === undefined ? (visitor.user?.id ?? null) : 'ref' in pending ? pending.ref : null;
  const request: PolicyRequest = {
    ...{ userId: options.userId === undefined ? about : options.userId, context, visitor },
    flow: { ...flow, objects: Object.fromEntries((options.objects ?? []).map((object) => [object.pk, object])) },
  };
  return {
    config: policy.config.parse(options.config ?? {}),
    ...{ name: policy.kind, request, read, tools, timeoutMs: 30_000, logged },
    signal: options.signal ?? new AbortController().signal,
    call: options.call ?? noOther,
  };
}

const anywhere = defineStage({
  ...{ kind: 'anywhere', model: 'testing.anywhere', component: '', description: '', config: z.object({}) },
  ...{ needs: [], gives: [], enter: async () => ({ kind: 'pass' }) },
});

async function noOther(name: string): Promise<never> {
  throw new Error(`there is no policy named ${JSON.stringify(name)} at this desk`);
}
