/** What programs may write to an account, and what is kept of where it came from. */
import type { Effect } from '../engine/effects.ts';
import type { Reads } from '../engine/ports.ts';
import { type Profile, profileProblems, writerOf } from '../engine/profile.ts';
import {
  attributeField,
  changedPaths,
  noProvenance,
  type Origin,
  type Provenance,
  withProvenance,
} from '../engine/provenance.ts';
import type { User, UserChanges } from '../engine/user.ts';
import { DoorwardError } from '../kernel/errors.ts';
import type { JsonObject } from '../kernel/json.ts';
import { isAddress } from '../kernel/text.ts';
import { localize } from '../protocol/localize.ts';
import { maskValue } from '../stages/user-write/report.ts';

/** Who asks; the part of `Actor` that stays with the values. */
interface Asker {
  readonly via: string;
  readonly by?: number;
}

/** Checks a change against the profile schema, and makes the provenance that is written with it. */
export interface Records {
  /** @throws DoorwardError `invalid_request`, `refused` */
  create(user: User, withPassword: boolean, asker: Asker): Provenance;
  /** @param effects what is written besides: a password among them has its provenance too */
  update(user: User, changes: UserChanges, asker: Asker, effects: readonly Effect[]): Promise<Provenance>;
}

const columns = { username: 'username', name: 'name', email: 'email', path: 'path', type: 'type' } as const;
const updatable = { ...columns, isActive: 'is_active' } as const;

export function createRecords(parts: {
  readonly read: Pick<Reads, 'provenance'>;
  readonly profile: Profile | null;
  now(): number;
}): Records {
  const { read, profile, now } = parts;
  const stamp = (asker: Asker) => ({ at: now(), by: asker.by ?? null });
  return {
    create(user, withPassword, asker) {
      const origin = originOf(asker);
      checkVerified(user, user);
      if (profile !== null) check(profile, origin, null, user.attributes);
      const given = Object.values(columns).filter((column) => user[column] !== '');
      const paths = changedPaths({}, user.attributes).map(attributeField);
      const written = [...given, ...paths, ...(withPassword ? ['password'] : [])];
      return withProvenance(noProvenance, byOrigin(written, origin), user.attributes, stamp(asker));
    },
    async update(user, changes, asker, effects) {
      const origin = originOf(asker);
      const after = { ...user, ...changes };
      checkVerified(changes, after);
      const paths = changedPaths(user.attributes, after.attributes);
      if (profile !== null && paths.length > 0) check(profile, origin, user.attributes, after.attributes);
      const changed = (Object.keys(updatable) as (keyof typeof updatable)[]).filter(
        (name) => user[name] !== after[name],
      );
      const password = effects.some(({ kind }) => kind === 'password.set') ? ['password'] : [];
      const written = [...changed.map((name) => updatable[name]), ...paths.map(attributeField), ...password];
      return withProvenance(await read.provenance(user.id), byOrigin(written, origin), after.attributes, stamp(asker));
    },
  };
}

const told: Readonly<Record<string, string>> = { isActive: updatable.isActive, emailVerified: 'email_verified' };

/** What the event tells of a program's write, in the words of a flow's: one that listens need not tell them apart. */
export function toldOf(
  created: boolean,
  values: UserChanges & { readonly emailVerified?: boolean; readonly password?: string },
): JsonObject {
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[told[name] ?? name, value] as const],
  );
  return {
    created,
    written: given.map(([field]) => ({ key: field, field })),
    discarded: [],
    data: Object.fromEntries(given.map(([field, value]) => [field, maskValue(field, value)])),
  };
}

/** What is verified names its user before any username does, so it has to look like an address (decision 17). */
function checkVerified({ emailVerifiedAt }: UserChanges, { email }: User): void {
  if (typeof emailVerifiedAt === 'number' && !isAddress(email))
    throw new DoorwardError('invalid_request', 'emailVerified: there is no address that could be verified');
}

function originOf({ via }: Asker): Origin {
  return { kind: 'program', via };
}

function byOrigin(fields: readonly string[], origin: Origin): ReadonlyMap<string, Origin> {
  return new Map(fields.map((field) => [field, origin]));
}

function check(profile: Profile, origin: Origin, before: JsonObject | null, after: JsonObject): void {
  const refused = changedPaths(before ?? {}, after).find((path) => !profile.mayWrite(path, writerOf(origin, true)));
  if (refused !== undefined)
    throw new DoorwardError('refused', `${attributeField(refused)}: the profile schema keeps this from being written`);
  const [problem] = profileProblems(profile, before, after);
  if (problem !== undefined)
    throw new DoorwardError(
      'invalid_request',
      `${attributeField(problem.path)}: ${localize(problem.problem.text, 'en')}`,
    );
}
