import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import type { DatabaseOption } from '../../src/app/options.ts';
import { openServer } from '../support/local-servers.ts';
import type { AsInLife, ServerOrder } from './server.ts';

/** What people reach all servers at; each listens on a port of its own. */
export const publicUrl = 'http://localhost:9000';
export const secretKey = 'a secret key of the drills with at least 32 bytes';

/** How many servers, and whether they hash passwords for real. */
export interface ClusterSize {
  readonly size: number;
  readonly hashing?: boolean;
  readonly asInLife?: AsInLife;
}

/** Server processes on one database, which can be killed and come back. */
export class Cluster {
  readonly #running = new Map<string, ChildProcess>();
  readonly #start: () => Promise<{ address: string; child: ChildProcess }>;
  readonly #stopReceiver: () => Promise<void>;
  #turn = 0;
  #up: (() => void)[] = [];

  private constructor(
    start: () => Promise<{ address: string; child: ChildProcess }>,
    stopReceiver: () => Promise<void>,
  ) {
    this.#start = start;
    this.#stopReceiver = stopReceiver;
  }

  /** `built` is the folder that `scripts/drill.js` bundled to. */
  static async start(
    built: string,
    database: DatabaseOption,
    { size, hashing = false, asInLife }: ClusterSize,
  ): Promise<Cluster> {
    const receiver = await openReceiver();
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const webhook = { url: receiver.url, secret };
    const order: ServerOrder = {
      ...{ database, publicUrl, secretKey, hashing, webhook },
      ...(asInLife === undefined ? {} : { asInLife }),
    };
    const cluster = new Cluster(() => startServer(built, order), receiver.close);
    // One after the other: the first one migrates and makes the flows.
    for (let index = 0; index < size; index += 1) await cluster.#add();
    return cluster;
  }

  /** The address of a server that is up, in turn; waits for one when none is. */
  async address(): Promise<string> {
    for (;;) {
      const addresses = [...this.#running.keys()];
      this.#turn += 1;
      const address = addresses[this.#turn % addresses.length];
      if (address !== undefined) return address;
      await new Promise<void>((resolve) => this.#up.push(resolve));
    }
  }

  /** Ends one server at once, as a crash does. */
  async kill(): Promise<void> {
    const [victim] = this.#running;
    if (victim === undefined) return;
    const [address, child] = victim;
    this.#running.delete(address);
    await killed(child);
  }

  /** A new server in place of a killed one. */
  async revive(): Promise<void> {
    await this.#add();
  }

  async stop(): Promise<void> {
    const children = [...this.#running.values()];
    this.#running.clear();
    await Promise.all(children.map(killed));
    await this.#stopReceiver();
  }

  async #add(): Promise<void> {
    const { address, child } = await this.#start();
    this.#running.set(address, child);
    for (const waiting of this.#up.splice(0)) waiting();
  }
}

async function startServer(built: string, order: ServerOrder): Promise<{ address: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [join(built, 'server.js'), JSON.stringify(order)], {
    env: { PATH: process.env.PATH ?? '' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`a server of the drill ended with ${String(code)}`);
  });
  ended.catch(() => undefined);
  const [{ port }] = (await Promise.race([once(child, 'message'), ended])) as [{ port: number }];
  return { address: `http://127.0.0.1:${port}`, child };
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** The other side of the webhooks: takes all of them. */
export async function openReceiver(): Promise<{ url: string; close(): Promise<void> }> {
  const { origin, close } = await openServer((request, response) => {
    request.resume();
    response.writeHead(204).end();
  });
  return { url: `${origin}/`, close };
}
