import type { Locale } from '../protocol/localize.ts';
import type { ApprovalFile, NewWord } from './approval.ts';

/**
 * A one-time key to a waiting run, for somebody who may be elsewhere: a link, and perhaps a short code that says the
 * same. It is good for one step of one version of one flow, and used up by one guarded statement, whichever was used.
 */
export interface RunKey {
  /** Of the link's token; plain, since a token has full entropy. */
  readonly hash: string;
  /** Keyed hash of the code; null without one. */
  readonly codeHash: string | null;
  /** What it was made for: `email`. */
  readonly purpose: string;
  readonly flow: string;
  readonly version: number;
  readonly run: string;
  readonly binding: string;
  /** Whom it is about; null for somebody who has no account (yet, or at all). */
  readonly userId: number | null;
  /** The address that it proves. */
  readonly address: string;
  /** Who asked for it, as they were then: the run goes on by this, whoever uses the key. */
  readonly asked: { readonly agent: string; readonly address: string; readonly locale: Locale; readonly at: number };
  /** Whoever uses the link goes on in the place of who asked; else who asked goes on, and whoever used it is done. */
  readonly takesOver: boolean;
  readonly expiresAt: number;
}

/** What somebody outside of a run says to it. */
export type Signal =
  | {
      readonly kind: 'link';
      /** The key that it was found by; it is live, and good for this very step. */
      readonly key: RunKey;
      /** Who says it, if they are signed in where they say it. */
      readonly by: number | null;
    }
  /** Who says it may, and has not before. */
  | { readonly kind: 'approval'; readonly file: ApprovalFile; readonly word: NewWord };
