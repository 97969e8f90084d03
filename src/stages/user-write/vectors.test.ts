import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runUserWrite, testGroup, testSession } from '../../../test/support/user-write-rig.ts';
import type { PlanContext } from '../../engine/plan-context.ts';
import type { User } from '../../engine/user.ts';
import type { Visitor } from '../../engine/visitor.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { type DeskOptions, testUser } from '../../testing/desk.ts';

interface Vector {
  readonly id: string;
  readonly given: {
    readonly users: readonly GivenUser[];
    readonly visitor: string | null;
    readonly pending_user: string | null;
    readonly impersonating: boolean;
    readonly stage: { readonly create_users_group?: string };
    readonly context: {
      readonly prompt_data?: JsonObject;
      readonly groups?: readonly string[];
      readonly source?: string;
    };
  };
  readonly expect: {
    readonly result: 'ok' | 'denied';
    readonly message: string | null;
    readonly created: boolean | null;
    readonly discarded: readonly JsonObject[] | null;
    readonly users_added: number;
    readonly session_renewed: boolean;
    readonly user: (JsonObject & { readonly username: string; readonly groups: readonly string[] }) | null;
  };
}

interface GivenUser {
  readonly username: string;
  readonly name?: string;
  readonly email?: string;
  readonly password?: string;
  readonly type?: User['type'];
  readonly path?: string;
  readonly is_active?: boolean;
  readonly attributes?: JsonObject;
  readonly groups?: readonly string[];
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../test/data/user-write-vectors.json', import.meta.url), 'utf8'),
) as readonly Vector[];
const administrator = testUser({ id: 1_000, username: 'the-administrator' });

function userOf(
  { is_active: isActive = true, password: _password, groups: _groups, ...rest }: GivenUser,
  index: number,
) {
  return testUser({ ...rest, id: index + 1, isActive });
}

function deskOptions({ given }: Vector, unattended: boolean): DeskOptions {
  const users = given.users.map(userOf);
  const find = (username: string | null) => users.find((user) => user.username === username);
  const { source, prompt_data: data, ...context } = given.context;
  const pending = find(given.pending_user);
  const visitor = find(given.visitor);
  const session =
    visitor === undefined ? null : testSession(visitor.id, 'own', given.impersonating ? administrator.id : null);
  const names = [
    ...given.users.flatMap(({ groups = [] }) => groups),
    ...(given.context.groups ?? []),
    ...(given.stage.create_users_group === undefined ? [] : [given.stage.create_users_group]),
  ];
  return {
    config: given.stage,
    context: {
      ...context,
      ...(data === undefined ? {} : { prompt_data: unattended ? data : Object.entries(data) }),
      ...(pending === undefined ? {} : { pending_user: { ref: pending.id } }),
      ...(source === undefined
        ? {}
        : { 'goauthentik.io/sources/connection': { source, identifier: '42', isNew: true } }),
    } as PlanContext,
    visitor: {
      user: visitor ?? null,
      impersonator: given.impersonating ? administrator : null,
      session: unattended ? null : session,
    } satisfies Partial<Visitor>,
    users: given.impersonating ? [...users, administrator] : users,
    passwords: Object.fromEntries(
      given.users.flatMap(({ username, password }) => (password ? [[username, password]] : [])),
    ),
    groups: [...new Set(names)].map((name) => testGroup(name)),
    members: Object.fromEntries(
      [...new Set(names)].map((name) => [
        name,
        given.users.filter(({ groups = [] }) => groups.includes(name)).map(({ username }) => username),
      ]),
    ),
    sessions: session === null ? [] : [session],
    unattended,
  };
}

describe.each([
  { run: 'with a browser', unattended: false },
  { run: 'unattended', unattended: true },
])('the vectors, $run', ({ unattended }) => {
  test.each(vectors)('$id', async (vector) => {
    const { given, expect: expected } = vector;
    const options = deskOptions(vector, unattended);
    const { accounts, outcome, report, message } = await runUserWrite(options);
    expect(outcome.kind === 'pass' ? 'ok' : 'denied').toBe(expected.result);
    expect(accounts.users.length - (options.users?.length ?? 0)).toBe(expected.users_added);
    expect(report?.session_renewed ?? false).toBe(expected.session_renewed);
    if (expected.message === '*') expect(message).toMatch(/./);
    else expect(message).toBe(expected.message);
    if (expected.user === null) {
      expect(accounts.users).toEqual(options.users);
      return;
    }
    expect(report?.created).toBe(expected.created);
    expect(report?.discarded).toEqual(expected.discarded);
    const { username } = expected.user;
    const user = accounts.user(username);
    const password = given.context.prompt_data?.password;
    expect({
      username: user?.username,
      name: user?.name,
      email: user?.email,
      path: user?.path,
      type: user?.type,
      is_active: user?.isActive,
      attributes: user?.attributes,
      groups: accounts.groupsOf(username).toSorted(),
      password_matches: typeof password === 'string' ? accounts.passwordIs(username, password) : null,
    }).toEqual(expected.user);
  });
});
