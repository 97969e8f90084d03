import type { Effect, NewEvent, Refusal } from '../../src/engine/effects.ts';
import type { Outcome } from '../../src/engine/stage.ts';
import type { Group, Session, User } from '../../src/engine/user.ts';
import type { JsonObject } from '../../src/kernel/json.ts';
import { usernameKey } from '../../src/kernel/text.ts';
import { localize } from '../../src/protocol/localize.ts';
import { userWrite } from '../../src/stages/user-write/stage.ts';
import { type DeskOptions, deskFor, deskTime, type TestDesk, testHash } from '../../src/testing/desk.ts';

/** Accounts in memory, on which the effects of a user write are carried out, all of a commit or none. */
export class Accounts {
  users: readonly User[];
  hashes: ReadonlyMap<number, string>;
  members: ReadonlySet<string> = new Set();
  sessions: readonly Session[];
  connections: readonly string[] = [];
  events: readonly NewEvent[] = [];
  readonly groups: readonly Group[];

  constructor(options: DeskOptions) {
    this.users = options.users ?? [];
    this.groups = options.groups ?? [];
    this.sessions = options.sessions ?? [];
    const passwords = options.passwords ?? {};
    this.hashes = new Map(
      this.users.flatMap(({ id, username }) => {
        const password = passwords[username];
        return password === undefined ? [] : [[id, testHash(password)] as const];
      }),
    );
    for (const [name, usernames] of Object.entries(options.members ?? {}))
      for (const { id } of this.users.filter(({ username }) => usernames.includes(username)))
        this.members = new Set([...this.members, `${id} ${this.groups.find((group) => group.name === name)?.pk}`]);
  }

  user(username: string): User | undefined {
    return this.users.find((user) => user.username === username);
  }

  passwordIs(username: string, password: string): boolean {
    const id = this.user(username)?.id;
    return id !== undefined && this.hashes.get(id) === testHash(password);
  }

  /** Names of the user's own groups. */
  groupsOf(username: string): readonly string[] {
    const id = this.user(username)?.id;
    return this.groups.filter(({ pk }) => this.members.has(`${id} ${pk}`)).map(({ name }) => name);
  }

  /** Carries out all effects, or none and says why. */
  commit(effects: readonly Effect[]): Refusal | null {
    const before = { ...this };
    for (const effect of effects) {
      const refusal = this.#carryOut(effect);
      if (refusal === null) continue;
      Object.assign(this, before);
      return { ...refusal, effect: effect.kind };
    }
    return null;
  }

  #carryOut(effect: Effect): Omit<Refusal, 'effect'> | null {
    switch (effect.kind) {
      case 'user.create':
        if (this.#isTaken(effect.user)) return { reason: 'taken', field: 'username' };
        this.users = [...this.users, effect.user];
        return effect.passwordHash === null ? null : this.#setHash(effect.user.id, effect.passwordHash);
      case 'user.update': {
        const row = this.users.find(({ id }) => id === effect.id);
        if (row?.version !== effect.version) return { reason: row === undefined ? 'missing' : 'changed' };
        const changed = { ...row, ...effect.set, version: row.version + 1 };
        if (this.#isTaken(changed)) return { reason: 'taken', field: 'username' };
        this.users = this.users.map((user) => (user === row ? changed : user));
        return null;
      }
      case 'password.set':
        return this.#setHash(effect.userId, effect.hash);
      case 'group.join':
        this.members = new Set([...this.members, `${effect.userId} ${effect.group}`]);
        return null;
      case 'connection.save':
        this.connections = [...this.connections, `${effect.source} ${effect.identifier} ${effect.userId}`];
        return null;
      case 'session.end_all':
        this.sessions = this.sessions.filter(
          ({ userId, impersonatorId, tokenHash }) =>
            userId !== effect.userId || impersonatorId !== null || tokenHash === effect.except,
        );
        return null;
      case 'session.renew':
        this.sessions = this.sessions.map((session) =>
          session.tokenHash === effect.from ? { ...session, tokenHash: effect.to } : session,
        );
        return null;
      case 'event':
        this.events = [...this.events, effect.event];
        return null;
      case 'outbox':
      case 'hook.user_write':
        return null;
      default:
        throw new Error(`a user write does not ask for ${effect.kind}`);
    }
  }

  #isTaken({ id, username }: User): boolean {
    return this.users.some((user) => user.id !== id && usernameKey(user.username) === usernameKey(username));
  }

  #setHash(id: number, hash: string): null {
    this.hashes = new Map([...this.hashes, [id, hash]]);
    return null;
  }
}

/** How a write ended. */
export interface Ended {
  readonly outcome: Outcome;
  readonly accounts: Accounts;
  readonly desk: TestDesk<JsonObject>;
  /** null when the stage denied. */
  readonly report: JsonObject | null;
  /** What the visitor reads where the stage denied, in English. */
  readonly message: string | null;
}

/**
 * Runs the stage and carries out what it decides, as the engine does: a refused commit lets it decide again. `meanwhile`
 * happens once, between the decision and its commit.
 */
export async function runUserWrite(options: DeskOptions, meanwhile?: (accounts: Accounts) => void): Promise<Ended> {
  const accounts = new Accounts(options);
  const deskNow = () => deskFor(userWrite, { ...options, users: accounts.users, sessions: accounts.sessions });
  let desk = deskNow();
  let outcome = await userWrite.enter(desk);
  meanwhile?.(accounts);
  let refusal = outcome.kind === 'pass' ? accounts.commit(outcome.effects ?? []) : null;
  for (let tries = 0; refusal !== null && tries < 5; tries += 1) {
    desk = deskNow();
    outcome = (await userWrite.refused?.(desk, refusal)) ?? outcome;
    refusal = outcome.kind === 'pass' ? accounts.commit(outcome.effects ?? []) : null;
  }
  return { outcome, accounts, desk, report: reportOf(outcome), message: messageOf(outcome) };
}

function reportOf(outcome: Outcome): JsonObject | null {
  return outcome.kind === 'pass' ? (outcome.report ?? null) : null;
}

function messageOf(outcome: Outcome): string | null {
  if (outcome.kind === 'deny') return outcome.message === null ? '' : localize(outcome.message, 'en');
  return outcome.kind === 'revise' ? localize(outcome.otherwise, 'en') : null;
}

/** A session of a user, ended only by its user's own doings unless an administrator acts in it. */
export function testSession(userId: number, tokenHash: string, impersonatorId: number | null = null): Session {
  return {
    tokenHash,
    uuid: tokenHash,
    userId,
    impersonatorId,
    returnsTo: null,
    createdAt: deskTime,
    lastUsedAt: deskTime,
    expiresAt: deskTime + 86_400_000,
    idleTimeout: null,
    persistent: false,
    address: '192.0.2.1',
    agent: 'test',
    authMethod: 'password',
    factors: [],
    boundTo: null,
  };
}

/** A group of that name; its pk is `pk-` and the name. */
export function testGroup(name: string, members: Partial<Group> = {}): Group {
  return { pk: `pk-${name}`, name, isSuperuser: false, parent: null, attributes: {}, ...members };
}
