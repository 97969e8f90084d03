/**
 * What a stage declares for the proof of flows: what it does to a visitor's standing, as data. The proof walks every
 * path of a flow by these declarations and never runs a stage; a stage that declares nothing counts as a page that
 * proves nothing (docs/proof.md).
 */

/**
 * Proofs of who somebody is: each is about the pending user, and is worth nothing for another one. `email` is a link or a
 * code by mail; where the flow is about nobody yet, or about the visitor's own account, it goes to the address that was
 * typed, and then proves that address and nothing of an account.
 */
export const identityProofs = ['password', 'email', 'code', 'authenticator', 'one_time_link', 'source'] as const;
/** Proofs that somebody may be here, whoever they are. */
export const permissions = ['invitation', 'approval', 'setup_secret'] as const;

export type IdentityProof = (typeof identityProofs)[number];
export type Permission = (typeof permissions)[number];

/** What a stage does, by its configuration. All members are optional: most stages need one line. */
export interface StageProof {
  /** It waits for an answer. Without it the stage acts as soon as it is reached. */
  readonly asks?: boolean;
  /**
   * It makes somebody the pending user: `anybody` whose name is typed, or the `holder` of what it proves, always or only
   * where nobody is pending.
   */
  readonly identifies?: 'anybody' | 'holder' | 'holder_if_nobody';
  /** What a visitor who gets past it has proven. */
  readonly proves?: readonly (IdentityProof | Permission)[];
  /** It also lets those pass who have nothing to prove it with, such as a user without an authenticator. */
  readonly mayPassWithout?: boolean;
  /** It makes a new user active who was written inactive. */
  readonly activates?: boolean;
  /** It stands in its flow twice: the gate that opens to the holder of a secret, and the place where that is used up. */
  readonly gate?: boolean;
  readonly collects?: readonly CollectedKey[];
  /** It may bring answers that nobody was asked for. */
  readonly bringsAnswers?: true;
  readonly writes?: WriteProof;
  /** Begins a session for the pending user. A deactivated user never gets one. */
  readonly signsIn?: boolean;
  readonly signsOut?: boolean;
  readonly deletes?: boolean;
  /** It never lets anybody pass. */
  readonly denies?: boolean;
  /** Into another flow (its slug; null where it is gone), or to an address. */
  readonly goesTo?: { readonly flow: string | null; readonly keepContext: boolean } | { readonly address: string };
  /** Its pages tell who has an account: `accounts` by refusing unknown names, `names` by showing whose address it is. */
  readonly reveals?: 'accounts' | 'names';
}

/** A key of prompt_data that a stage asks for. */
export interface CollectedKey {
  readonly key: string;
  /** Typed in confidence. */
  readonly secret: boolean;
  /** Shown only: its value is the administrator's own. */
  readonly shown: boolean;
}

/** What a stage that writes users does with what was collected. */
export interface WriteProof {
  readonly creates: 'never' | 'when_required' | 'always';
  /** New users may sign in at once. */
  readonly active: boolean;
  /** It changes the user whatever was collected, such as their groups. */
  readonly joins: boolean;
  /** What becomes of keys, in their order. */
  accepts(keys: readonly string[]): KeysAccepted;
}

export interface KeysAccepted {
  /** Fields by the key that means them: a column, `password` or a path such as `attributes.a.b`. */
  readonly written: readonly { readonly key: string; readonly field: string }[];
  readonly discarded: readonly { readonly key: string; readonly reason: string }[];
  /** The key with which nothing can be written at all, or null. */
  readonly refused: string | null;
}
