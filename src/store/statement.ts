import type { Effect, Refusal } from '../engine/effects.ts';
import type { Keyring } from '../kernel/secrets.ts';
import type { Statement } from './driver.ts';
import type { Sql } from './sql.ts';

/** What the statements of one commit have in common. */
export interface Setting {
  readonly now: number;
  readonly keyring: Keyring;
  /** Ids of the runs that the commit itself writes: ending a session spares them. */
  readonly ownRuns: readonly string[];
  /** Sessions that get a new id in this commit: the old one by the new one. */
  readonly renewed: ReadonlyMap<string, string>;
}

type Kind = Effect['kind'];

/** The effect of one kind. */
export type EffectOf<K extends Kind> = Extract<Effect, { readonly kind: K }>;

/** One effect as statements. */
export type Compile<K extends Kind> = (effect: EffectOf<K>, setting: Setting) => readonly Statement[];

/** Of each kind, how it is carried out. */
export type Compilers<K extends Kind> = { readonly [Each in K]: Compile<Each> };

/** Carried out however many rows it finds. */
export function one(effect: Kind, touches: readonly string[], statement: Sql): Statement {
  return { effect, touches, sql: statement };
}

/** Writes exactly one row, or the commit is refused. */
export function must(otherwise: Refusal, touches: readonly string[], statement: Sql): Statement {
  return { effect: otherwise.effect, touches, sql: statement, expect: 1, otherwise };
}
