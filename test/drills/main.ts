/** The drills in full, for `npm run drill`: each on an empty database of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseOption } from '../../src/app/options.ts';
import { freshDatabase, startPostgres } from '../support/postgres.ts';
import { aligned } from './aligned.ts';
import { Cluster } from './cluster.ts';
import { type Drilled, doubleSubmits, edits, type Place, sameName } from './concurrency.ts';
import { CutRig } from './cuts.ts';
import { kills } from './kills.ts';
import { type Timing, timingFindings, timings } from './timing.ts';
import { timingTable } from './timing-table.ts';

export interface MainOptions {
  /** The folder that `scripts/drill.js` bundled to. */
  readonly built: string;
  readonly names: readonly string[];
  readonly writes: number;
  /** Rounds of the drill of times. */
  readonly pairs: number;
  readonly json: boolean;
}

/** One line of the summary. */
interface Figures {
  readonly drill: string;
  readonly database: 'sqlite' | 'postgres';
  readonly servers: number;
  readonly writes: number;
  readonly kills: number;
  readonly cuts: number;
  /** Requests whose connection was lost, or that were answered 429 or 503, and were sent again. */
  readonly sentAgain: number;
  readonly findings: readonly string[];
  readonly seconds: number;
}

type Dialect = Figures['database'];
type Fresh = (dialect: Dialect) => Promise<{ database: DatabaseOption; remove: () => Promise<void> }>;

/** @returns whether everything held */
export async function main({ built, names, writes, pairs, json }: MainOptions): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'doorward-drill-'));
  const postgres = await startPostgres();
  let made = 0;
  const fresh: Fresh = async (dialect) => {
    made += 1;
    if (dialect === 'sqlite')
      return { database: { sqlite: join(folder, `${made}.sqlite`) }, remove: async () => undefined };
    const { url, drop } = await freshDatabase(postgres);
    return { database: { postgres: url }, remove: drop };
  };
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const all: Figures[] = [];
  const timed: Timing[] = [];
  try {
    for (const dialect of ['sqlite', 'postgres'] as const) {
      const on = (name: string, work: Work, hashing = false) =>
        drilled({ built, dialect, fresh, hashing }, name, work, say);
      if (names.includes('concurrency'))
        all.push(
          await on('one username, 1,000 at once', (place) => sameName(place, 1_000)),
          await on('the same with real hashing', (place) => sameName(place, 1_000), true),
          await on('200 visitors, each step twice', (place) => doubleSubmits(place, 200)),
          await on('49 edits of one profile at once', (place) => edits(place, 49)),
        );
      if (names.includes('kills'))
        all.push(await on('servers killed', (place) => killed(place, writes, (line) => say(`  ${dialect}: ${line}`))));
    }
    if (names.includes('cuts')) all.push(await cut(fresh, say));
    if (names.includes('timing')) timed.push(...(await everyTiming({ built, pairs, fresh, say })));
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const machine = { cpus: cpus().length, load: loadavg(), node: process.version };
  const tables = [...(all.length > 0 ? [table(all)] : []), ...(timed.length > 0 ? [timingTable(timed)] : [])];
  process.stdout.write(
    json ? `${JSON.stringify({ machine, drills: all, timings: timed }, null, 2)}\n` : tables.join('\n'),
  );
  return all.every(({ findings }) => findings.length === 0) && timingFindings(timed).length === 0;
}

interface TimingParts {
  readonly built: string;
  readonly pairs: number;
  readonly fresh: Fresh;
  readonly say: (line: string) => void;
}

/** On both databases; and with servers that leak on purpose, since a drill that finds nothing may be blind. */
async function everyTiming({ built, pairs, fresh, say }: TimingParts): Promise<readonly Timing[]> {
  const found: Timing[] = [];
  for (const dialect of ['sqlite', 'postgres'] as const)
    for (const leak of [null, ...(dialect === 'sqlite' ? (['no_decoy', 'slow_decoy'] as const) : [])]) {
      say(`what answers tell by their time, on ${dialect}`);
      const { database, remove } = await fresh(dialect);
      found.push(...(await timings({ built, dialect, database, pairs, leak, say })));
      await remove();
    }
  return found;
}

type Work = (place: Place) => Promise<Drilled & { readonly kills?: number }>;

async function drilled(
  { built, dialect, fresh, hashing }: { built: string; dialect: Dialect; fresh: Fresh; hashing: boolean },
  drill: string,
  work: Work,
  say: (line: string) => void,
): Promise<Figures> {
  say(`${drill}, on ${dialect}`);
  const { database, remove } = await fresh(dialect);
  const servers = dialect === 'postgres' ? 2 : 1;
  const cluster = await Cluster.start(built, database, { size: servers, hashing });
  const begun = performance.now();
  try {
    const { writes, tally, kills = 0, findings } = await work({ cluster, database });
    const sentAgain = tally.lost + (tally.refused[429] ?? 0) + (tally.refused[503] ?? 0);
    const seconds = (performance.now() - begun) / 1_000;
    return { drill, database: dialect, servers, writes, kills, cuts: 0, sentAgain, findings, seconds };
  } finally {
    await cluster.stop();
    await remove();
  }
}

function killed(place: Place, writes: number, say: (line: string) => void) {
  let said = 0;
  return kills(place, {
    ...{ writes, visitors: 16, every: Math.max(20, Math.min(1_500, Math.ceil(writes / 20))) },
    progress(done, kills, findings) {
      if (done - said < writes / 20) return;
      said = done;
      say(`${done} of ${writes} signed up, ${kills} kills, ${findings} findings`);
    },
  });
}

/** Every message of every kind of commit, many times over. */
async function cut(fresh: Fresh, say: (line: string) => void): Promise<Figures> {
  say('connections cut, on postgres');
  const { database, remove } = await fresh('postgres');
  const begun = performance.now();
  const rig = await CutRig.open('postgres' in database ? database.postgres : '');
  const total = { writes: 0, cuts: 0, sentAgain: 0 };
  const findings: string[] = [];
  try {
    for (let round = 0; round < 3; round += 1)
      for (const commit of ['statement', 'transaction'] as const)
        for (const run of ['insert', 'update'] as const)
          for (const kind of ['connection', 'database'] as const) {
            const swept = await rig.sweep({ commit, run, kind });
            say(`  ${commit}, ${run}, ${kind}: each of ${swept.messages} messages`);
            total.writes += swept.writes;
            total.cuts += swept.cuts;
            total.sentAgain += swept.sentAgain;
            findings.push(...swept.findings);
          }
  } finally {
    await rig.close();
    await remove();
  }
  const seconds = (performance.now() - begun) / 1_000;
  return { drill: 'connections cut', database: 'postgres', servers: 1, kills: 0, ...total, findings, seconds };
}

function table(all: readonly Figures[]): string {
  const head = ['drill', 'database', 'servers', 'writes', 'kills', 'cuts', 'sent again', 'findings', 'seconds'];
  const rows = all.map(({ drill, database, servers, writes, kills, cuts, sentAgain, findings, seconds }) => [
    ...[drill, database, servers, writes, kills, cuts, sentAgain, findings.length, Math.round(seconds)].map(String),
  ]);
  const found = all.flatMap(({ drill, database, findings }) =>
    findings.map((finding) => `${drill} on ${database}: ${finding}`),
  );
  return `${aligned([head, ...rows], [0, 1])}\n${found.map((finding) => `\n${finding}`).join('')}${found.length > 0 ? '\n' : ''}`;
}
