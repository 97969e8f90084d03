import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between a server and its database; shut, nothing gets through and what was open is cut. */
export class Gate {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #shut = false;

  private constructor(target: URL) {
    this.#server = createServer((client) => {
      if (this.#shut) return void client.destroy();
      const server = connect(Number(target.port || 5432), target.hostname);
      for (const socket of [client, server]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#sockets.delete(socket);
          client.destroy();
          server.destroy();
        });
      }
      client.pipe(server).pipe(client);
    });
  }

  /** An open gate, and the address of the database through it. */
  static async before(database: string): Promise<{ gate: Gate; url: string }> {
    const url = new URL(database);
    const gate = new Gate(new URL(database));
    gate.#server.listen(0, '127.0.0.1');
    await once(gate.#server, 'listening');
    const address = gate.#server.address();
    url.hostname = '127.0.0.1';
    url.port = String(typeof address === 'object' && address !== null ? address.port : 0);
    return { gate, url: url.href };
  }

  shut(): void {
    this.#shut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  open(): void {
    this.#shut = false;
  }

  async close(): Promise<void> {
    this.shut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
