import type { Authenticator, AuthenticatorKind, NewAuthenticator } from '../engine/authenticator.ts';
import type { Effect } from '../engine/effects.ts';
import type { Reads } from '../engine/ports.ts';
import { type Keyring, Secret } from '../kernel/secrets.ts';
import type { Driver, Statement } from './driver.ts';
import { int, intOrNull, json, text, textOrNull } from './rows.ts';
import { type Row, type Sql, sql } from './sql.ts';

type Use = Extract<Effect, { readonly kind: 'authenticator.use' }>;
type Change = Extract<Effect, { readonly kind: 'authenticator.rename' | 'authenticator.remove' }>;

/** Of the table as `a`. */
const authenticatorColumns = sql`a.uuid, a.user_id, a.kind, a.name, a.created_at, a.last_used_at, a.credential,
  a.secret, a.data, a.counter, CASE WHEN a.kind = 'static'
    THEN (SELECT count(*) FROM doorward_recovery_code c WHERE c.authenticator = a.uuid) ELSE 0 END`;

/** What is asked of them, one query each. */
export function authenticatorReads(
  driver: Driver,
  keyring: Keyring,
): Pick<Reads, 'authenticatorsOf' | 'authenticatorByCredential' | 'recoveryCodes'> {
  const all = async (where: Sql): Promise<readonly Authenticator[]> => {
    const rows = await driver.read(sql`
      SELECT ${authenticatorColumns} FROM doorward_authenticator a WHERE ${where} ORDER BY a.created_at, a.uuid`);
    return rows.map((row) => authenticatorFrom(row, keyring));
  };
  return {
    authenticatorsOf: (userId) => all(sql`a.user_id = ${userId}`),
    authenticatorByCredential: async (credential) => (await all(sql`a.credential = ${credential}`))[0] ?? null,
    async recoveryCodes(uuid) {
      const rows = await driver.read(sql`SELECT hash FROM doorward_recovery_code WHERE authenticator = ${uuid}`);
      return rows.map((row) => text(row, 0));
    },
  };
}

/** An unreadable secret is none, so that no code is right; the authenticator stays, and is asked for. */
function authenticatorFrom(row: Row, keyring: Keyring): Authenticator {
  const [uuid, userId, sealed] = [text(row, 0), int(row, 1), textOrNull(row, 7)];
  const secret = sealed === null ? null : keyring.open('credential', sealed, placeOf(userId, uuid));
  return {
    ...{ uuid, userId, kind: text(row, 2) as AuthenticatorKind, name: text(row, 3), createdAt: int(row, 4) },
    ...{ lastUsedAt: intOrNull(row, 5), credential: textOrNull(row, 6), data: json(row, 8), counter: int(row, 9) },
    secret: secret === null ? null : new Secret(secret),
    codesLeft: int(row, 10),
  };
}

export function addAuthenticator(
  { uuid, userId, secret, data, codes, ...more }: NewAuthenticator,
  keyring: Keyring,
): Statement[] {
  const effect = 'authenticator.add';
  const sealed = secret === null ? null : keyring.seal('credential', secret.reveal(), placeOf(userId, uuid));
  const rows = codes.map((code) => sql`(${uuid}, ${code})`);
  const row: Statement = {
    effect,
    touches: [`authenticator:${uuid}`],
    sql: sql`
      INSERT INTO doorward_authenticator (uuid, user_id, kind, name, created_at, last_used_at, credential, secret, data,
        counter)
      VALUES (${uuid}, ${userId}, ${more.kind}, ${more.name}, ${more.createdAt}, ${more.lastUsedAt}, ${more.credential},
        ${sealed}, ${JSON.stringify(data)}, ${more.counter})`,
  };
  if (rows.length === 0) return [row];
  const values = {
    text: `INSERT INTO doorward_recovery_code (authenticator, hash) VALUES ${rows.map((one) => one.text).join(', ')}`,
    params: rows.flatMap((one) => one.params),
  };
  return [row, { effect, touches: [], sql: values }];
}

/** Of many who use one code, step or counter at the same time, one writes the row; the others are refused. */
export function useAuthenticator({ kind, uuid, userId, use, at }: Use): Statement[] {
  const own = sql`uuid = ${uuid} AND user_id = ${userId}`;
  const touches = [`authenticator:${uuid}`];
  const guarded = (statement: Sql, touched: readonly string[]): Statement => ({
    ...{ effect: kind, touches: touched, sql: statement, expect: 1 },
    otherwise: { reason: 'used', effect: kind },
  });
  if ('code' in use)
    return [
      guarded(sql`DELETE FROM doorward_recovery_code WHERE authenticator = ${uuid} AND hash = ${use.code}`, [
        `recovery_code:${uuid}:${use.code}`,
      ]),
      guarded(sql`UPDATE doorward_authenticator SET last_used_at = ${at} WHERE ${own} AND kind = 'static'`, touches),
    ];
  if ('step' in use) {
    const { step, data } = use;
    const set = sql`counter = ${step}, data = ${JSON.stringify(data)}, last_used_at = ${at}`;
    return [guarded(sql`UPDATE doorward_authenticator SET ${set} WHERE ${own} AND counter < ${step}`, touches)];
  }
  const { signatures } = use;
  return [
    guarded(
      sql`UPDATE doorward_authenticator SET counter = ${signatures}, last_used_at = ${at}
        WHERE ${own} AND (counter < ${signatures} OR (counter = 0 AND ${signatures} = 0))`,
      touches,
    ),
  ];
}

export function changeAuthenticator(effect: Change): Statement {
  const { kind, uuid, userId } = effect;
  const own = sql`uuid = ${uuid} AND user_id = ${userId}`;
  return {
    ...{ effect: kind, touches: [`authenticator:${uuid}`], expect: 1, otherwise: { reason: 'missing', effect: kind } },
    sql:
      effect.kind === 'authenticator.remove'
        ? sql`DELETE FROM doorward_authenticator WHERE ${own}`
        : sql`UPDATE doorward_authenticator SET name = ${effect.name} WHERE ${own}`,
  };
}

/** A secret that is put beside another row does not open there. */
export function placeOf(userId: number, uuid: string): string {
  return `${userId}:${uuid}`;
}
