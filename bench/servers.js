import { fork } from 'node:child_process';
import { join } from 'node:path';

/**
 * @typedef {import('./enrollments.js').Peer} Peer
 * @typedef {import('./load.js').Load} Load
 * @typedef {import('./load.js').LoadResult} LoadResult
 *
 * @typedef {object} Server
 * @property {Peer} peer
 * @property {number} port
 * @property {() => Promise<{ cpuMs: number, rssMb: number }>} usage of the process since its start, and now
 * @property {() => Promise<number>} users
 * @property {(cookie: string) => Promise<string | null>} signedIn address of the user whose session the cookie is
 * @property {() => Promise<void>} stop
 */

/** @type {readonly Peer[]} */
export const peers = ['better-auth', 'doorward'];

/** @param {Peer} peer */
export function peerFile(peer) {
  return join(import.meta.dirname, 'peers', `${peer}.js`);
}

/** The environment of every measured process: nothing that a developer's shell sets changes what is measured. */
export function cleanEnvironment() {
  const { PATH, HOME, TMPDIR } = process.env;
  return { ...(TMPDIR === undefined ? {} : { TMPDIR }), PATH, HOME, NODE_ENV: 'production' };
}

/**
 * @param {Peer} peer
 * @param {{ database: string, hashing: boolean, nodeFlags?: readonly string[] }} options
 * @returns {Promise<Server>} when it listens
 */
export async function startServer(peer, { database, hashing, nodeFlags = [] }) {
  const child = fork(peerFile(peer), ['--database', database, '--hashing', hashing ? 'on' : 'off'], {
    execArgv: [...nodeFlags],
    env: cleanEnvironment(),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  /** @type {Map<number, (answer: any) => void>} */
  const waiting = new Map();
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const port = await new Promise((resolve, reject) => {
    child.on('message', (/** @type {any} */ message) => {
      if (message.port !== undefined) resolve(message.port);
      else waiting.get(message.id)?.(message.answer);
    });
    child.once('exit', (code) => reject(new Error(`${peer} ended with code ${code} before it listened`)));
  });
  let questions = 0;
  const ask = (/** @type {string} */ question, cookie = '') =>
    new Promise((resolve, reject) => {
      const id = questions++;
      waiting.set(id, resolve);
      exited.then((code) => reject(new Error(`${peer} ended with code ${code}`)));
      child.send({ id, ask: question, cookie });
    });
  return {
    ...{ peer, port },
    usage: () => ask('usage'),
    users: () => ask('users'),
    signedIn: (cookie) => ask('signedIn', cookie),
    async stop() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/**
 * Loads a server and checks what came of it: no error, as many new users as enrolled, and a cookie that is a session.
 *
 * @param {Server} server
 * @param {Omit<Load, 'peer' | 'port'>} load
 * @returns {Promise<LoadResult & { cpuMs: number, rssMb: number }>} cpuMs: of the server, in the measured time
 */
export async function measure(server, load) {
  const before = await server.users();
  /** @type {Promise<{ cpuMs: number, rssMb: number }>[]} */
  const usages = [];
  /** @type {LoadResult} */
  const result = await new Promise((resolve, reject) => {
    const whole = { ...load, peer: server.peer, port: server.port };
    const child = fork(join(import.meta.dirname, 'load.js'), [JSON.stringify(whole)], { env: cleanEnvironment() });
    child.on('message', (/** @type {any} */ message) => {
      if (message.mark !== undefined) usages.push(server.usage());
      else resolve(message.result);
    });
    child.once('exit', (code) => reject(new Error(`the load ended with code ${code}`)));
  });
  const [begin, end] = await Promise.all(usages);
  if (begin === undefined || end === undefined) throw new Error('the load did not say when it was measured');
  await check(server, result, (await server.users()) - before);
  return { ...result, cpuMs: end.cpuMs - begin.cpuMs, rssMb: end.rssMb };
}

/**
 * @param {Server} server
 * @param {LoadResult} result
 * @param {number} users new ones
 */
async function check({ peer, signedIn }, { total, users: enrolled, errors, firstError, cookie }, users) {
  if (errors > 0)
    throw new Error(`${peer}: ${errors} of ${errors + total} visitors failed, the first with: ${firstError}`);
  if (users !== enrolled) throw new Error(`${peer}: ${enrolled} enrollments made ${users} users`);
  if ((await signedIn(cookie)) === null) throw new Error(`${peer}: the cookie of the last visitor is no session`);
}
