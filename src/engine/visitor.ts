import type { Remembered } from './remembered.ts';
import type { Session, User } from './user.ts';

/** Who is at the door. */
export interface Visitor {
  readonly user: User | null;
  readonly impersonator: User | null;
  /** null for an anonymous visitor. */
  readonly session: Session | null;
  readonly address: string;
  readonly agent: string;
  /** BCP 47, one of the catalogues' languages. */
  readonly locale: string;
  readonly origin: string;
  readonly requestId: string;
  /** What this browser is trusted with beyond its session. */
  readonly remembered?: readonly Remembered[];
  /** The page's own query (`next`, …); absent without a browser. */
  readonly query?: Readonly<Record<string, string>>;
}
