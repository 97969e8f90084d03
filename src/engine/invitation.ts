import type { JsonObject } from '../kernel/json.ts';

/** An invitation into a flow. Its link holds a secret of which the hash alone is stored. Times in milliseconds since the epoch. */
export interface Invitation {
  /** Public id, for lists and for revoking; it opens nothing. */
  readonly uuid: string;
  readonly name: string;
  /** Slug of the one flow that it opens; null for any flow with an invitation stage. */
  readonly flow: string | null;
  /** What the invited person cannot change, by the keys of prompt_data. */
  readonly fixedData: JsonObject;
  readonly singleUse: boolean;
  /** pk of the user who made it; null for a program, and for somebody who is gone. */
  readonly createdBy: number | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** How often a user was written with it. */
  readonly uses: number;
}

/** What may be changed of one. */
export type InvitationChanges = Partial<Pick<Invitation, 'name' | 'flow' | 'fixedData' | 'singleUse' | 'expiresAt'>>;
