/** What users agreed to, kept so that they are not asked again, see it, and can take it back (decision 18). */
import type { Permission } from '../protocol/challenge.ts';

/** An application; or one stage of one flow, where what is agreed to belongs to no application. */
export type ConsentReceiver = { readonly application: string } | { readonly flow: string; readonly stage: string };

/** A user has at most one for each receiver: the latest. */
export interface Consent {
  readonly uuid: string;
  readonly userId: number;
  readonly givenTo: ConsentReceiver;
  /** What the application or the stage is called. */
  readonly name: string;
  /** What stood above the list, where it is part of what was agreed to. */
  readonly wording: string;
  readonly permissions: readonly Permission[];
  /** Milliseconds since the epoch. */
  readonly givenAt: number;
  /** null: until it is withdrawn. */
  readonly expiresAt: number | null;
}

/** One text for each receiver, whatever the order of its members. */
export function receiverKey(receiver: ConsentReceiver): string {
  return JSON.stringify(
    'application' in receiver ? { application: receiver.application } : { flow: receiver.flow, stage: receiver.stage },
  );
}
