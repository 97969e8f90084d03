import { connect, createServer } from 'node:net';
import { measure, startServer } from './servers.js';

/**
 * How often an enrollment waits for PostgreSQL, counted on the wire between the server and its database. Not while
 * speed is measured.
 *
 * @param {import('./servers.js').Peer} peer
 * @param {string} database `postgres://…`
 * @returns {Promise<number>} round trips per enrollment
 */
export async function roundTrips(peer, database) {
  const target = new URL(database);
  let count = 0;
  const proxy = createServer((client) => {
    const server = connect({ host: target.hostname, port: Number(target.port || 5432) });
    const read = frontendMessages((type) => {
      if (type === 'Q' || type === 'S') count += 1;
    });
    client.on('data', (/** @type {Buffer} */ data) => read(data));
    client.pipe(server).pipe(client);
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', () => resolve(null)));
  const address = proxy.address();
  const through = new URL(database);
  through.hostname = '127.0.0.1';
  through.port = String(typeof address === 'object' && address !== null ? address.port : 0);
  const server = await startServer(peer, { database: through.href, hashing: false });
  try {
    // Connections are opened and statements prepared first.
    await measure(server, { clients: 1, seconds: 0.3, warmup: 0 });
    // Both counts of users are taken through the proxy as well.
    const apart = await counted(async () => void (await server.users()));
    let total = 0;
    const all = await counted(async () => {
      ({ total } = await measure(server, { clients: 1, seconds: 0.7, warmup: 0 }));
    });
    return (all - 2 * apart) / total;
  } finally {
    await server.stop();
    proxy.close();
  }

  /** @param {() => Promise<void>} work */
  async function counted(work) {
    const before = count;
    await work();
    return count - before;
  }
}

/**
 * Reads the messages that a PostgreSQL client sends: the first has no type, each has its length.
 *
 * @param {(type: string) => void} seen
 */
function frontendMessages(seen) {
  let rest = Buffer.alloc(0);
  let started = false;
  return (/** @type {Buffer} */ data) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      const typed = started ? 1 : 0;
      if (rest.length < typed + 4) return;
      const size = typed + rest.readUInt32BE(typed);
      if (rest.length < size) return;
      if (started) seen(String.fromCharCode(rest[0] ?? 0));
      started = true;
      rest = rest.subarray(size);
    }
  };
}
