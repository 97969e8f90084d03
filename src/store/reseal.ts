/**
 * Seals anew what former keys sealed, so that they can be dropped. It may run while others serve: a row is written only
 * where it still holds what was read, and whoever writes meanwhile seals with the first key themselves.
 */
import { DoorwardError } from '../kernel/errors.ts';
import type { Keyring } from '../kernel/secrets.ts';
import { placeOf } from './authenticator-rows.ts';
import type { Driver, Statement } from './driver.ts';
import { int, text } from './rows.ts';
import { resealedSettings, versionPlace } from './sealed-settings.ts';
import { every, type Row, type Sql, sql } from './sql.ts';

/** How the rows of one kind fared. */
export interface Resealed {
  readonly kind: string;
  /** Sealed anew just now. */
  readonly resealed: number;
  /** Under the first key before. */
  readonly already: number;
  /** None of the given keys opens them. */
  readonly unreadable: number;
}

/** Rows that hold something sealed; the value is a row's last column. */
interface Holder {
  readonly kind: string;
  readonly table: Sql;
  readonly key: readonly Sql[];
  /** What else of the row its seal depends on. */
  readonly more?: Sql;
  readonly column: Sql;
  readonly where: Sql;
  /** The value under the first key, unchanged where it is; null where it does not open. */
  turn(keyring: Keyring, value: string, row: Row): string | null;
}

/** Settings first: without them nobody gets in. What lives for a minute (an answer to be repeated) goes by itself. */
const holders: readonly Holder[] = [
  {
    ...{ kind: 'definitions', table: sql`doorward_definition`, key: [sql`pk`], column: sql`attrs`, where: sql`1 = 1` },
    turn: (keyring, value, row) => resealedSettings(value, text(row, 0), keyring),
  },
  {
    ...{ kind: 'flow versions', table: sql`doorward_flow_version`, key: [sql`slug`, sql`version`] },
    ...{ column: sql`definition`, where: sql`1 = 1` },
    turn: (keyring, value, row) => resealedSettings(value, versionPlace(text(row, 0), int(row, 1)), keyring),
  },
  {
    ...{ kind: 'authenticators', table: sql`doorward_authenticator`, key: [sql`uuid`], more: sql`user_id` },
    ...{ column: sql`secret`, where: sql`secret IS NOT NULL` },
    turn: (keyring, value, row) => keyring.reseal('credential', value, placeOf(int(row, 1), text(row, 0))),
  },
  {
    ...{ kind: 'runs', table: sql`doorward_run`, key: [sql`id`], column: sql`state` },
    where: sql`state LIKE '%"$sealed"%'`,
    turn: (keyring, value, row) => resealedState(keyring, value, text(row, 0)),
  },
  {
    ...{ kind: 'approvals', table: sql`doorward_approval`, key: [sql`uuid`], column: sql`asked`, where: sql`1 = 1` },
    turn: (keyring, value, row) => keyring.reseal('run-secret', value, text(row, 0)),
  },
  {
    ...{ kind: 'messages', table: sql`doorward_outbox`, key: [sql`id`], more: sql`uuid` },
    ...{ column: sql`payload`, where: sql`payload IS NOT NULL` },
    turn: (keyring, value, row) => keyring.reseal('outbox', value, text(row, 1)),
  },
];

/** PostgreSQL carries out so many in one round trip. */
const page = 40;

/** @param told how many rows were looked at so far */
export async function reseal(
  driver: Driver,
  keyring: Keyring,
  told: (rows: number) => void = () => {},
): Promise<readonly Resealed[]> {
  const done: Resealed[] = [];
  let rows = 0;
  const step = (more: number): void => {
    rows += more;
    told(rows);
  };
  for (const holder of holders) done.push(await resealAll(driver, keyring, holder, step));
  return done;
}

async function resealAll(
  driver: Driver,
  keyring: Keyring,
  holder: Holder,
  step: (rows: number) => void,
): Promise<Resealed> {
  const { kind } = holder;
  let counts: Resealed = { kind, resealed: 0, already: 0, unreadable: 0 };
  for (let last: Row | null = null; ; ) {
    const rows: readonly Row[] = await driver.read(pageAfter(holder, last));
    const statements: Statement[] = [];
    for (const row of rows) {
      const value = String(row.at(-1));
      const turned = holder.turn(keyring, value, row);
      if (turned === null) counts = { ...counts, unreadable: counts.unreadable + 1 };
      else if (turned === value) counts = { ...counts, already: counts.already + 1 };
      else statements.push(replacement(holder, row, turned));
    }
    const failure = statements.length === 0 ? null : await driver.transact({ statements, proof: null });
    if (failure !== null) throw new DoorwardError('internal', `${kind} could not be sealed anew: ${failure.kind}`);
    counts = { ...counts, resealed: counts.resealed + statements.length };
    step(rows.length);
    last = rows.at(-1) ?? null;
    if (rows.length < page) return counts;
  }
}

function pageAfter({ table, key, more, column, where }: Holder, last: Row | null): Sql {
  const keys = joined(key);
  const after =
    last === null
      ? []
      : [sql`(${keys}) > (${joined(key.map((_, index) => ({ text: '?', params: [last[index] ?? null] })))})`];
  const read = more === undefined ? column : sql`${more}, ${column}`;
  return sql`SELECT ${keys}, ${read} FROM ${table} WHERE ${every([where, ...after])} ORDER BY ${keys} LIMIT ${page}`;
}

/** Nothing where somebody wrote the row meanwhile. */
function replacement({ kind, table, key, column }: Holder, row: Row, turned: string): Statement {
  const own = every(key.map((name, index) => sql`${name} = ${row[index] ?? null}`));
  return {
    ...{ effect: 'definition', touches: [`${kind}:${key.map((_, index) => row[index]).join(':')}`] },
    sql: sql`UPDATE ${table} SET ${column} = ${turned} WHERE ${own} AND ${column} = ${row.at(-1) ?? null}`,
  };
}

function joined(parts: readonly Sql[]): Sql {
  return { text: parts.map((part) => part.text).join(', '), params: parts.flatMap((part) => part.params) };
}

function resealedState(keyring: Keyring, state: string, run: string): string | null {
  let failed = false;
  let changed = false;
  const turned: unknown = JSON.parse(state, (name, value: unknown) => {
    if (name !== '$sealed' || typeof value !== 'string') return value;
    const sealed = keyring.reseal('run-secret', value, run);
    failed ||= sealed === null;
    changed ||= sealed !== value;
    return sealed;
  });
  if (failed) return null;
  return changed ? JSON.stringify(turned) : state;
}
