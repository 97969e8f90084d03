import { randomBytes } from 'node:crypto';
import { Connection } from './connection.js';
import { answerDoorward, askDoorward } from './enrollments.js';
import { populate } from './population.js';
import { startServer } from './servers.js';
import { quantile } from './statistics.js';

/**
 * @typedef {object} Growth
 * @property {number} users who are there already
 * @property {number} posts measured
 * @property {number} p50 milliseconds of the POST that makes one more
 * @property {number} p99
 */

/** Posts to each server before anything is measured. */
const warmup = 200;
/** Posts to one server before it is the next one's turn. */
const turn = 25;

/**
 * Whether an enrollment takes longer when many users are there: one client, hashing off, a server for each size, all up
 * at once and asked in turns, so that a drift of the machine does not decide.
 *
 * @param {{ fresh: () => Promise<string>, sizes: readonly number[], posts: number, say: (line: string) => void }} options
 *   fresh: makes an empty database; posts: to each server
 * @returns {Promise<Growth[]>} in the order of the sizes
 */
export async function growth({ fresh, sizes, posts, say }) {
  const contenders = [];
  try {
    for (const users of sizes) {
      const database = await fresh();
      const began = performance.now();
      const first = await startServer('doorward', { database, hashing: false });
      await latencies(first.port, 1);
      await first.stop();
      await populate(database, users);
      const server = await startServer('doorward', { database, hashing: false });
      if ((await server.users()) !== users) throw new Error(`${await server.users()} users instead of ${users}`);
      say(`${users} users made in ${((performance.now() - began) / 1000).toFixed(1)} s`);
      contenders.push({ users, server, measured: /** @type {number[]} */ ([]) });
    }
    for (const { server } of contenders) await latencies(server.port, warmup);
    for (let round = 0; round < posts / turn; round++)
      for (const { server, measured } of round % 2 === 0 ? contenders : contenders.toReversed())
        measured.push(...(await latencies(server.port, turn)));
  } finally {
    for (const { server } of contenders) await server.stop();
  }
  return contenders.map(({ users, measured }) => ({
    ...{ users, posts: measured.length },
    ...{ p50: quantile(measured, 0.5), p99: quantile(measured, 0.99) },
  }));
}

/**
 * @param {number} port
 * @param {number} posts
 * @returns {Promise<number[]>} milliseconds of each
 */
async function latencies(port, posts) {
  const connection = new Connection(port);
  const measured = [];
  for (let visitor = 0; visitor < posts; visitor++) {
    const cookie = await askDoorward(connection);
    const began = performance.now();
    await answerDoorward(connection, cookie, `u${randomBytes(6).toString('hex')}`);
    measured.push(performance.now() - began);
  }
  connection.close();
  return measured;
}
