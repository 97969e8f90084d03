import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What is cut: the connection of the commit alone, or the way to the database altogether, until it is opened again. */
export type CutKind = 'connection' | 'database';

/** Splits a stream of PostgreSQL's protocol into its messages; the first one of a client has no type. */
class Messages {
  #rest: Buffer = Buffer.alloc(0);
  #typed: boolean;

  constructor(typed: boolean) {
    this.#typed = typed;
  }

  take(chunk: Buffer): readonly Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const whole: Buffer[] = [];
    for (;;) {
      const head = this.#typed ? 1 : 0;
      if (this.#rest.length < head + 4) return whole;
      const length = head + this.#rest.readInt32BE(head);
      if (this.#rest.length < length) return whole;
      whole.push(this.#rest.subarray(0, length));
      this.#rest = this.#rest.subarray(length);
      this.#typed = true;
    }
  }
}

/**
 * Stands between a server and PostgreSQL and cuts in the middle of a commit: at its n-th message, counted in both
 * directions from the one that begins it, so that every place of every statement has its turn.
 */
export class CommitCutter {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #armed: { readonly at: number; readonly kind: CutKind } | null = null;
  /** The connection on which a commit is under way, and its messages so far. */
  #commit: { readonly client: Socket; messages: number } | null = null;
  #shut = false;
  #cut = false;

  private constructor(target: URL) {
    this.#server = createServer((client) => this.#join(client, target));
  }

  /** A cutter, and the address of the database through it. */
  static async before(database: string): Promise<{ cutter: CommitCutter; url: string }> {
    const url = new URL(database);
    const cutter = new CommitCutter(new URL(database));
    cutter.#server.listen(0, '127.0.0.1');
    await once(cutter.#server, 'listening');
    const address = cutter.#server.address();
    url.hostname = '127.0.0.1';
    url.port = String(typeof address === 'object' && address !== null ? address.port : 0);
    return { cutter, url: url.href };
  }

  /** The next commit is cut instead of its message number `at` (from 0). */
  arm(at: number, kind: CutKind): void {
    this.#armed = { at, kind };
    this.#commit = null;
    this.#cut = false;
  }

  /** Lets everything through again. @returns whether a commit was cut; false when it had fewer messages */
  disarm(): boolean {
    this.#armed = null;
    this.#shut = false;
    return this.#cut;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket, target: URL): void {
    if (this.#shut) return void client.destroy();
    const server = connect({ port: Number(target.port || 5432), host: target.hostname, noDelay: true });
    client.setNoDelay(true);
    const texts = new Map<string, string>();
    const pairs = [
      { from: client, to: server, messages: new Messages(false) },
      { from: server, to: client, messages: new Messages(true) },
    ];
    for (const { from, to, messages } of pairs) {
      this.#sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#sockets.delete(from);
        to.end();
      });
      from.on('data', (chunk: Buffer) => {
        const through: Buffer[] = [];
        for (const message of messages.take(chunk)) {
          // Each is looked at, since it may name a statement for later.
          if (from === client && beginsCommit(message, texts) && this.#armed !== null)
            this.#commit ??= { client, messages: 0 };
          if (this.#isTheOne(client)) return this.#cutHere({ from, to, through });
          if (from === server && this.#commit?.client === client && endsCommit(message)) this.#armed = null;
          through.push(message);
        }
        if (through.length > 0) to.write(Buffer.concat(through));
      });
    }
  }

  /** Counts a message of the commit. */
  #isTheOne(client: Socket): boolean {
    if (this.#armed === null || this.#commit?.client !== client) return false;
    this.#commit.messages += 1;
    return this.#commit.messages > this.#armed.at;
  }

  /** What came before gets through, so that the database does what it was told until here. */
  #cutHere({ from, to, through }: { from: Socket; to: Socket; through: readonly Buffer[] }): void {
    this.#cut = true;
    const kind = this.#armed?.kind;
    this.#armed = null;
    to.end(Buffer.concat(through));
    from.destroy();
    if (kind !== 'database') return;
    this.#shut = true;
    for (const socket of this.#sockets) if (socket !== to) socket.destroy();
  }
}

/** Whether a client's message begins a step's commit: a transaction, or the one statement that is all of it. */
function beginsCommit(message: Buffer, texts: Map<string, string>): boolean {
  const type = String.fromCharCode(message[0] ?? 0);
  const [first = '', second = ''] = message.subarray(5).toString('latin1').split('\0', 2);
  if (type === 'Q') return first === 'BEGIN';
  if (type === 'P') texts.set(first, second);
  const text = type === 'P' ? second : type === 'B' ? (texts.get(second) ?? '') : '';
  return text.startsWith('WITH s0 AS') && /(?:INSERT INTO|UPDATE) doorward_run /.test(text);
}

/** The database is ready for something else, and no transaction is open. */
function endsCommit(message: Buffer): boolean {
  return message[0] === 'Z'.charCodeAt(0) && message[5] === 'I'.charCodeAt(0);
}
