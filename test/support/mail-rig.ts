import { afterAll, beforeAll, describe } from 'vitest';
import type { DoorwardOptions } from '../../src/app/options.ts';
import { ManualClock } from '../../src/kernel/clock.ts';
import type { Driver } from '../../src/store/driver.ts';
import { openDriver } from '../../src/store/open.ts';
import { createRig, type Rig, type Visitor, type VisitorOptions } from '../../src/testing/rig.ts';
import { emptyDatabase, given } from '../store/databases.ts';
import { type MailServer, openMailServer, type ReceivedMail } from './mail-server.ts';

/** A whole Doorward on one database with a real mail server and a clock that stands still. */
export class MailRig {
  readonly clock = new ManualClock(Date.UTC(2025, 0, 1, 12));
  readonly dialect: 'sqlite' | 'postgres';
  /** Errors that the server logged. */
  readonly errors: string[] = [];
  #rig: Rig | undefined;
  #mail: MailServer | undefined;
  #driver: Driver | undefined;
  #remove: () => Promise<void> = async () => undefined;

  constructor(dialect: 'sqlite' | 'postgres') {
    this.dialect = dialect;
  }

  get auth(): Rig['auth'] {
    return given(this.#rig).auth;
  }

  get mail(): MailServer {
    return given(this.#mail);
  }

  async open(options: Partial<DoorwardOptions> = {}): Promise<void> {
    const { database, remove } = await emptyDatabase(this.dialect);
    this.#remove = remove;
    this.#mail = await openMailServer();
    this.#rig = await createRig({
      log: (level, message, fields) => {
        if (level === 'error') this.errors.push(`${message} ${JSON.stringify(fields)}`);
      },
      ...{ database, clock: this.clock, mail: { smtp: this.#mail.url } },
      ...options,
    });
    this.#driver = await openDriver(database);
  }

  async close(): Promise<void> {
    await this.#rig?.close();
    await this.#driver?.close();
    await this.#mail?.close();
    await this.#remove();
  }

  visitor(options: VisitorOptions = {}): Visitor {
    return given(this.#rig).visitor(options);
  }

  /** The next message to an address that was not taken yet. */
  letter(to: string): Promise<ReceivedMail> {
    return this.mail.next(to);
  }

  /** The next one with a code; notices before it are passed over. */
  async proof(to: string): Promise<ReceivedMail> {
    const letter = await this.letter(to);
    return letter.code === '' ? this.proof(to) : letter;
  }

  async user(username: string, more: Partial<Parameters<Rig['auth']['users']['create']>[0]> = {}) {
    const email = `${username}@example.com`;
    return this.auth.users.create({ username, email, password: `${username} password`, ...more });
  }

  async find(username: string) {
    return this.auth.users.get({ username });
  }

  /** Messages of the outbox, those to nobody included. */
  async messages(): Promise<number> {
    return (await given(this.#driver).read({ text: 'SELECT 1 FROM doorward_outbox', params: [] })).length;
  }

  /** The flow of a link and its page's query. */
  place({ link }: Pick<ReceivedMail, 'link'>): readonly [flow: string, query: string] {
    const url = new URL(link);
    return [url.pathname.split('/')[3] ?? '', url.search.slice(1)];
  }

  /** Another browser opens a link, and confirms. */
  async follow(letter: Pick<ReceivedMail, 'link'>, visitor = this.visitor()): Promise<Visitor> {
    await visitor.open(...this.place(letter));
    visitor.expectAsk('ak-stage-consent');
    await visitor.answer();
    return visitor;
  }

  async signIn(username: string): Promise<Visitor> {
    const visitor = this.visitor();
    await visitor.open('default-authentication-flow');
    await visitor.answer({ uid_field: username });
    await visitor.answer({ password: `${username} password` });
    visitor.expectEnd();
    return visitor;
  }
}

/** Runs the same tests on both databases. */
export function withMailOnBothDatabases(
  name: string,
  options: Partial<DoorwardOptions>,
  tests: (rig: MailRig) => void,
): void {
  describe.each(['sqlite', 'postgres'] as const)(`${name} on %s`, (dialect) => {
    const rig = new MailRig(dialect);
    beforeAll(() => rig.open(options));
    afterAll(() => rig.close());
    tests(rig);
  });
}
