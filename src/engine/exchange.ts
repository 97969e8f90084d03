import type { Challenge } from '../protocol/challenge.ts';
import type { Locale } from '../protocol/localize.ts';
import type { FieldProblems, Text } from '../protocol/text.ts';
import type { CompiledFlow } from './flow.ts';
import type { Response } from './stage.ts';

/** One request to a flow, as HTTP understood it. The engine sees no Request object. */
export interface StepInput {
  readonly slug: string;
  /** The browser's session token; anonymous browsers have one too (HTTP mints it), without a row. */
  readonly sessionToken: string;
  /** The token was minted for this very request, so nothing is stored under it yet. */
  readonly newcomer: boolean;
  /** Minted too, to go on with when the session behind `sessionToken` is gone; absent for an anonymous browser. */
  readonly freshToken?: string;
  /** The page's own query: `next`, `itoken`, `flow_token`, `setup` … */
  readonly query: Readonly<Record<string, string>>;
  /** null for a GET. */
  readonly answer: { readonly body: Response; readonly stepToken: string | null } | null;
  /** A navigation from another site, or a prefetch: it may change its own run and nothing else. */
  readonly cautious: boolean;
  /** The cookie of what the browser is trusted with (`remembered.ts`); absent without one. */
  readonly remembered?: string | null;
  readonly address: string;
  readonly agent: string;
  readonly acceptLanguage: string | null;
  /** Origin that links are made with. */
  readonly origin: string;
  readonly requestId: string;
}

/** What the visitor is shown. */
export interface StepReply {
  readonly challenge: Challenge;
  /** Present when the answer was wrong. */
  readonly problems: FieldProblems | null;
  /** null when the flow is gone. */
  readonly flow: CompiledFlow | null;
  /** The title with its placeholders filled in. */
  readonly title: string;
  /** Whom the challenge shows as the user; '' for nobody. */
  readonly pendingUser: string;
  readonly messages: readonly Text[];
  /** Username of the user whom an administrator acts as here; null for everybody else. */
  readonly actingAs: string | null;
  /** To be sent back with the answer; names run and step, bound to the session. */
  readonly stepToken: string | null;
  /**
   * The browser's session changes: a new token (`expiresAt` null: of a browser in which nobody is signed in); its 'end';
   * 'fresh': it was gone, and `freshToken` takes its place.
   */
  readonly session:
    | { readonly token: string; readonly persistent: boolean; readonly expiresAt: number | null }
    | 'end'
    | 'fresh'
    | null;
  /** What that cookie is to hold from now on, and how long; absent where it stays as it is. */
  readonly remember?: { readonly value: string; readonly until: number };
  readonly locale: Locale;
}
