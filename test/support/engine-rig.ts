import { afterAll, beforeAll, describe } from 'vitest';
import * as z from 'zod';
import type { NewEvent } from '../../src/engine/effects.ts';
import { type Desk, defineStage, type Outcome, type Response } from '../../src/engine/stage.ts';
import type { User } from '../../src/engine/user.ts';
import type { Doorward, DoorwardOptions, Log } from '../../src/index.ts';
import { ManualClock } from '../../src/kernel/clock.ts';
import type { JsonObject } from '../../src/kernel/json.ts';
import { Keyring } from '../../src/kernel/secrets.ts';
import type { WireChallenge } from '../../src/protocol/challenge.ts';
import type { Driver } from '../../src/store/driver.ts';
import { type OpenStore, openDriver, openStore } from '../../src/store/open.ts';
import { createRig, type Rig, type Visitor, type VisitorOptions } from '../../src/testing/rig.ts';
import { emptyDatabase, given } from '../store/databases.ts';
import { type FlowPart, flowYaml, type StagePart } from './flow-yaml.ts';

const secretKey = 'a secret key of the tests with at least 32 bytes';
const start = Date.UTC(2025, 0, 1, 12);

/** What a stage of the tests does on arrival and with an answer; by default it asks, and passes with any answer. */
export interface Script {
  readonly enter?: (desk: Desk) => Outcome | Promise<Outcome>;
  readonly answer?: (desk: Desk, response: Response) => Outcome | Promise<Outcome>;
}

/** A whole Doorward on one database, a clock that stands still, and a look behind the scenes. */
export class EngineRig {
  readonly clock = new ManualClock(start);
  readonly dialect: 'sqlite' | 'postgres';
  /** What the stages `probe(name)` did: `name entered`, `name answered`. */
  readonly visits: string[] = [];
  /** Errors that the servers logged. */
  readonly errors: string[] = [];
  readonly #scripts = new Map<string, Script>();
  readonly #closers: (() => Promise<unknown>)[] = [];
  #database: Parameters<typeof openStore>[0]['database'] | undefined;
  #rig: Rig | undefined;
  #store: OpenStore | undefined;
  #driver: Driver | undefined;

  constructor(dialect: 'sqlite' | 'postgres') {
    this.dialect = dialect;
  }

  get auth(): Doorward {
    return given(this.#rig).auth;
  }

  /** Another connection to the same database. */
  get store(): OpenStore {
    return given(this.#store);
  }

  /** SQL by hand, for what nobody can do from outside. */
  get driver(): Driver {
    return given(this.#driver);
  }

  async open(): Promise<void> {
    const { database, remove } = await emptyDatabase(this.dialect);
    this.#database = database;
    this.#closers.push(remove);
    const rig = await this.another({ probes: true });
    this.#rig = rig;
    this.#store = await openStore({ database, keyring: new Keyring(secretKey), clock: this.clock });
    this.#driver = await openDriver(database);
    const { store, driver } = this;
    this.#closers.push(
      () => store.close(),
      () => driver.close(),
    );
  }

  /**
   * One more server on the same database; without probes it lacks the stages that the tests made. Hashing costs nothing
   * unless a hasher is given.
   */
  async another({
    probes,
    ...options
  }: { readonly probes: boolean } & Pick<Partial<DoorwardOptions>, 'hasher' | 'expressionLimitMs'>): Promise<Rig> {
    const stages = probes ? [this.#probeStage()] : [];
    const log: Log = (level, message, fields) => {
      if (level === 'error') this.errors.push(`${message} ${JSON.stringify(fields)}`);
    };
    const rig = await createRig({
      ...{ database: given(this.#database), secretKey, clock: this.clock, stages, log },
      ...options,
    });
    this.#closers.push(() => rig.close());
    return rig;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
  }

  visitor(options: VisitorOptions = {}): Visitor {
    return given(this.#rig).visitor(options);
  }

  /** Makes a flow, or changes it. */
  async flow(slug: string, stages: readonly StagePart[], more: Omit<FlowPart, 'slug' | 'stages'> = {}): Promise<void> {
    await this.auth.flows.apply([flowYaml({ slug, stages, ...more })]);
  }

  /** A stage of the tests' own. */
  probe(name: string, script: Script = {}, more: Partial<StagePart> = {}): StagePart {
    this.#scripts.set(name, script);
    return { kind: 'tests.probe', ...more, attrs: { script: name } };
  }

  async user(username: string, more: Partial<Parameters<Doorward['users']['create']>[0]> = {}): Promise<User> {
    return this.auth.users.create({ username, password: `${username} password`, ...more });
  }

  async find(username: string): Promise<User | null> {
    return this.auth.users.get({ username });
  }

  /** Usernames that begin so, in order of making. */
  async usernames(search: string): Promise<readonly string[]> {
    return (await this.auth.users.list({ search, pageSize: 1_000 })).users.map(({ username }) => username);
  }

  /** A browser that signed in through the shipped flow. */
  async signedIn(username: string, options: VisitorOptions = {}): Promise<Visitor> {
    const visitor = this.visitor(options);
    await visitor.open('default-authentication-flow');
    await visitor.answer({ uid_field: username });
    await visitor.answer({ password: `${username} password` });
    visitor.expectEnd();
    return visitor;
  }

  /** Events of an action about a user, the newest first. */
  async events(action: string, username?: string): Promise<readonly NewEvent[]> {
    const found = await this.store.accounts.listEvents({ action, limit: 10_000 });
    return username === undefined ? found : found.filter(({ user }) => user?.username === username);
  }

  #probeStage() {
    const { visits } = this;
    const scriptOf = ({ config }: Desk<{ script: string }>): Script => given(this.#scripts.get(config.script));
    return defineStage({
      ...{
        kind: 'probe',
        model: 'tests.probe',
        component: 'ak-stage-probe-form',
        description: 'A stage of the tests.',
      },
      config: z.object({ script: z.string() }),
      needs: [],
      gives: [],
      enter: async (desk) => {
        visits.push(`${desk.config.script} entered`);
        return scriptOf(desk).enter?.(desk) ?? { kind: 'ask', challenge: { component: 'ak-stage-own-probe' } };
      },
      answer: async (desk, response) => {
        visits.push(`${desk.config.script} answered`);
        return scriptOf(desk).answer?.(desk, response) ?? { kind: 'pass' };
      },
    });
  }
}

/** Runs the same tests on both databases. */
export function onBothDatabases(name: string, tests: (rig: EngineRig) => void): void {
  describe.each(['sqlite', 'postgres'] as const)(`${name} on %s`, (dialect) => {
    const rig = new EngineRig(dialect);
    beforeAll(() => rig.open());
    afterAll(() => rig.close());
    tests(rig);
  });
}

/** A text field of a prompt. */
export function field(key: string, more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { field_key: key, required: false, ...more };
}

/** A stage that asks for these fields, given as keys or in full. */
export function promptFor(
  ...fields: readonly (string | Readonly<Record<string, unknown>>)[]
): StagePart & { readonly kind: 'prompt' } {
  return { kind: 'prompt', fields: fields.map((one) => (typeof one === 'string' ? field(one) : one)) };
}

/** Sends a raw answer; the challenge that comes back, whatever it is. */
export async function answerOf(visitor: Visitor, body: JsonObject, step: string | null): Promise<WireChallenge> {
  return (await (await visitor.post(body, step)).json()) as WireChallenge;
}

/** Keys of the fields that a prompt shows. */
export function fieldsOf(challenge: WireChallenge): readonly unknown[] {
  if (challenge.component !== 'ak-stage-prompt') throw new Error(`no prompt but ${JSON.stringify(challenge)}`);
  return (challenge.fields as readonly { readonly field_key: string }[]).map(({ field_key }) => field_key);
}

export const dummy: StagePart = { kind: 'dummy' };
export const login: StagePart = { kind: 'user_login' };

export function write(attrs: Readonly<Record<string, unknown>> = {}, binding: StagePart['binding'] = {}): StagePart {
  return { kind: 'user_write', attrs, binding };
}

/** A policy binding on a group of that name. */
export function groupPolicy(
  name: string,
  more: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return { group: `!Find [authentik_core.group, [name, ${name}]]`, ...more };
}
