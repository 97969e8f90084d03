import { median } from './statistics.js';
import { aligned, databaseNames, markdown, number, targetTable } from './tables.js';
import { targets } from './targets.js';

/**
 * @typedef {import('./run.js').Results} Results
 * @typedef {import('./run.js').Cell} Cell
 * @typedef {import('./run.js').Round} Round
 */

const hashingNames = { on: 'default hashing', off: 'hashing off' };

/** For a terminal. @param {Results} results */
export function summary(results) {
  const parts = groups(results.cells, 'enrollments').map(({ title, rows }) => `${title}\n${aligned(rows)}`);
  return ['', ...parts, aligned(others(results)), aligned(targetTable(targets(results)))].join('\n\n');
}

/** docs/benchmarks.md. @param {Results} results */
export function document(results) {
  const { date, machine, versions, command, seconds, cells } = results;
  const rounds = Math.max(...cells.map((cell) => cell.rounds.doorward.length));
  const postgres = machine.postgres === null ? '' : `, PostgreSQL ${machine.postgres}`;
  const used = Object.entries(versions)
    .map((pair) => pair.join(' '))
    .join(', ');
  return `# Benchmarks

Made on ${date.slice(0, 10)} by \`${command}\`; \`npm run bench\` makes them anew. On another machine the numbers differ, the
relations less so.

**Machine.** ${machine.cores} cores ${machine.processor}, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}${postgres};
load average ${machine.loadAverage.toFixed(2)} at the start.

**Versions.** ${used}.

**What is compared.** One enrollment: a visitor whom the server has never seen becomes a user who is signed in.
better-auth (e-mail and password, its documented set-up) does it in one request, \`POST /api/auth/sign-up/email\`. Doorward
runs its shipped enrollment flow as a browser would: the GET that plans the flow and asks, the POST with the answers, the
user written, the visitor signed in. Every enrollment is checked by its answer and its session cookie, every cell by the
number of users in the database and by one cookie that must be a session.

**How.** Server and load are separate processes on the same cores, PostgreSQL a third. Each client is one keep-alive
connection that starts the next enrollment when the last one is done. A cell runs ${seconds} s after a warm-up. The servers
are measured in turns, and whoever began begins last in the next round (rounds: ${rounds}). Numbers are medians of the rounds, in brackets the lowest and
the highest. CPU is the server process's own, user and system, all threads; PostgreSQL's is not in it.

**Equal terms.** Both use the same SQLite driver (libsql) with WAL and synchronous=FULL, so an answered enrollment survives a
power cut in both; on PostgreSQL both have a pool of 16 connections. Rate limits, logs and
telemetry are off in both. Default hashing is scrypt (N=16384, r=16) in better-auth and argon2id (19 MiB, t=2) in Doorward, on
libuv's four threads; with hashing off both keep the password as it is, which shows the engines alone.

## Results

${groups(results.cells, 'enrollments')
  .map(({ title, rows }) => `### ${title}\n\n${markdown(rows)}`)
  .join('\n\n')}

### Besides

${markdown(others(results))}

## Targets

${markdown(targetTable(targets(results)))}
`;
}

/** One table for each database and hashing. @param {Cell[]} cells @param {string} what is done */
export function groups(cells, what) {
  const titles = [...new Set(cells.map(titleOf))];
  return titles.map((title) => ({
    title,
    rows: [
      [
        'clients',
        'server',
        `${what}/s`,
        'requests/s',
        'p50 ms',
        'p99 ms',
        'CPU ms each',
        'memory MB',
        'against better-auth',
      ],
      ...cells.filter((cell) => titleOf(cell) === title).flatMap(cellRows),
    ],
  }));
}

/** @param {Cell} cell */
function titleOf({ database, hashing }) {
  return `${databaseNames[database]}, ${hashingNames[hashing]}`;
}

/** @param {Cell} cell */
function cellRows({ clients, rounds }) {
  return Object.entries(rounds)
    .filter(([, of]) => of.length > 0)
    .map(([peer, of]) => [
      String(clients),
      peer === 'doorward' ? 'Doorward' : peer,
      spread(of.map((round) => round.perSecond)),
      number(median(of.map((round) => round.requestsPerSecond))),
      spread(of.map((round) => round.p50)),
      spread(of.map((round) => round.p99)),
      spread(of.map((round) => round.cpuMs / round.completed)),
      number(Math.max(...of.map((round) => round.rssMb))),
      peer === 'doorward' && rounds['better-auth'].length > 0 ? ratio(rounds) : '',
    ]);
}

/** @param {Cell['rounds']} rounds */
function ratio(rounds) {
  const peer = rounds['better-auth'];
  return `${spread(rounds.doorward.map((round, index) => round.perSecond / (peer[index]?.perSecond ?? Number.NaN)))} ×`;
}

/** @param {Results} results */
function others({ starts, hash, roundTrips }) {
  const rows = [['what', 'better-auth', 'Doorward']];
  if (starts !== null) {
    const of = (/** @type {'ms' | 'idleMb'} */ key) =>
      [starts['better-auth'], starts.doorward].map((runs) => spread(runs.map((run) => run[key])));
    rows.push([
      `cold start with existing data, ms (${Math.max(...Object.values(starts).map((runs) => runs.length))} runs)`,
      ...of('ms'),
    ]);
    rows.push(['memory when idle, MB', ...of('idleMb')]);
  }
  if (Object.keys(roundTrips).length > 0) {
    const counts = [roundTrips['better-auth'], roundTrips.doorward].map((count) => count?.toFixed(1) ?? '–');
    rows.push(['round trips to PostgreSQL per enrollment', ...counts]);
  }
  for (const [jobs, runs] of Object.entries(hash)) {
    const rate = spread(runs.map((run) => run.perSecond));
    const cpu = spread(runs.map((run) => run.cpuMs));
    rows.push([`nothing but argon2id, ${jobs} at once`, '', `${rate} hashes/s, ${cpu} ms CPU each`]);
  }
  return rows;
}

/** @param {readonly number[]} values */
function spread(values) {
  const middle = number(median(values));
  return values.length < 2 ? middle : `${middle} (${number(Math.min(...values))}–${number(Math.max(...values))})`;
}
