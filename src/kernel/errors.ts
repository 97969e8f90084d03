/**
 * One class, one coded table. An error has a code (for programs), a status (for HTTP), a text that is safe for the
 * visitor (in the catalogues, by code) and a detail that goes to the log alone.
 */
const statuses = {
  /** No flow of that name. */
  flow_not_found: 404,
  not_found: 404,
  method_not_allowed: 405,
  unsupported_media_type: 415,
  unreadable_body: 400,
  invalid_request: 400,
  body_too_large: 413,
  foreign_origin: 403,
  not_authenticated: 401,
  forbidden: 403,
  /** A change of authenticators takes a fresh sign-in. */
  proof_required: 403,
  /** A program's token that is unknown, void or expired (the reference answers 403). */
  invalid_token: 403,
  rate_limited: 429,
  /** The hash pool's queue is full: come back in a moment. Nothing is broken, so it is no 5xx. */
  too_busy: 429,
  /** The database is away, locked for too long, or its disk is full. The same step can be sent again. */
  store_unavailable: 503,
  shutting_down: 503,
  internal: 500,
  /** An option or environment variable is wrong; the detail names it. Raised at start, never to a visitor. */
  configuration: 500,
  /** A blueprint is wrong; the detail gives file, line and column. */
  blueprint: 400,
  /** An account change that a rule refuses (taken, changed meanwhile, vetoed …) outside of a flow. */
  refused: 409,
  /** A change that would leave nobody active who may administer. */
  last_administrator: 409,
  /** A change that would leave its owner without a way to sign in. */
  only_sign_in: 409,
} as const;

/** A Doorward error's code: switch on this, never on `instanceof`. */
export type ErrorCode = keyof typeof statuses;

/** Every error code, for the catalogues and the tests. */
export const errorCodes = Object.keys(statuses) as readonly ErrorCode[];

/**
 * The one error class. `detail` is for operators (log, terminal) and is never shown to a visitor.
 *
 * @example
 * throw new DoorwardError('flow_not_found', `no flow has the slug ${slug}`);
 */
export class DoorwardError extends Error {
  override readonly name = 'DoorwardError';
  readonly code: ErrorCode;
  /** HTTP status code. */
  readonly status: number;
  readonly detail: string;
  /** Seconds until another try is useful (429 and 503). */
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, detail: string, options: { cause?: unknown; retryAfter?: number } = {}) {
    super(`${code}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = statuses[code];
    this.detail = detail;
    this.retryAfter = options.retryAfter;
  }
}

/** Whether a thrown value is a Doorward error; works across two copies of the package. */
export function isDoorwardError(error: unknown): error is DoorwardError {
  return error instanceof Error && error.name === 'DoorwardError' && 'code' in error && 'status' in error;
}
