import type { Json, JsonObject } from '../kernel/json.ts';
import type { Approval, ApprovalWord } from './approval.ts';
import type { AuthenticatorUse, NewAuthenticator } from './authenticator.ts';
import type { Consent } from './consent.ts';
import type { UserWritten } from './hooks.ts';
import type { Invitation, InvitationChanges } from './invitation.ts';
import type { Provenance } from './provenance.ts';
import type { RunKey } from './run-key.ts';
import type { Group, Session, Token, User, UserChanges } from './user.ts';

/**
 * A change that a stage asks for, as data. Only `store/commit.ts` carries effects out, all of one commit in one
 * transaction. Order within a commit does not matter: no effect reads what another one of the same commit wrote.
 */
export type Effect =
  | {
      readonly kind: 'user.create';
      readonly user: User;
      readonly passwordHash: string | null;
      readonly provenance?: Provenance;
    }
  /** Refused with `changed` when the row is no longer at `version`. */
  | {
      readonly kind: 'user.update';
      readonly id: number;
      readonly version: number;
      readonly set: UserChanges;
      /** All that is known afterwards, not only of what changes here. */
      readonly provenance?: Provenance;
    }
  | { readonly kind: 'user.delete'; readonly id: number }
  /** `lastLogin` alone: no version, it conflicts with nothing. */
  | { readonly kind: 'user.seen'; readonly id: number; readonly at: number }
  /**
   * The user proved that this address is theirs. No version; does nothing when it is not their address any more, or
   * somebody else verified it before: whose it was stays whose it is.
   */
  | { readonly kind: 'user.email_verified'; readonly id: number; readonly email: string; readonly at: number }
  | { readonly kind: 'password.set'; readonly userId: number; readonly hash: string; readonly at: number }
  /** Renews an outdated hash after a successful sign-in; does nothing when the password was changed meanwhile. */
  | { readonly kind: 'password.renew'; readonly userId: number; readonly from: string; readonly to: string }
  | { readonly kind: 'group.create'; readonly group: Group }
  | { readonly kind: 'group.update'; readonly pk: string; readonly set: Partial<Omit<Group, 'pk'>> }
  | { readonly kind: 'group.delete'; readonly pk: string }
  /** Already a member: nothing happens. */
  | { readonly kind: 'group.join'; readonly group: string; readonly userId: number }
  | { readonly kind: 'group.leave'; readonly group: string; readonly userId: number }
  | { readonly kind: 'session.begin'; readonly session: Session }
  /** The same session under a new id (after a password change, W36). Refused with `used` when it is gone. */
  | { readonly kind: 'session.renew'; readonly from: string; readonly to: string }
  | { readonly kind: 'session.touch'; readonly tokenHash: string; readonly at: number; readonly address: string }
  /**
   * Ends one session, or all of a user's own but one; open runs of an ended session end with it. Sessions in which an
   * administrator acts as the user (`impersonatorId`) are not that user's own: `end_all` leaves them (W36).
   */
  | {
      readonly kind: 'session.end';
      readonly tokenHash: string;
      /** Refused with `used` when it has ended already. */
      readonly once?: true;
    }
  | { readonly kind: 'session.end_all'; readonly userId: number; readonly except: string | null }
  /** Gives up the open runs of a session. */
  | { readonly kind: 'run.drop'; readonly session: string }
  | { readonly kind: 'connection.save'; readonly userId: number; readonly source: string; readonly identifier: string }
  /** Refused with `missing` unless it is this user's. */
  | { readonly kind: 'connection.remove'; readonly uuid: string; readonly userId: number }
  /** Takes the place of an older one to the same receiver. */
  | { readonly kind: 'consent.give'; readonly consent: Consent }
  /** Refused with `missing` unless it is this user's. */
  | { readonly kind: 'consent.withdraw'; readonly uuid: string; readonly userId: number }
  | { readonly kind: 'event'; readonly event: NewEvent }
  | { readonly kind: 'outbox'; readonly message: NewMessage }
  /** The application's own statements, last in the same transaction; refused with `vetoed`. Nothing without a hook. */
  | { readonly kind: 'hook.user_write'; readonly written: UserWritten }
  /** Counts one failed attempt in a window; refused with `limited` when `limit` were counted before. */
  | {
      readonly kind: 'attempt.fail';
      readonly bucket: string;
      readonly limit: number;
      readonly windowMs: number;
      readonly at: number;
    }
  /** Counts a new user in a window; refused with `limited` when `limit` were counted before. */
  | {
      readonly kind: 'attempt.sign_up';
      readonly bucket: string;
      readonly limit: number;
      readonly windowMs: number;
      readonly at: number;
    }
  /**
   * Clears the count after a success; refused with `limited` when `limit` failures were counted before. So a success
   * is disclosed only if the guard still allowed it (CONTRACT: Outcomes). A counter of many subjects keeps its count:
   * who is right about themselves may have been wrong about others.
   */
  | {
      readonly kind: 'attempt.succeed';
      readonly bucket: string;
      readonly limit: number;
      readonly windowMs: number;
      readonly at: number;
      readonly keepsCount?: true;
    }
  /** Happens once under its name within a time; refused with `used` the next time, also where counting is turned off. */
  | { readonly kind: 'once'; readonly name: string; readonly windowMs: number; readonly at: number }
  /** Adds to the score of a subject at an address, within `reputationBounds`. */
  | {
      readonly kind: 'reputation.add';
      readonly subject: string;
      readonly address: string;
      readonly by: -1 | 1;
      readonly at: number;
    }
  /** Uses the one-time secret of the initial setup; refused with `used` when it is gone or an administrator exists. */
  | { readonly kind: 'setup.claim'; readonly secretHash: string }
  /** A link into a flow takes the place of the user's older one of the same purpose. */
  | { readonly kind: 'token.create'; readonly token: Token }
  /** Uses a one-time token up; refused with `used` when it is gone or has expired. */
  | { readonly kind: 'token.claim'; readonly hash: string; readonly at: number }
  | { readonly kind: 'token.revoke'; readonly uuid: string }
  | { readonly kind: 'invitation.make'; readonly hash: string; readonly invitation: Invitation }
  /** Refused with `missing` when it is gone. */
  | { readonly kind: 'invitation.change'; readonly uuid: string; readonly set: InvitationChanges }
  | { readonly kind: 'invitation.revoke'; readonly uuid: string }
  /** Counts a use; refused with `used` when it is gone, has expired, or is good once and was used. */
  | { readonly kind: 'invitation.use'; readonly uuid: string }
  /** A new key to a run makes the older ones of the same step void. */
  | { readonly kind: 'run_key.make'; readonly key: RunKey }
  /** Uses a key up, by its link or its code; refused with `used` when it is gone or has expired. */
  | { readonly kind: 'run_key.use'; readonly hash: string; readonly at: number }
  /** Takes the place of an older one of the same step. */
  | { readonly kind: 'approval.ask'; readonly approval: Approval }
  /** Refused with `used` when this user said something before. */
  | { readonly kind: 'approval.say'; readonly approval: string; readonly word: ApprovalWord }
  /** Refused with `used` when it is decided already. */
  | {
      readonly kind: 'approval.close';
      readonly approval: string;
      readonly status: Exclude<Approval['status'], 'waiting'>;
    }
  /** Refused with `used` when somebody else reminded, or it is decided. */
  | { readonly kind: 'approval.remind'; readonly approval: string }
  /** Refused with `taken` (field `credential`) when the passkey is known already, whoever has it. */
  | { readonly kind: 'authenticator.add'; readonly authenticator: NewAuthenticator }
  /** Refused with `used` when it was used up to there before, or is gone: a code is good once. */
  | {
      readonly kind: 'authenticator.use';
      readonly uuid: string;
      readonly userId: number;
      readonly use: AuthenticatorUse;
      readonly at: number;
    }
  /** Refused with `missing` unless it is this user's. */
  | { readonly kind: 'authenticator.rename'; readonly uuid: string; readonly userId: number; readonly name: string }
  | { readonly kind: 'authenticator.remove'; readonly uuid: string; readonly userId: number };

/** An audit record, before it has an id. */
export interface NewEvent {
  readonly action: string;
  /**
   * The user it is about or who did it; null for an anonymous visitor. While an administrator acts as a user, the
   * administrator (UW-53); `eventActor` says who.
   */
  readonly user: { readonly pk: number; readonly username: string } | null;
  /** The user whom that administrator acted as. */
  readonly onBehalfOf?: { readonly pk: number; readonly username: string };
  readonly context: JsonObject;
  readonly address: string;
  readonly requestId: string;
  readonly flow: string | null;
  readonly at: number;
}

/** Mail or a webhook that leaves after the commit. */
export interface NewMessage {
  readonly kind: 'mail' | 'webhook';
  /** Where it goes: each channel is delivered by itself, so that one that is dead holds no other. */
  readonly channel: string;
  /** Messages of one user leave in order, in each channel. */
  readonly userId: number | null;
  readonly payload: JsonObject;
  readonly at: number;
}

/** Why a commit was rolled back. */
export interface Refusal {
  /**
   * `taken`: a unique value is somebody else's. `changed`: the row was written meanwhile. `missing`: it is gone.
   * `last_administrator`: nobody active would be left who may administer.
   */
  readonly reason:
    | 'taken'
    | 'changed'
    | 'missing'
    | 'used'
    | 'limited'
    | 'vetoed'
    | 'last_administrator'
    | 'constraint';
  /** The kind of the effect that was refused. */
  readonly effect: Effect['kind'];
  readonly field?: string;
  readonly detail?: Json;
}
