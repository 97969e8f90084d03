import type { JsonObject } from '../kernel/json.ts';
import type { ApprovalFile } from './approval.ts';
import type { Authenticator } from './authenticator.ts';
import type { Consent, ConsentReceiver } from './consent.ts';
import type { Effect, Refusal } from './effects.ts';
import type { ExpressionHosts } from './expression-hosts.ts';
import type { Expressions } from './expressions.ts';
import type { Bound } from './flow.ts';
import type { HookTransaction, UserWritten } from './hooks.ts';
import type { IdentifierField } from './identifier.ts';
import type { Invitation } from './invitation.ts';
import type { Limits } from './limits.ts';
import type { Outbound } from './outbound.ts';
import type { PolicyRequest, PolicyResult } from './policy-request.ts';
import type { Profile } from './profile.ts';
import type { Provenance } from './provenance.ts';
import type { Run } from './run.ts';
import type { RunKey } from './run-key.ts';
import type { Whereabouts } from './session-binding.ts';
import type { Group, Session, Token, User } from './user.ts';

/** What a stage may ask of the store; the room `store` answers. Each call is at most one query. */
export interface Reads {
  user(id: number): Promise<User | null>;
  /** By `usernameKey`. */
  userByUsername(key: string): Promise<User | null>;
  /**
   * Who is meant by what was typed, among the given fields (decision 17). `exact` compares usernames and addresses in
   * their own case.
   */
  userByIdentifier(fields: readonly IdentifierField[], typed: string, exact: boolean): Promise<User | null>;
  /** Everybody with this e-mail address (by `usernameKey`), who verified it first; at most a hundred. */
  usersByEmail(key: string): Promise<readonly User[]>;
  passwordHash(userId: number): Promise<string | null>;
  /** The user's present password hash and their former ones, the newest first; at most `longestHistory`. */
  passwordHistory(userId: number, limit: number): Promise<readonly string[]>;
  /** Where the user's values came from. Read it after the row that it is written with: that row's version guards it. */
  provenance(userId: number): Promise<Provenance>;
  /** Groups by pk or name, in the order asked; null where there is none. */
  groups(references: readonly string[]): Promise<readonly (Group | null)[]>;
  /** The user's groups with all their ancestors (at most 20 levels up). */
  groupsOf(userId: number): Promise<readonly Group[]>;
  /** Active members of the group, and of the groups inside it, in the order of their ids; at most a thousand. */
  membersWithin(group: string): Promise<readonly User[]>;
  /** How often an attempt was counted in its current window. */
  attempts(bucket: string, windowMs: number, now: number): Promise<number>;
  /** The sum of the scores of a subject at any address, and of anybody at an address; null leaves one out. */
  reputation(subject: string | null, address: string | null): Promise<number>;
  /** Hash of the initial setup's one-time secret, while no administrator exists. */
  setupSecret(): Promise<string | null>;
  /** By its hash, expired or not. */
  token(hash: string): Promise<Token | null>;
  /** By the hash of its secret, expired or not. */
  invitation(hash: string): Promise<Invitation | null>;
  /** A key to a waiting run by its hash, expired or not. */
  runKey(hash: string): Promise<RunKey | null>;
  /** Token hashes of the user's sessions. */
  sessionsOf(
    userId: number,
  ): Promise<readonly { readonly tokenHash: string; readonly impersonatorId: number | null }[]>;
  /** The user's authenticators, the oldest first. */
  authenticatorsOf(userId: number): Promise<readonly Authenticator[]>;
  /** By the id of a passkey's credential. */
  authenticatorByCredential(credential: string): Promise<Authenticator | null>;
  /** Hashes of the recovery codes that were not used yet. */
  recoveryCodes(uuid: string): Promise<readonly string[]>;
  /** What the user gave to this receiver, if it holds. */
  consent(userId: number, givenTo: ConsentReceiver): Promise<Consent | null>;
  /**
   * The user's password hash. For nobody, and for who has none, somebody else's, `draw` says whose: comparing with it
   * costs what comparing with an account's own does.
   */
  hashToCompare(
    userId: number | null,
    draw: number,
  ): Promise<{ readonly hash: string; readonly isOwn: boolean } | null>;
}

/** So many password hashes of a user are kept, the present one included. */
export const longestHistory = 30;

/** How a password check ended. */
export interface PasswordCheck {
  readonly ok: boolean;
  /** Present when the stored hash is outdated and should be replaced. */
  readonly renewed: string | null;
  readonly stored: string | null;
}

/** Work that needs the outside: adapters behind it. */
export interface Tools {
  /** Milliseconds since the epoch. */
  now(): number;
  /** A fresh id for a user to be made in this commit. */
  newUserId(): Promise<number>;
  hashPassword(password: string): Promise<string>;
  /** Costs one hash whether or not the user exists or has a password. */
  verifyPassword(userId: number | null, password: string, identifier: string): Promise<PasswordCheck>;
  /** Whether the password gives a stored hash of any known format; costs that hash. */
  matchesHash(password: string, stored: string): Promise<boolean>;
  /**
   * How hard a password is to guess, from 0 to 4 (zxcvbn), counted outside of this thread.
   *
   * @param known what a guesser may know of its owner
   * @throws Error when it takes too long; DoorwardError `too_busy`
   */
  passwordScore(password: string, known: readonly string[]): Promise<number>;
  /** What stages need to know of mail. */
  readonly mail: {
    /** Where links begin: the public origin and the path of the mount, never what a Host header says. */
    readonly linkBase: string;
    /** Why flows that send mail are refused here (for the log), or null. */
    readonly refused: string | null;
    hasTemplate(name: string): boolean;
  };
  /** Keyed digest of a setup secret or token. */
  hashToken(token: string): string;
  /** Keyed digests of a recovery code of this authenticator, by each secret key; the first is the one to keep. */
  codeHashes(authenticator: string, code: string): readonly [string, ...string[]];
  /** The brand's name, as authenticators show it. */
  readonly brandName: string;
  log(level: 'info' | 'warn', message: string, fields: JsonObject): void;
  /** The schema of attributes; null when none is configured. */
  readonly profile: Profile | null;
  readonly expressions: Expressions;
  readonly expressionHosts: ExpressionHosts;
  readonly outbound: Outbound;
  readonly limits: Limits;
  /** The service of known stolen passwords, where a policy names no other; five hexadecimal digits are put after it. */
  readonly breachCheckUrl: string;
  readonly whereabouts: Whereabouts;
}

/** The room `policies` answers. */
export interface Policies {
  evaluate(bound: Bound, request: PolicyRequest, read: Reads): Promise<PolicyResult>;
}

/** One transaction: the runs' steps and everything that they asked for. */
export interface Commit {
  /** Unique; kept on the run, so that after a lost connection one can tell whether this commit happened. */
  readonly id: string;
  readonly runs: readonly RunWrite[];
  readonly effects: readonly Effect[];
}

/**
 * `insert` for a run that has no row yet (`replaces` names an open run of the same session and flow that can no longer
 * be used); `update` is guarded by the version that was read.
 */
export interface RunWrite {
  readonly mode: 'insert' | 'update';
  /** The run as it is to be, `seq` already counted up. */
  readonly run: Run;
  readonly replaces?: string;
}

/** `lost`: another request moved this run first; load it and show what it says. */
export type CommitAnswer =
  | { readonly status: 'done' }
  | { readonly status: 'lost' }
  | { readonly status: 'refused'; readonly refusal: Refusal };

/** The application's own code inside a commit; the room `app` answers. */
export interface Hooks {
  /** Milliseconds that one statement of it may take. */
  readonly limitMs: number;
  /** A refusal rolls the whole commit back. May be called again for the same commit after a lost connection. */
  userWrite(written: UserWritten, tx: HookTransaction): Promise<Refusal | null>;
}

/** What one query brings of the visitor and their run. */
export interface Loaded {
  /** The flow's current version; null when there is no such flow. */
  readonly flowVersion: number | null;
  /** null for an anonymous, ended or expired session. */
  readonly signedIn: { readonly session: Session; readonly user: User; readonly impersonator: User | null } | null;
  /** The newest run of this session (or of the session before its sign-in), flow and variant; open or ended. */
  readonly run: Run | null;
}

/** The room `store` answers. */
export interface Store {
  load(key: {
    readonly sessionHash: string;
    readonly flow: string;
    readonly variant: string;
    readonly now: number;
  }): Promise<Loaded>;
  /** The run that a key was made for, with the key; expired or not. */
  waiting(hash: string): Promise<{ readonly key: RunKey; readonly run: Run } | null>;
  /** An approval and the run that waits for it. What was said is not older than the run. */
  approval(uuid: string): Promise<(ApprovalFile & { readonly run: Run }) | null>;
  commit(commit: Commit): Promise<CommitAnswer>;
  readonly read: Reads;
}
