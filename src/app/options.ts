import type { AnyStage } from '../engine/stage.ts';
import type { Clock } from '../kernel/clock.ts';

/** Where the data lives. */
export type DatabaseOption = { readonly sqlite: string } | { readonly postgres: string };

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

/** Options of `createDoorward` (CONTRACT: Library). It reads no environment; `doorward serve` maps that to these. */
export interface DoorwardOptions {
  readonly database: DatabaseOption;
  /** At least 32 bytes; `new,old` while rotating. */
  readonly secretKey: string;
  /** Origin (and nothing else) that people reach this server at, for links and cookies: `https://id.example.com`. */
  readonly publicUrl: string;
  /** Accepted besides it for local work, such as `http://127.0.0.1:9000`. */
  readonly alsoOrigins?: readonly string[];
  /** Applied in order after the shipped flows, each start; idempotent. */
  readonly blueprints?: readonly BlueprintSource[];
  /** Stages of your own, besides the shipped ones. */
  readonly stages?: readonly AnyStage[];
  readonly hasher?: Hasher;
  /** CIDRs whose forwarding headers count; none by default. */
  readonly trustedProxies?: readonly string[];
  /** Name, logo, favicon, accent, background, links. */
  readonly brand?: unknown;
  readonly clock?: Clock;
  /** Structured log lines; nothing by default. Never holds prompted values or secrets. */
  readonly log?: Log;
  /** Counters against guessing (CONTRACT: Limits); on by default. */
  readonly rateLimits?: boolean;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;
