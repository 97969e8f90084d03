import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { DoorwardOptions } from '../../src/app/options.ts';
import type { User } from '../../src/engine/user.ts';
import type { Doorward } from '../../src/index.ts';
import { ManualClock } from '../../src/kernel/clock.ts';
import { openHasher } from '../../src/testing/rig.ts';
import { emptyDatabase, given } from '../store/databases.ts';
import { type MailServer, openMailServer, type ReceivedMail } from './mail-server.ts';
import { type Around, startServer, type TestServer } from './server.ts';
import { type WebAnswer, WebClient } from './web-client.ts';

const unbounded = { perClient: Number.POSITIVE_INFINITY, inAll: Number.POSITIVE_INFINITY };
/** Everybody comes from loopback here. Counters against guessing are as ever. */
const unhurried = { passwords: unbounded, messages: unbounded, codes: unbounded, signUps: unbounded };

export const signIn = 'default-authentication-flow';

/** A server as strangers find it: real HTTP, a real mail server, one database, and a clock that stands still. */
export class AttackedSite {
  readonly clock = new ManualClock(Date.UTC(2026, 0, 1, 12));
  readonly #dialect: 'sqlite' | 'postgres';
  #server: TestServer | undefined;
  #mail: MailServer | undefined;
  #remove: () => Promise<void> = async () => undefined;

  constructor(dialect: 'sqlite' | 'postgres') {
    this.#dialect = dialect;
  }

  get auth(): Doorward {
    return given(this.#server).auth;
  }

  get origin(): string {
    return given(this.#server).origin;
  }

  get mail(): MailServer {
    return given(this.#mail);
  }

  async open(options: Partial<DoorwardOptions> = {}, around?: Around): Promise<void> {
    const { database, remove } = await emptyDatabase(this.#dialect);
    this.#remove = remove;
    this.#mail = await openMailServer();
    const mail = { smtp: this.#mail.url };
    const { clock } = this;
    this.#server = await startServer(
      {
        ...{ database, clock, mail, hasher: openHasher, rateLimits: unhurried },
        ...options,
      },
      around,
    );
  }

  async close(): Promise<void> {
    await this.#server?.close();
    await this.#mail?.close();
    await this.#remove();
  }

  browser(): WebClient {
    return new WebClient(this.origin);
  }

  /** Someone with the password `<username> password` and the address `<username>@example.com`. */
  async user(username: string, more: Partial<Parameters<Doorward['users']['create']>[0]> = {}): Promise<User> {
    const email = `${username}@example.com`;
    return this.auth.users.create({ username, email, password: `${username} password`, ...more });
  }

  async signedIn(username: string, password = `${username} password`): Promise<WebClient> {
    const browser = this.browser();
    await browser.open(signIn);
    await browser.answer({ uid_field: username });
    await browser.answer({ password });
    expect(browser.challenge).toEqual({ component: 'xak-flow-redirect', to: '/' });
    return browser;
  }

  /** The user is as they were made: the same names, the same password, still active. */
  async expectUnharmed(user: User): Promise<void> {
    const { username, name, email, attributes, isActive, type } = user;
    const now = given(await this.auth.users.get({ pk: user.id }));
    expect(now).toMatchObject({ username, name, email, attributes, isActive, type });
    expect(await (await this.signedIn(username)).whoAmI()).toBe(username);
  }

  async usernames(): Promise<readonly string[]> {
    return (await this.auth.users.list({ pageSize: 1_000 })).users.map(({ username }) => username);
  }

  /** The next message to it with a code in it; notices before it are passed over. */
  async proof(to: string): Promise<ReceivedMail> {
    const letter = await this.mail.next(to);
    return letter.code === '' ? this.proof(to) : letter;
  }
}

/** The flow of a link, and its page's query. */
export function placeOf(link: string): readonly [flow: string, query: string] {
  const url = new URL(link);
  return [url.pathname.split('/')[3] ?? '', url.search.slice(1)];
}

/** What a stranger can tell apart: status, headers without their random parts, and the body without what they typed. */
export function shapeOf({ status, headers, text }: WebAnswer, typed: string): string {
  const { date: _date, 'x-request-id': _id, 'doorward-step': step, 'set-cookie': cookies = [], ...others } = headers;
  const names = cookies.map((cookie) => cookie.replace(/=[^;]*/, ''));
  const length = text.length - text.split(typed).join('').length;
  return JSON.stringify([
    ...[status, step === undefined, names, { ...others, 'content-length': Number(others['content-length']) - length }],
    text.replaceAll(typed, '…').replace(/value="[^"]*~[^"]*"/g, ''),
  ]);
}

type Attacks = (site: AttackedSite) => void;

/** Runs the same attacks on a site on each database. */
export function attackOnBothDatabases(name: string, options: Partial<DoorwardOptions>, attacks: Attacks): void {
  for (const dialect of ['sqlite', 'postgres'] as const) attackOn(dialect, name, options, attacks);
}

/** For attacks in which the database has no say. */
export function attackOnSqlite(name: string, options: Partial<DoorwardOptions>, attacks: Attacks): void {
  attackOn('sqlite', name, options, attacks);
}

function attackOn(
  dialect: 'sqlite' | 'postgres',
  name: string,
  options: Partial<DoorwardOptions>,
  attacks: Attacks,
): void {
  describe(`${name} on ${dialect}`, () => {
    const site = new AttackedSite(dialect);
    beforeAll(() => site.open(options));
    afterAll(() => site.close());
    attacks(site);
  });
}
