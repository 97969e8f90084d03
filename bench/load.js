/*
 * The load, in a process of its own: N visitors after one another on each of N connections, none waiting between them.
 * `node load.js '{"peer":"doorward","journey":"enrollment","port":9000,"clients":8,"seconds":6,"warmup":2}'`; with IPC it says when the measured
 * time begins and ends, so that the server's CPU can be read at the same moments.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from './connection.js';
import { enrollments, password } from './enrollments.js';
import { journeys } from './journeys.js';
import { quantile } from './statistics.js';

/**
 * @typedef {object} Load
 * @property {import('./enrollments.js').Peer} peer
 * @property {import('./journeys.js').Journey} [journey] an enrollment by default
 * @property {number} port
 * @property {number} clients
 * @property {number} seconds measured
 * @property {number} warmup seconds before
 *
 * @typedef {object} LoadResult
 * @property {number} completed in the measured time
 * @property {number} total completed at all
 * @property {number} users who were enrolled
 * @property {number} seconds
 * @property {number} perSecond
 * @property {number} requestsPerSecond
 * @property {number} p50 milliseconds for one whole journey
 * @property {number} p99
 * @property {number} errors
 * @property {string | null} firstError
 * @property {string} cookie of the last visitor
 */

/** @type {Load} */
const load = JSON.parse(process.argv[2] ?? '{}');
const say = (/** @type {unknown} */ message) =>
  process.send === undefined ? console.log(JSON.stringify(message)) : process.send(message);
const { peer, journey = 'enrollment' } = load;
const travel = journeys[journey][peer];
const series = randomBytes(5).toString('hex');

let phase = 'warm-up';
let visitors = 0;
let total = 0;
let errors = 0;
/** @type {string | null} */
let firstError = null;
let cookie = '';
/** @type {number[]} */
let latencies = [];

const newcomer = () => ({ name: `v${series}${visitors++}`, password });

/** Whoever signs in or recovers their account has one: each connection is one person's. @param {Connection} connection */
async function enrolled(connection) {
  const visitor = newcomer();
  await enrollments[peer](connection, visitor.name);
  return visitor;
}

/** @param {Connection} connection @param {import('./journeys.js').Visitor | null} own */
async function visit(connection, own) {
  while (phase !== 'over') {
    const began = performance.now();
    try {
      cookie = await travel(connection, own ?? newcomer());
      total += 1;
      if (phase === 'measured') latencies.push(performance.now() - began);
    } catch (error) {
      errors += 1;
      firstError ??= String(error);
      // A server that refuses everything would otherwise be flooded.
      await sleep(50);
    }
  }
}

const connections = Array.from({ length: load.clients }, () => new Connection(load.port));
const answered = () => connections.reduce((sum, connection) => sum + connection.answers, 0);
const own = journey === 'enrollment' ? [] : await Promise.all(connections.map(enrolled));
const visits = connections.map((connection, index) => visit(connection, own[index] ?? null));

await sleep(load.warmup * 1000);
const answeredBefore = answered();
const began = performance.now();
say({ mark: 'begin' });
phase = 'measured';
await sleep(load.seconds * 1000);
phase = 'over';
say({ mark: 'end' });
const seconds = (performance.now() - began) / 1000;
const answers = answered() - answeredBefore;
const measured = latencies;
latencies = [];
// What is under way is finished, so that it does not weigh on whoever is measured next.
await Promise.all(visits);
const [connection] = connections;
const [someone] = own;
// A new password is one that signs in.
if (journey === 'recovery' && connection !== undefined && someone !== undefined)
  cookie = await journeys['sign-in'][peer](connection, someone);
for (const connection of connections) connection.close();

/** @type {LoadResult} */
const result = {
  completed: measured.length,
  total,
  users: visitors,
  seconds,
  perSecond: measured.length / seconds,
  requestsPerSecond: answers / seconds,
  p50: quantile(measured, 0.5),
  p99: quantile(measured, 0.99),
  errors,
  firstError,
  cookie,
};
say({ result });
process.disconnect?.();
