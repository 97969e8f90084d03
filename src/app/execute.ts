import { isSupportedHash } from '../adapters/password/formats.ts';
import { type PlanContext, promptPairs } from '../engine/plan-context.ts';
import { languageSetting } from '../engine/scene.ts';
import { runUnattended, type UnattendedEnd } from '../engine/unattended.ts';
import type { User } from '../engine/user.ts';
import type { Visitor } from '../engine/visitor.ts';
import type { World } from '../engine/world.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { newUuid } from '../kernel/ids.ts';
import { isPlainObject, type JsonObject } from '../kernel/json.ts';
import { isStorable } from '../kernel/text.ts';
import type { WireChallenge } from '../protocol/challenge.ts';
import { chooseLocale, type Locale, localize, localizeDeep } from '../protocol/localize.ts';
import { type FieldProblems, type Text, text, wholeForm } from '../protocol/text.ts';
import type { Users } from './users.ts';

/** Names a user. */
export type UserReference = { readonly username: string } | { readonly pk: number };

/** What a flow without a browser is given. */
export interface ExecuteOptions {
  /** The user acted as; nobody by default. */
  readonly visitor?: UserReference | null;
  /** The real person, when they act as the visitor. */
  readonly impersonator?: UserReference | null;
  /** The user that the flow is about; beats the context's `pending_user`. */
  readonly pendingUser?: UserReference | null;
  /**
   * The plan context by the reference's keys: `prompt_data` (an object, or a list of pairs where the order counts),
   * `groups` (names or pks), `user_type`, `user_path`, `pending_user` (a reference), `source` (a source's name, or
   * `{ source, identifier, isNew }`), and keys of your own.
   */
  readonly context?: Readonly<Record<string, unknown>>;
  /** Nothing is left behind, and the report shows each field before and after. */
  readonly dryRun?: boolean;
  /** Runs of a flow with the same key happen once; later ones get the first one's result (for 30 days). */
  readonly key?: string;
  /** `password_hash` in `prompt_data` is taken as the password (W11b). */
  readonly trustedHashes?: boolean;
  /** `email_verified` in `prompt_data` says whether the address is known to be the user's (W11c). */
  readonly trustedAddresses?: boolean;
}

/** How far a flow came. */
export interface ExecuteResult {
  /** `challenge`: only a person can go on, or the data is not what a prompt accepts (then `problems` say why). */
  readonly status: 'done' | 'denied' | 'challenge';
  /** Why it was denied, as a visitor would read it. */
  readonly message: string | null;
  /** What is wrong with the data; `field` is null where it is no single field's. */
  readonly problems: readonly { readonly code: string; readonly field: string | null; readonly detail: string }[];
  /** What a person would be asked, as on the wire. */
  readonly challenge: WireChallenge | null;
  /** The last write report; null where none was made or the flow was denied. */
  readonly report: JsonObject | null;
  /** All write reports, in order. */
  readonly reports: readonly JsonObject[];
}

/** `repeated`: the result is the recorded one of an earlier run with this key. */
export interface Executed {
  readonly result: ExecuteResult;
  readonly repeated: boolean;
}

/** What `execute` works with. */
export interface ExecuteParts {
  readonly world: World;
  readonly users: Pick<Users, 'get'>;
  readonly origin: string;
}

const sourceKey = 'goauthentik.io/sources/connection';

/**
 * Runs a flow without a browser.
 *
 * @throws DoorwardError `flow_not_found`, `not_found` (a user), `invalid_request`, `store_unavailable`, `too_busy`
 */
export async function execute(parts: ExecuteParts, slug: string, options: ExecuteOptions = {}): Promise<Executed> {
  const { key = null, dryRun = false } = options;
  if (key !== null && (typeof key !== 'string' || key === ''))
    throw new DoorwardError('invalid_request', 'key: must be a text that is not empty');
  const visitor = await visitorOf(parts, options);
  const locale = chooseLocale(languageSetting(visitor.user), null);
  const context = await contextOf(parts, options);
  const unfit = unfitData(context);
  if (unfit !== null) return { result: resultOf(unfit, locale), repeated: false };
  const input = { slug, visitor: { ...visitor, locale }, context, dryRun, key };
  const { end, repeated } = await runUnattended(parts.world, input);
  return { result: resultOf(end, locale), repeated };
}

async function visitorOf(parts: ExecuteParts, { visitor, impersonator }: ExecuteOptions): Promise<Visitor> {
  const user = await find(parts, 'visitor', visitor ?? null);
  const real = await find(parts, 'impersonator', impersonator ?? null);
  if (real !== null && user === null)
    throw new DoorwardError('invalid_request', 'impersonator: needs a visitor, the user acted as');
  return {
    ...{ user, impersonator: real, session: null, address: '', agent: '', locale: 'en', origin: parts.origin },
    requestId: newUuid(),
  };
}

async function find({ users }: ExecuteParts, name: string, reference: unknown): Promise<User | null> {
  if (reference === null) return null;
  const { username, pk } = isPlainObject(reference) ? reference : {};
  const known =
    typeof username === 'string' && isStorable(username)
      ? { username }
      : typeof pk === 'number' && Number.isSafeInteger(pk)
        ? { pk }
        : null;
  if (known === null) throw new DoorwardError('invalid_request', `${name}: must be { username } or { pk }`);
  const user = await users.get(known);
  if (user === null) throw new DoorwardError('not_found', `${name}: there is no user ${JSON.stringify(known)}`);
  return user;
}

async function contextOf(parts: ExecuteParts, options: ExecuteOptions): Promise<PlanContext> {
  const given = Object.entries(options.context ?? {}).filter(([, value]) => value !== undefined);
  for (const [key, value] of given) {
    const own = key.startsWith('doorward/');
    if (own) throw new DoorwardError('invalid_request', `context: "${key}" is for Doorward itself`);
    if (key !== 'prompt_data' && !isAllStorable([key, value]))
      throw new DoorwardError('invalid_request', `context: ${JSON.stringify(key)} holds NUL or half a surrogate pair`);
  }
  const { source, pending_user: pending, [sourceKey]: connection, ...context } = Object.fromEntries(given);
  const about = await (options.pendingUser == null
    ? find(parts, 'context.pending_user', pending ?? null)
    : find(parts, 'pendingUser', options.pendingUser));
  return {
    ...context,
    ...(source === undefined && connection === undefined ? {} : { [sourceKey]: connectionOf(source ?? connection) }),
    ...(about === null ? {} : { pending_user: { ref: about.id } }),
    ...(options.trustedHashes === true ? { 'doorward/trusted_hashes': true } : {}),
    ...(options.trustedAddresses === true ? { 'doorward/trusted_addresses': true } : {}),
  };
}

/** A connection is saved only where it is said to be new (W27). */
function connectionOf(given: unknown): NonNullable<PlanContext[typeof sourceKey]> {
  const { source, identifier = '', isNew = false } = isPlainObject(given) ? given : { source: given };
  if (typeof source !== 'string' || source === '' || typeof identifier !== 'string' || typeof isNew !== 'boolean')
    throw new DoorwardError('invalid_request', 'context: source must be a name or { source, identifier, isNew }');
  return { source, identifier, isNew };
}

/** What no stage should see: text that cannot be stored (D-18), and a trusted hash that nobody could verify (W11b). */
function unfitData(context: PlanContext): UnattendedEnd | null {
  for (const [key, value] of promptPairs(context) ?? []) {
    if (!isAllStorable([key, value])) return unfit(key, 'invalid_request', 'holds NUL or half a surrogate pair');
    if (key !== 'password_hash' || context['doorward/trusted_hashes'] !== true) continue;
    if (typeof value !== 'string' || !isSupportedHash(value))
      return unfit(key, 'invalid', 'is not a password hash of a known format');
  }
  return null;
}

function unfit(field: string, code: string, problem: Text): UnattendedEnd {
  const problems: FieldProblems = { [field]: [{ code, text: problem }] };
  return { status: 'denied', message: text('user_write.failed'), problems, challenge: null, reports: [] };
}

/** Whether all texts inside a value can be stored, names of members included. */
function isAllStorable(value: unknown): boolean {
  const seen = new Set<unknown>();
  const left = [value];
  while (left.length > 0) {
    const item = left.pop();
    if (typeof item === 'string' && !isStorable(item)) return false;
    if (item === null || typeof item !== 'object' || seen.has(item)) continue;
    seen.add(item);
    for (const [name, inner] of Object.entries(item)) left.push(name, inner);
  }
  return true;
}

function resultOf({ status, message, problems, challenge, reports }: UnattendedEnd, locale: Locale): ExecuteResult {
  return {
    status,
    message: message === null ? null : localize(message, locale),
    problems: Object.entries(problems).flatMap(([field, found]) =>
      found.map(({ code, text: detail }) => ({
        ...{ code, field: field === wholeForm ? null : field, detail: localize(detail, locale) },
      })),
    ),
    challenge: challenge === null ? null : (localizeDeep(challenge, locale) as WireChallenge),
    report: status === 'denied' ? null : (reports.at(-1) ?? null),
    reports,
  };
}
