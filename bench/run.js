/*
 * better-auth and Doorward under the same load, in turns. `npm run bench` in the root builds Doorward, installs the peer and
 * runs this; `node bench/run.js --help` tells what can be chosen.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { heading as accountsHeading, accountsSection, accountsSummary } from './accounts-report.js';
import { coldStarts } from './cold-start.js';
import { openDatabases } from './databases.js';
import { heading as expressionsHeading } from './expressions-report.js';
import { machine, versions } from './machine.js';
import { profile } from './profile.js';
import { document, summary } from './report.js';
import { roundTrips } from './round-trips.js';
import { sectionOf, withSection } from './sections.js';
import { cleanEnvironment, measure, peers, startServer } from './servers.js';
import { userWrite } from './user-write.js';
import { heading, userWriteSection, userWriteSummary } from './user-write-report.js';

/**
 * @typedef {import('./databases.js').DatabaseKind} DatabaseKind
 * @typedef {Awaited<ReturnType<typeof measure>>} Round
 *
 * @typedef {object} Cell
 * @property {DatabaseKind} database
 * @property {'on' | 'off'} hashing
 * @property {number} clients
 * @property {Record<import('./servers.js').Peer, Round[]>} rounds in the order they ran
 *
 * @typedef {object} Results
 * @property {string} date
 * @property {ReturnType<typeof machine>} machine
 * @property {Record<string, string>} versions
 * @property {string} command
 * @property {number} seconds of one measurement
 * @property {Cell[]} cells
 * @property {{ 'sign-in': Cell[], recovery: Cell[] }} accounts
 * @property {Record<number, { perSecond: number, cpuMs: number }[]>} hash bare argon2id, by jobs at once
 * @property {Record<import('./servers.js').Peer, import('./cold-start.js').Start[]> | null} starts
 * @property {Partial<Record<import('./servers.js').Peer, number>>} roundTrips to PostgreSQL per enrollment
 * @property {import('./user-write.js').UserWrite | null} userWrite null when only the peers were measured
 */

const help = `node bench/run.js [options]
  --seconds 6              measured time of one cell
  --warmup 2               seconds of load before it
  --rounds 3               how often every cell is measured
  --databases sqlite,postgres
  --hashing on,off
  --clients 1,8,32
  --peers better-auth,doorward
  --starts 10              cold starts of each (0: none)
  --only peers|accounts|user-write  one part: enrollments compared, sign-ins and recoveries compared, what a user write costs
  --records 10000          of doorward run
  --users 1000,100000,1000000  who are there when one more enrolls
  --posts 1500             enrollments with each of these
  --write-docs             writes docs/benchmarks.md; with --only, its part of it
  --profile                only Doorward, one cell (the first of each list) under V8's profiler
BENCH_DATABASE_URL names a PostgreSQL server where databases may be created; without it a throwaway one is started.`;

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '6' },
    warmup: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    databases: { type: 'string', default: 'sqlite,postgres' },
    hashing: { type: 'string', default: 'on,off' },
    clients: { type: 'string', default: '1,8,32' },
    peers: { type: 'string', default: peers.join(',') },
    starts: { type: 'string', default: '10' },
    only: { type: 'string', default: '' },
    records: { type: 'string', default: '10000' },
    users: { type: 'string', default: '1000,100000,1000000' },
    posts: { type: 'string', default: '1500' },
    'write-docs': { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const parts = ['peers', 'accounts', 'user-write'];
if (!['', ...parts].includes(options.only)) throw new Error(`--only takes ${parts.join(' or ')}`);
if (options.help) {
  console.log(help);
  process.exit();
}

const root = join(import.meta.dirname, '..');
const kinds = /** @type {DatabaseKind[]} */ (options.databases.split(','));
const hashings = /** @type {('on' | 'off')[]} */ (options.hashing.split(','));
const clientCounts = options.clients.split(',').map(Number);
const chosen = peers.filter((peer) => options.peers.split(',').includes(peer));
const seconds = Number(options.seconds);
const warmup = Number(options.warmup);
const cores = availableParallelism();
const asked = (/** @type {string} */ part) => options.only === '' || options.only === part;
const say = (/** @type {string} */ line) => console.error(line);

await mkdir(join(import.meta.dirname, 'results'), { recursive: true });
const databases = await openDatabases(kinds);
try {
  if (options.profile) await profiled();
  else await measured();
} finally {
  await databases.close();
}

async function profiled() {
  const [kind = 'sqlite', hashing = 'off', clients = 8] = [
    kinds[0],
    options.hashing === 'on' ? 'on' : 'off',
    clientCounts.at(-1),
  ];
  const database = await databases.fresh(kind);
  say(`profile: ${kind}, hashing ${hashing}, ${clients} clients`);
  console.log(await profile({ folder: databases.folder, database, hashing: hashing === 'on', clients, seconds }));
}

async function measured() {
  /** @type {Results} */
  const results = {
    date: new Date().toISOString(),
    machine: machine(databases.postgres),
    versions: versions(),
    command: ['node bench/run.js', ...process.argv.slice(2)].join(' '),
    seconds,
    cells: [],
    accounts: { 'sign-in': [], recovery: [] },
    hash: {},
    starts: null,
    roundTrips: {},
    userWrite: null,
  };
  if (asked('peers')) await comparison(results);
  if (asked('accounts')) await accounts(results);
  if (asked('user-write'))
    results.userWrite = await userWrite(databases, {
      ...{ kinds, say, records: Number(options.records), posts: Number(options.posts) },
      sizes: options.users.split(',').map(Number),
    });

  const file = join(import.meta.dirname, 'results', `${results.date.replaceAll(':', '-')}.json`);
  await writeFile(file, `${JSON.stringify(results, null, 2)}\n`);
  if (asked('peers')) console.log(summary(results));
  if (asked('accounts')) console.log(accountsSummary(results));
  if (results.userWrite !== null) console.log(userWriteSummary(results.userWrite));
  say(`\nall numbers: ${file}`);
  if (options['write-docs']) await writeDocs(results);
}

/** What was not measured stays as it is. @param {Results} results */
async function writeDocs(results) {
  const file = join(root, 'docs', 'benchmarks.md');
  const before = await readFile(file, 'utf8').catch(() => '# Benchmarks\n');
  const { userWrite: measured } = results;
  const later = [
    [accountsHeading, asked('accounts') ? accountsSection(results) : sectionOf(before, accountsHeading)],
    [heading, measured === null ? sectionOf(before, heading) : userWriteSection(results, measured)],
    // What `bench/expressions.js` wrote is its own.
    [expressionsHeading, sectionOf(before, expressionsHeading)],
  ];
  let written = asked('peers') ? document(results) : before;
  for (const [title = '', section = ''] of later) written = withSection(written, title, section);
  await writeFile(file, written);
}

/** Sign-ins and recoveries of who is enrolled. @param {Results} results */
async function accounts(results) {
  for (const journey of /** @type {const} */ (['sign-in', 'recovery']))
    for (const database of kinds)
      for (const hashing of hashings)
        results.accounts[journey].push(...(await group(database, hashing, results, journey)));
}

/** Both servers under the same load. @param {Results} results */
async function comparison(results) {
  for (const database of kinds)
    for (const hashing of hashings) results.cells.push(...(await group(database, hashing, results)));
  if (kinds.includes('postgres'))
    for (const peer of chosen) results.roundTrips[peer] = await roundTrips(peer, await databases.fresh('postgres'));
  const runs = Number(options.starts);
  if (runs > 0) results.starts = await coldStarts({ folder: databases.folder, runs, peers: chosen });
}

/**
 * One database and hashing: both servers are up all the while, each on its own database, and are loaded in turns. Who
 * begins changes every round.
 *
 * @param {DatabaseKind} database
 * @param {'on' | 'off'} hashing
 * @param {Results} results gets the bare hash rates, measured in the same rounds as enrollments
 * @param {import('./journeys.js').Journey} [journey]
 * @returns {Promise<Cell[]>}
 */
async function group(database, hashing, results, journey = 'enrollment') {
  const servers = [];
  for (const peer of chosen)
    servers.push(await startServer(peer, { database: await databases.fresh(database), hashing: hashing === 'on' }));
  /** @type {Cell[]} */
  const cells = clientCounts.map((clients) => ({
    database,
    hashing,
    clients,
    rounds: { 'better-auth': [], doorward: [] },
  }));
  try {
    // The compiler's warm-up; what follows is each cell's own.
    for (const server of servers) await measure(server, { journey, clients: 8, seconds: warmup, warmup: 0 });
    for (let round = 0; round < Number(options.rounds); round++) {
      if (hashing === 'on' && journey === 'enrollment') for (const jobs of new Set([1, cores])) bareHash(jobs, results);
      for (const { clients, rounds } of cells) {
        for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
          const result = await measure(server, { journey, clients, seconds, warmup });
          rounds[server.peer].push(result);
          const { perSecond, p50, p99 } = result;
          const what = `${journey}, ${database}, hashing ${hashing}, ${clients} clients, ${server.peer}`;
          say(`${what}: ${perSecond.toFixed(1)}/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
        }
      }
    }
  } finally {
    for (const server of servers) await server.stop();
  }
  return cells;
}

/**
 * @param {number} jobs at once
 * @param {Results} results
 */
function bareHash(jobs, results) {
  const args = [join(import.meta.dirname, 'hash.js'), String(jobs), String(Math.min(seconds, 3))];
  const output = execFileSync(process.execPath, args, { env: cleanEnvironment(), encoding: 'utf8' });
  results.hash[jobs] = [...(results.hash[jobs] ?? []), JSON.parse(output)];
}
