import type { ApplyOptions } from '../blueprints/plan.ts';
import type { ProofMode } from '../blueprints/proof/codes.ts';
import type { TypedFlow } from '../blueprints/typed/flow.ts';
import type { HookTransaction, UserWritten } from '../engine/hooks.ts';
import type { AnyPolicy } from '../engine/policy.ts';
import type { AnyStage } from '../engine/stage.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Database } from '../store/open.ts';
import type { RateLimitOptions } from './rate-limits.ts';
import type { RetentionOptions } from './retention.ts';

/** Where the data lives. */
export type DatabaseOption = Database;

/** What a password hasher must do; the built-in one is argon2id in a bounded pool. */
export interface Hasher {
  hash(password: string): Promise<string>;
  verify(stored: string, password: string): Promise<{ readonly ok: boolean; readonly renew: boolean }>;
  /** Costs what a `verify` costs and always fails; for identifiers that do not exist. */
  decoy(password: string, format?: string): Promise<void>;
}

/** A blueprint to apply at start. */
export interface BlueprintSource {
  /** For error messages. */
  readonly name: string;
  /** YAML. */
  readonly text: string;
}

/** A folder of blueprints, and what they may do. */
export interface BlueprintsFolder extends Pick<ApplyOptions, 'context' | 'env' | 'filesDir' | 'skipUnsupported'> {
  readonly path: string;
}

/** The application's code in the transaction that writes a user. What it throws rolls everything back. */
export type UserWriteHook = (call: UserWritten & { readonly tx: HookTransaction }) => Promise<void> | void;

/** The application's own code, by when it is called. It may not call the provider itself. */
export interface HookOptions {
  /** When a user write stage wrote a user, before the commit ends; not in dry runs. */
  readonly userWrite?: UserWriteHook;
}

/** An address that is told of events after their commit, by the Standard Webhooks scheme. */
export interface WebhookOption {
  readonly url: string;
  /** `whsec_` and base64 of 24 to 64 bytes; `new,old` while rotating: then both sign. */
  readonly secret: string;
  /** Actions of events; `user_write` alone by default. */
  readonly events?: readonly string[];
}

/** How mail leaves, and what it looks like. */
export interface MailOptions {
  /** `smtp://name:password@host:587` or `smtps://…`. Without one messages are kept in the outbox, to be read there. */
  readonly smtp?: string;
  /** `Name <address>`; no-reply@ the public host by default. */
  readonly from?: string;
  /** Folder of templates that stand in place of the product's own; see docs/mail.md. */
  readonly templates?: string;
  /** Why flows that send mail are refused here, for the log: the public address is not known, say. */
  readonly refused?: string;
}

/**
 * City and country of an address in a language (`en`, `de`), as people read them; null where nobody knows. It is asked when
 * a page or a message shows the place, and has a second.
 */
export type Locate = (address: string, locale: string) => string | null | Promise<string | null>;

/**
 * Files in MaxMind's format, read again when they change; or a function of your own, which says where an address is and
 * binds no session.
 */
export type PlacesOption = PlacesFiles | Locate;

/** Files that the operator keeps; each may be missing. */
export interface PlacesFiles {
  /** City or Country: shows places, and binds sessions to them. */
  readonly file?: string;
  /** ASN or ISP: binds sessions to a network. */
  readonly asnFile?: string;
}

/** Options of `createDoorward` (CONTRACT: Library). It reads no environment; `doorward serve` maps that to these. */
export interface DoorwardOptions {
  readonly database: DatabaseOption;
  /** At least 32 bytes; `new,old` while rotating. */
  readonly secretKey: string;
  /** Origin (and nothing else) that people reach this server at, for links and cookies: `https://id.example.com`. */
  readonly publicUrl: string;
  /**
   * Path of your application below which Doorward answers, such as `/auth`: pass it the requests for `/auth` and below.
   * None by default.
   */
  readonly basePath?: string;
  /** Accepted besides it for local work, such as `http://127.0.0.1:9000`. */
  readonly alsoOrigins?: readonly string[];
  /** Applied in order after the shipped flows, each start; idempotent. */
  readonly blueprints?: readonly BlueprintSource[];
  /**
   * What becomes of flows in which the proof finds that something can happen that must not (docs/proof.md): `refuse`
   * applies nothing with an error in it, `warn` (the default) logs and applies, `off` does not look.
   */
  readonly proof?: ProofMode;
  /**
   * Every .yaml and .yml below this folder is applied at start, after `blueprints`, and again when it changes. A file that
   * is wrong is logged, and what it had made stays as it is. Relative to the working directory.
   */
  readonly blueprintsDir?: string | BlueprintsFolder;
  /**
   * Flows in code (`defineFlow`), applied after the blueprints where they are missing or their code has changed. One that
   * is taken out of the code stays until a blueprint deletes it (`state: absent`).
   */
  readonly flows?: readonly TypedFlow[];
  /** Stages of your own, besides the shipped ones. */
  readonly stages?: readonly AnyStage[];
  /** Policies of your own, besides the shipped ones. */
  readonly policies?: readonly AnyPolicy[];
  readonly hasher?: Hasher;
  /** CIDRs whose forwarding headers count; none by default. */
  readonly trustedProxies?: readonly string[];
  /**
   * JSON Schema (draft 2020-12 or 7) for users' attributes, checked when they are written. `x-doorward-write` lists who
   * may write an attribute: visitor, administrator, source, invitation, library.
   */
  readonly profileSchema?: object | undefined;
  /** Name, logo, favicon, accent, background, links. */
  readonly brand?: unknown;
  /** How long what nobody needs any more is kept. */
  readonly retention?: RetentionOptions;
  /**
   * Where addresses are, to show it beside them (sessions, messages, who asked) and to bind sessions to it
   * (docs/administration.md). By default addresses stand alone.
   */
  readonly places?: PlacesOption;
  readonly clock?: Clock;
  /** Structured log lines; nothing by default. Never holds prompted values or secrets. */
  readonly log?: Log;
  /** Administrators may act as other administrators, too; off by default. */
  readonly impersonateAdministrators?: boolean;
  /**
   * Counters against guessing, and budgets of work that costs (docs/rate-limits.md): on by default, `false` for drills
   * and private networks, or what differs from the default budgets.
   */
  readonly rateLimits?: boolean | RateLimitOptions;
  readonly hooks?: HookOptions;
  /** Milliseconds that a hook may take; 2,000 by default. */
  readonly hookTimeoutMs?: number;
  readonly webhooks?: readonly WebhookOption[];
  readonly mail?: MailOptions;
  /**
   * Names of the servers that expressions may ask with `requests` and `resolve_dns`; none by default. One at a private
   * address counts only where the address itself is named, too.
   */
  readonly expressionHosts?: readonly string[];
  /** Milliseconds that an expression may take, its questions to the server not counted; 100 by default. */
  readonly expressionLimitMs?: number;
  /**
   * Where password policies that check it ask for known stolen passwords: an address that speaks as Have I Been Pwned
   * does, and that the first five hexadecimal digits of a SHA-1 are put after. https://api.pwnedpasswords.com/range/ by
   * default.
   */
  readonly breachCheckUrl?: string;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;
