import type { CompiledBinding, CompiledFlow } from '../../engine/flow.ts';
import type { IdentityProof, StageProof } from '../../engine/stage-proof.ts';
import type { FindingCode } from './codes.ts';
import type { Said, WalkedStep } from './finding.ts';
import type { Standing } from './standing.ts';

/** A stage at its place, reached by a visitor of some standing. */
export interface Visit {
  readonly flow: CompiledFlow;
  readonly binding: CompiledBinding;
  readonly proof: StageProof;
  readonly gives: readonly string[];
  readonly standing: Standing;
  /** The path, this binding included. */
  readonly step: WalkedStep;
  /** Factors that some sign-in flow asks besides the first one. */
  readonly factors: readonly IdentityProof[];
  report(code: FindingCode, said: Said): void;
}

/** What becomes of a visitor at a stage. */
export type Next =
  | { readonly kind: 'pass'; readonly standing: Standing }
  | { readonly kind: 'jump'; readonly flow: string | null; readonly keep: boolean; readonly standing: Standing }
  | { readonly kind: 'deny'; readonly why: string; readonly undo?: true; readonly standing: Standing };

/** The words for what happens to a user whose name anybody can type, with the stage that could have kept it. */
export function withoutProof(
  { binding, step }: Visit,
  what: string,
): { readonly message: string; readonly change: string } {
  const message = `Anybody who knows a user's name ${what}`;
  for (let at: WalkedStep | null = step; at !== null; at = at.before)
    if (at.what === 'skipped' && at.binding !== null && at.spares) {
      const { name } = at.binding.stage;
      return {
        message: `${message}: "${name}", which would ask for a proof, is skipped where ${at.why}.`,
        change: `Take the policy off "${name}", or put a deny stage where it is skipped.`,
      };
    }
  return {
    message: `${message}: nothing on this way proves who the visitor is.`,
    change: `Put a stage that proves it (password, link by mail, authenticator, one-time link) before "${binding.stage.name}".`,
  };
}
