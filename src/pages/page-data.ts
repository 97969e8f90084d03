import type { Inspected } from '../app/inspection.ts';
import type { StepReply } from '../engine/exchange.ts';
import type { User } from '../engine/user.ts';
import type { ErrorCode } from '../kernel/errors.ts';
import type { Permission } from '../protocol/challenge.ts';
import type { Locale } from '../protocol/localize.ts';
import type { Text } from '../protocol/text.ts';
import type { Brand } from './brand.ts';
import type { ShownProvenance } from './provenance-line.tsx';
import type { QrCode } from './qr-code.ts';

/** An administrator acts as this user; every page says so, and lets them stop. */
export interface Acting {
  readonly username: string;
  /** Sent back as `step` by the form that stops it. */
  readonly csrf: string;
}

/** What the page of a flow is made of. */
export interface FlowPageData {
  readonly reply: StepReply;
  readonly brand: Brand;
  /** Where the form is sent: the page's own path and query. */
  readonly action: string;
  /** What the visitor typed in the answer that failed; passwords may be in it and are never shown. */
  readonly values: Readonly<Record<string, string | readonly string[]>>;
  /** The page's query, which links to other flows take along. */
  readonly query: string;
  /** Of the key for an authenticator app. */
  readonly qrCode?: QrCode | null;
  readonly acting?: Acting | null;
  /** The run behind the page, where an administrator asked to see it. */
  readonly inspector?: { readonly inspected: Inspected; readonly open: boolean } | null;
}

/** What the page of one component is made of. */
export interface ChallengeProps<Challenge> {
  readonly data: FlowPageData;
  readonly challenge: Challenge;
}

/** A session as the account page lists it. Times are milliseconds since the epoch. */
export interface ListedSession {
  readonly uuid: string;
  /** The one that the page is asked with. */
  readonly current: boolean;
  /** The User-Agent header; the page puts it into words. */
  readonly device: string;
  readonly address: string;
  /** Where the address is; null where nobody knows. */
  readonly place: string | null;
  readonly lastUsedAt: number;
  readonly createdAt: number;
}

/** An authenticator as the account page lists it. Times are milliseconds since the epoch. */
export interface ListedAuthenticator {
  readonly uuid: string;
  readonly kind: 'totp' | 'static' | 'webauthn' | 'email';
  readonly name: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  readonly codesLeft: number;
}

/** A link to an identity provider. Times are milliseconds since the epoch. */
export interface ListedConnection {
  readonly uuid: string;
  readonly source: string;
  readonly identifier: string;
  readonly createdAt: number;
}

/** A consent as the account page lists it. Times are milliseconds since the epoch. */
export interface ListedConsent {
  readonly uuid: string;
  /** The application's name, or the flow's title. */
  readonly name: Text;
  readonly wording: string;
  readonly permissions: readonly Permission[];
  readonly givenAt: number;
  /** null: until it is withdrawn. */
  readonly expiresAt: number | null;
}

/** Something that can be set up. */
export interface AddableAuthenticator {
  readonly href: string;
  /** Kind of the stage: `authenticator_totp`. */
  readonly kind: string;
  /** An administrator's own words. */
  readonly title: string | null;
}

/** What the account page is made of. */
export interface AccountPageData {
  readonly user: Pick<User, 'username' | 'name' | 'email' | 'emailVerifiedAt' | 'passwordChangedAt' | 'attributes'>;
  readonly provenance: ShownProvenance;
  readonly authenticators: readonly ListedAuthenticator[];
  readonly addable: readonly AddableAuthenticator[];
  /** Slug of the flow in which one's address is confirmed; null where there is none. */
  readonly confirm: string | null;
  readonly connections: readonly ListedConnection[];
  readonly consents: readonly ListedConsent[];
  /** For those who decide what others ask for. */
  readonly approvals: { readonly waiting: number } | null;
  /** Slug of the flow to leave by; null where there is none. */
  readonly leave: string | null;
  readonly sessions: readonly ListedSession[];
  readonly brand: Brand;
  readonly locale: Locale;
  /** Sent back as `step` by the page's forms. */
  readonly csrf: string;
  readonly notice: Text | null;
  readonly acting?: Acting | null;
}

/** What a page outside of any flow is made of. */
export interface ErrorPageData {
  readonly status: number;
  readonly code: ErrorCode;
  /** By default what the status means. */
  readonly title?: Text;
  /** By default the catalogue's text of the code. */
  readonly text?: Text;
  readonly brand: Brand;
  readonly locale: Locale;
  readonly requestId: string;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
  readonly acting?: Acting | null;
}
