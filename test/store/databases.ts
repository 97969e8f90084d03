import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, inject } from 'vitest';
import type { Effect, NewEvent } from '../../src/engine/effects.ts';
import type { CommitAnswer, RunWrite } from '../../src/engine/ports.ts';
import type { EndedRun, Run } from '../../src/engine/run.ts';
import type { Group, Session, User } from '../../src/engine/user.ts';
import { ManualClock } from '../../src/kernel/clock.ts';
import { newUuid } from '../../src/kernel/ids.ts';
import { Keyring } from '../../src/kernel/secrets.ts';
import { type OpenStore, openStore, type StoreOptions } from '../../src/store/open.ts';
import { freshDatabase } from '../support/postgres.ts';

export const start = 1_800_000_000_000;
export const newerKeys = `a newer secret key of the tests with 32 bytes,a secret key of the tests with at least 32 bytes`;
export const secretKey = 'a secret key of the tests with at least 32 bytes';

/** One database under test; `store` is opened before the tests of its `describe`. */
export interface Rig {
  readonly dialect: 'sqlite' | 'postgres';
  readonly clock: ManualClock;
  readonly store: OpenStore;
  readonly database: StoreOptions['database'];
  /** Messages logged so far. */
  readonly logged: string[];
  /** Another store on the same database, with connections of its own. */
  open(options?: { secretKey?: string }): Promise<OpenStore>;
}

/** Runs the same tests on both databases, each `describe` on an empty one. */
export function onEachDatabase(name: string, tests: (rig: Rig) => void): void {
  describe.each(['sqlite', 'postgres'] as const)(`${name} on %s`, (dialect) => {
    const opened: OpenStore[] = [];
    const logged: string[] = [];
    const clock = new ManualClock(start);
    let database: StoreOptions['database'] | undefined;
    let remove: () => Promise<void> = async () => undefined;
    const open = async (options: { secretKey?: string } = {}): Promise<OpenStore> => {
      const log = (_level: string, message: string): void => void logged.push(message);
      const keyring = new Keyring(options.secretKey ?? secretKey);
      const store = await openStore({ database: given(database), keyring, clock, log });
      opened.push(store);
      return store;
    };
    beforeAll(async () => {
      const empty = await emptyDatabase(dialect);
      database = empty.database;
      remove = empty.remove;
      await open();
    });
    afterAll(async () => {
      await Promise.all(opened.map((store) => store.close()));
      await remove();
    });
    tests({
      dialect,
      clock,
      logged,
      open,
      get database() {
        return given(database);
      },
      get store() {
        return given(opened[0]);
      },
    });
  });
}

/** A busy machine may take long about little. */
const patienceMs = 60_000;

/** A database without any table, and how to delete it. */
export async function emptyDatabase(
  dialect: 'sqlite' | 'postgres',
): Promise<{ database: StoreOptions['database']; remove: () => Promise<void> }> {
  if (dialect === 'postgres') {
    const fresh = await freshDatabase({ url: inject('postgresUrl') });
    return { database: { postgres: fresh.url, patienceMs }, remove: () => fresh.drop() };
  }
  const folder = await mkdtemp(join(tmpdir(), 'doorward-store-'));
  return {
    database: { sqlite: join(folder, 'data', 'test.db'), patienceMs },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export function given<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('nothing there');
  return value;
}

export async function draft(store: OpenStore, username: string, more: Partial<User> = {}): Promise<User> {
  return {
    ...{ id: await store.newUserId(), uuid: newUuid(), username, name: '', email: '', path: 'users', type: 'internal' },
    ...{ isActive: true, attributes: {}, dateJoined: start, lastLogin: null, passwordChangedAt: null },
    ...{ emailVerifiedAt: null, lastUpdated: start, version: 1, ...more },
  };
}

export function create(user: User, passwordHash: string | null = null): Effect {
  return { kind: 'user.create', user, passwordHash };
}

export async function added(store: OpenStore, username: string, more: Partial<User> = {}): Promise<User> {
  const user = await draft(store, username, more);
  await commit(store, [create(user)]);
  return user;
}

export function group(name: string, more: Partial<Group> = {}): Group {
  return { pk: newUuid(), name, isSuperuser: false, parent: null, attributes: {}, ...more };
}

export function session(userId: number, tokenHash: string, more: Partial<Session> = {}): Session {
  return {
    ...{ tokenHash, uuid: newUuid(), userId, impersonatorId: null, createdAt: start, lastUsedAt: start },
    ...{ expiresAt: start + 86_400_000, idleTimeout: null, persistent: false, address: '192.0.2.1', agent: 'test' },
    ...{ authMethod: 'password', factors: [], returnsTo: null, boundTo: null, ...more },
  };
}

export function begin(userId: number, tokenHash: string, more: Partial<Session> = {}): Effect {
  return { kind: 'session.begin', session: session(userId, tokenHash, more) };
}

export function event(action: string, more: Partial<NewEvent> = {}): Effect {
  const empty = { action, user: null, context: {}, address: '', requestId: '', flow: null, at: start };
  return { kind: 'event', event: { ...empty, ...more } };
}

export function run(sessionHash: string, more: Partial<Run> = {}): Run {
  return {
    ...{ id: newUuid(), flow: 'sign-up', version: 1, session: sessionHash, originSession: null, variant: '' },
    ...{ userId: null, impersonatorId: null, seq: 1, createdAt: start, expiresAt: start + 3_600_000, ended: null },
    state: {
      plan: [],
      visited: [],
      context: {},
      challenge: null,
      problems: null,
      memo: null,
      next: null,
      messages: [],
      decisions: [],
    },
    ...more,
  };
}

export function ended(to = '/'): EndedRun {
  return {
    ...{ at: start, outcome: { kind: 'done', to }, answer: 'digest', secretAnswer: true, sessionToken: null },
    ...{ persistent: false, sessionExpiresAt: 0 },
  };
}

export function commit(
  store: OpenStore,
  effects: readonly Effect[],
  runs: readonly RunWrite[] = [],
): Promise<CommitAnswer> {
  return store.commit({ id: newUuid(), runs, effects });
}

export function loadAt(
  store: OpenStore,
  sessionHash: string,
  now: number,
  more: { flow?: string; variant?: string } = {},
) {
  return store.load({ sessionHash, flow: 'sign-up', variant: '', now, ...more });
}

/** How many of the answers are which. */
export function counted(answers: readonly CommitAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) {
    const name = answer.status === 'refused' ? `refused ${answer.refusal.reason}` : answer.status;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
