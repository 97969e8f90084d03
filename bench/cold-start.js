import { spawn } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { secret } from './peers/control.js';
import { cleanEnvironment, measure, peerFile, startServer } from './servers.js';

/**
 * @typedef {object} Start
 * @property {number} ms from spawning the process to the first 200
 * @property {number} idleMb resident memory a second later, megabytes
 *
 * @typedef {object} Program
 * @property {string[]} args of node
 * @property {string} ready address that answers 200 when the server is ready
 * @property {Record<string, string>} env
 *
 * @typedef {import('./servers.js').Peer} Peer
 */

/**
 * Starts each server with the data of some hundred enrollments, in turns.
 *
 * @param {{ folder: string, runs: number, peers: readonly Peer[] }} options
 * @returns {Promise<Record<Peer, Start[]>>}
 */
export async function coldStarts({ folder, runs, peers }) {
  const home = await mkdtemp(join(folder, 'cold-'));
  for (const peer of peers) {
    const server = await startServer(peer, { database: join(home, `${peer}.sqlite`), hashing: false });
    await measure(server, { clients: 4, seconds: 1, warmup: 0 });
    await server.stop();
  }
  /** @type {Record<Peer, Start[]>} */
  const starts = { 'better-auth': [], doorward: [] };
  for (let run = 0; run < runs; run++)
    for (const peer of peers) starts[peer].push(await start(programs[peer](home, await freePort())));
  return starts;
}

/** @type {Record<Peer, (home: string, port: number) => Program>} */
const programs = {
  'better-auth': (home, port) => ({
    args: [
      peerFile('better-auth'),
      '--database',
      join(home, 'better-auth.sqlite'),
      '--port',
      String(port),
      '--migrated',
    ],
    ready: `http://127.0.0.1:${port}/api/auth/ok`,
    env: {},
  }),
  doorward: (home, port) => ({
    args: [join(import.meta.dirname, '..', 'dist', 'cli.js'), 'serve'],
    ready: `http://127.0.0.1:${port}/-/health/ready/`,
    env: {
      DOORWARD_PORT: String(port),
      DOORWARD_LOG_LEVEL: 'warn',
      DOORWARD_DATA_DIR: home,
      DOORWARD_SECRET_KEY: secret,
    },
  }),
};

/**
 * @param {Program} program
 * @returns {Promise<Start>}
 */
async function start({ args, ready, env }) {
  const began = performance.now();
  const child = spawn(process.execPath, args, {
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let ended = false;
  exited.then(() => {
    ended = true;
  });
  while (!(await isReady(ready))) {
    if (ended || performance.now() - began > 30_000) {
      child.kill('SIGKILL');
      throw new Error(`${args.join(' ')} did not get ready`);
    }
    await sleep(4);
  }
  const ms = performance.now() - began;
  await sleep(1000);
  const idleMb = await residentMb(child.pid ?? 0);
  child.kill('SIGTERM');
  await exited;
  return { ms, idleMb };
}

/**
 * @param {string} url
 * @returns {Promise<boolean>}
 */
function isReady(url) {
  return new Promise((resolve) => {
    const asked = request(url, { agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.on('error', () => resolve(false));
    asked.end();
  });
}

/**
 * @param {number} pid
 * @returns {Promise<number>} NaN where the system does not tell
 */
async function residentMb(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return (Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024) / 1e6;
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
