import type { Json } from '../kernel/json.ts';
import type { User } from './user.ts';

/** What a user write did, for the application's own hook. */
export interface UserWritten {
  /** The user as the write leaves it, with the real id. */
  readonly user: User;
  readonly created: boolean;
  /** What became different, by field (`email`, `is_active`) or path (`attributes.company.name`). Never a password. */
  readonly changes: Readonly<Record<string, HookChange>>;
  /** A password was set; what it is stays with the product. */
  readonly passwordSet: boolean;
}

/** One field; `before` is null where nothing stood. */
export interface HookChange {
  readonly before: Json;
  readonly after: Json;
}

/** What a statement's placeholder may stand for. */
export type HookParam = string | number | boolean | null;

/** The transaction that writes the user, for the application's own statements. It ends with the hook. */
export interface HookTransaction {
  readonly dialect: 'sqlite' | 'postgres';
  /**
   * One statement, with the rows that it returns. Placeholders are the database's own: `?` on SQLite, `$1` on
   * PostgreSQL. A statement that fails ends the whole write, even if the error is caught.
   */
  query(sql: string, params?: readonly HookParam[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
}
