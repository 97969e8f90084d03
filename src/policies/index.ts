import type { Effect } from '../engine/effects.ts';
import type { PolicyRequest, Reads } from '../engine/ports.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { Text } from '../protocol/text.ts';

/** A policy: one value, one folder, one line in `policyKinds`. */
export interface Policy {
  readonly kind: string;
  /** A thrown error is a policy that failed to run: the flow denies (CVE-2024-47070). */
  evaluate(
    config: JsonObject,
    request: PolicyRequest,
    read: Reads,
  ): Promise<{ readonly passing: boolean; readonly messages: readonly Text[]; readonly effects?: readonly Effect[] }>;
}

/** The policies that the product ships. A bound policy of another kind cannot run, and so denies. */
export const policyKinds: readonly Policy[] = [];
