/** A user's link to an identity provider: who has it signs in there. */
export interface Connection {
  readonly uuid: string;
  readonly userId: number;
  /** What the source is called. */
  readonly source: string;
  /** What the user is called there. */
  readonly identifier: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}
