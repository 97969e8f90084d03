import { parseArgs } from 'node:util';

/** The key of both servers. */
export const secret = 'what a benchmark keeps to itself is no secret';

/**
 * @typedef {object} PeerOptions
 * @property {string} database `postgres://…`, else the path of an SQLite file
 * @property {boolean} hashing false: passwords are kept as they are
 * @property {number} port 0 takes a free one
 * @property {boolean} migrated the schema is known to be there
 *
 * @typedef {object} Running
 * @property {number} port
 * @property {() => Promise<number>} users how many there are
 * @property {(cookie: string) => Promise<string | null>} signedIn the address of whose session it is
 *
 * @typedef {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => unknown} Listener
 */

/**
 * Starts a server with the options of the command line, tells its port (a message where there is IPC, else a line of
 * JSON), and then answers what the benchmark asks of it. It ends with the benchmark.
 *
 * @param {(options: PeerOptions) => Promise<Running>} start
 */
export async function runPeer(start) {
  const { values } = parseArgs({
    options: {
      database: { type: 'string', default: '' },
      hashing: { type: 'string', default: 'on' },
      port: { type: 'string', default: '0' },
      migrated: { type: 'boolean', default: false },
    },
  });
  const { database, hashing, port, migrated } = values;
  const running = await start({ database, hashing: hashing === 'on', port: Number(port), migrated });
  process.on('message', async (/** @type {{ id: number, ask: string, cookie: string }} */ { id, ask, cookie }) => {
    process.send?.({ id, answer: await answer(running, ask, cookie) });
  });
  process.on('disconnect', () => process.exit());
  process.on('SIGTERM', () => process.exit());
  if (process.send === undefined) console.log(JSON.stringify({ port: running.port }));
  else process.send({ port: running.port });
}

/**
 * @param {Running} running
 * @param {string} ask
 * @param {string} cookie
 */
async function answer(running, ask, cookie) {
  if (ask === 'users') return running.users();
  if (ask === 'signedIn') return running.signedIn(cookie);
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000, rssMb: process.memoryUsage.rss() / 1e6 };
}

/**
 * Gives the secret of the newest message to an address to whoever asks for it, beside the provider.
 *
 * @param {(address: string) => Promise<string>} secretFor
 * @param {Listener} others
 * @returns {Listener}
 */
export function withMail(secretFor, others) {
  const path = '/bench-mail/';
  return (request, response) => {
    if (request.url?.startsWith(path) !== true) return others(request, response);
    secretFor(request.url.slice(path.length)).then(
      (secret) => response.end(secret),
      (error) => response.writeHead(500).end(String(error)),
    );
  };
}

/**
 * Listens on 127.0.0.1 before the provider is made, because that wants to know its own origin.
 *
 * @param {import('node:http').Server} server
 * @param {number} port
 * @returns {Promise<number>}
 */
export function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
