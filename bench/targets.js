import { median } from './statistics.js';

/**
 * @typedef {import('./run.js').Results} Results
 * @typedef {import('./run.js').Cell} Cell
 *
 * @typedef {object} Target
 * @property {string} name
 * @property {string} wanted
 * @property {string} measured
 * @property {string} missed where; empty when it is met
 */

const speeds = [
  { database: 'sqlite', hashing: 'on', atLeast: 6, name: 'SQLite, default hashing' },
  { database: 'postgres', hashing: 'on', atLeast: 5, name: 'PostgreSQL, default hashing' },
  { database: 'sqlite', hashing: 'off', atLeast: 2, name: 'SQLite, hashing off' },
  { database: 'postgres', hashing: 'off', atLeast: 2, name: 'PostgreSQL, hashing off' },
];
const most = { cpuPerHash: 1.15, coldStartMs: 500, idleMb: 100 };

/**
 * What Doorward wants to reach, and whether it did: at every number of clients, not only at the best.
 *
 * @param {Results} results
 * @returns {Target[]}
 */
export function targets({ cells, hash, starts }) {
  return [
    ...speeds.flatMap((speed) => speedTarget(speed, cells)),
    ...cpuTargets(cells, hash),
    ...(starts === null || starts.doorward.length === 0 ? [] : startTargets(starts.doorward)),
  ];
}

/**
 * @param {typeof speeds[number]} speed
 * @param {readonly Cell[]} cells
 * @returns {Target[]}
 */
function speedTarget({ database, hashing, atLeast, name }, cells) {
  const measured = cells
    .filter((cell) => cell.database === database && cell.hashing === hashing && complete(cell))
    .map(({ clients, rounds }) => {
      const peer = rounds['better-auth'];
      return {
        clients,
        value: median(rounds.doorward.map((round, index) => round.perSecond / (peer[index]?.perSecond ?? Number.NaN))),
      };
    });
  return judged(
    `enrollments/s against better-auth, ${name}`,
    `at least ${atLeast} ×`,
    measured,
    (value) => value >= atLeast,
  );
}

/**
 * @param {readonly Cell[]} cells
 * @param {Results['hash']} hash
 * @returns {Target[]}
 */
function cpuTargets(cells, hash) {
  const parallel = Math.max(...Object.keys(hash).map(Number));
  return ['sqlite', 'postgres'].flatMap((database) => {
    const measured = cells
      .filter((cell) => cell.database === database && cell.hashing === 'on' && cell.rounds.doorward.length > 0)
      .map(({ clients, rounds }) => {
        // One hash costs more when its neighbour core hashes too, so like is compared with like.
        const bare = median((hash[clients === 1 ? 1 : parallel] ?? []).map((run) => run.cpuMs));
        return { clients, value: median(rounds.doorward.map((round) => round.cpuMs / round.completed)) / bare };
      });
    const name = `CPU of an enrollment against one bare hash, ${database === 'sqlite' ? 'SQLite' : 'PostgreSQL'}`;
    return judged(name, `at most ${most.cpuPerHash} ×`, measured, (value) => value <= most.cpuPerHash);
  });
}

/**
 * @param {readonly import('./cold-start.js').Start[]} starts
 * @returns {Target[]}
 */
function startTargets(starts) {
  const ms = median(starts.map((start) => start.ms));
  const idleMb = median(starts.map((start) => start.idleMb));
  const verdict = (/** @type {boolean} */ met) => (met ? '' : 'by the median');
  return [
    {
      name: 'cold start with existing data',
      wanted: `under ${most.coldStartMs} ms`,
      measured: `${ms.toFixed(0)} ms`,
      missed: verdict(ms < most.coldStartMs),
    },
    {
      name: 'memory when idle',
      wanted: `under ${most.idleMb} MB`,
      measured: `${idleMb.toFixed(0)} MB`,
      missed: verdict(idleMb < most.idleMb),
    },
  ];
}

/**
 * @param {string} name
 * @param {string} wanted
 * @param {readonly { clients: number, value: number }[]} measured
 * @param {(value: number) => boolean} isMet
 * @returns {Target[]} none when nothing was measured
 */
function judged(name, wanted, measured, isMet) {
  if (measured.length === 0) return [];
  const missedAt = measured.filter(({ value }) => !isMet(value)).map(({ clients }) => clients);
  return [
    {
      name,
      wanted,
      measured: measured.map(({ clients, value }) => `${value.toFixed(2)} × at ${clients}`).join(', '),
      missed: missedAt.length === 0 ? '' : `at ${missedAt.join(', ')}`,
    },
  ];
}

/** @param {Cell} cell */
function complete({ rounds }) {
  return rounds.doorward.length > 0 && rounds['better-auth'].length > 0;
}
