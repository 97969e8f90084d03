import type { Effect, Refusal } from '../engine/effects.ts';
import type { Failure, Statement } from './driver.ts';

/** What must be unique: PostgreSQL names the index, SQLite the columns; and what it means when it is not. */
interface Unique {
  readonly index: string;
  readonly columns: string;
  readonly effects: readonly Statement['effect'][];
  /** The effect's field that is taken; none: another request was there first. */
  readonly field: string | null;
}

const uniques: readonly Unique[] = [
  unique('doorward_user_username_key', 'doorward_user.username_key', ['user.create', 'user.update'], 'username'),
  unique('doorward_user_pkey', 'doorward_user.id', ['user.create'], 'id'),
  unique('doorward_user_uuid', 'doorward_user.uuid', ['user.create'], 'uuid'),
  unique('doorward_group_name', 'doorward_group.name', ['group.create', 'group.update'], 'name'),
  unique('doorward_group_pkey', 'doorward_group.pk', ['group.create'], 'pk'),
  unique('doorward_session_pkey', 'doorward_session.token_hash', ['session.begin', 'session.renew'], 'token'),
  unique('doorward_session_uuid', 'doorward_session.uuid', ['session.begin'], 'uuid'),
  unique('doorward_run_open', 'doorward_run.session, doorward_run.flow, doorward_run.variant', ['run'], null),
  unique('doorward_authenticator_credential', 'doorward_authenticator.credential', ['authenticator.add'], 'credential'),
  unique(
    'doorward_flow_version_pkey',
    'doorward_flow_version.slug, doorward_flow_version.version',
    ['definition'],
    null,
  ),
];

/** The effects whose rows refer to something, by the table that holds the reference. */
const referring: Readonly<Record<string, readonly Effect['kind'][]>> = {
  doorward_credential: ['password.set', 'user.create'],
  doorward_password_history: ['password.set'],
  doorward_membership: ['group.join'],
  doorward_session: ['session.begin'],
  doorward_connection: ['connection.save'],
  doorward_consent: ['consent.give'],
  doorward_token: ['token.create'],
  doorward_invitation: ['invitation.make'],
  doorward_run_key: ['run_key.make'],
  doorward_approval: ['approval.ask'],
  doorward_approval_word: ['approval.say'],
  doorward_authenticator: ['authenticator.add'],
  doorward_group: ['group.create', 'group.update'],
};

/** What a rolled back transaction means to who asked for it. */
export function refusalOf(failure: Failure, statements: readonly Statement[]): Refusal | 'lost' {
  if (failure.kind === 'vetoed') return failure.refusal;
  const statement = failure.index === null ? undefined : statements[failure.index];
  if (failure.kind === 'unexpected') return statement?.otherwise ?? constraint(statement, statements);
  if (failure.kind === 'unique') {
    const found = uniques.find(({ index, columns }) => index === failure.key || columns === failure.key);
    const effect = statement?.effect ?? among(statements, found?.effects ?? []);
    if (found?.field === null) return 'lost';
    if (found !== undefined && effect !== undefined && isEffect(effect))
      return { reason: 'taken', effect, field: found.field };
  }
  if (failure.kind === 'missing') {
    const effect = statement?.effect ?? among(statements, referring[failure.table] ?? Object.values(referring).flat());
    if (effect !== undefined && isEffect(effect)) return { reason: 'missing', effect };
  }
  return constraint(statement, statements);
}

function unique(index: string, columns: string, effects: readonly Statement['effect'][], field: string | null): Unique {
  return { index, columns, effects, field };
}

/** In a folded commit the database does not say which statement it was: the first that could be it. */
function among(
  statements: readonly Statement[],
  effects: readonly Statement['effect'][],
): Statement['effect'] | undefined {
  return statements.find((statement) => effects.includes(statement.effect))?.effect;
}

function constraint(statement: Statement | undefined, statements: readonly Statement[]): Refusal {
  const effect = [statement, ...statements]
    .map((each) => each?.effect)
    .find((each) => each !== undefined && isEffect(each));
  return { reason: 'constraint', effect: effect ?? 'event' };
}

function isEffect(effect: Statement['effect'] | undefined): effect is Effect['kind'] {
  return effect !== undefined && effect !== 'run' && effect !== 'definition';
}
