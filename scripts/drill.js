/*
 * Drills: concurrency, crashes and cut connections, on both databases, with real server processes.
 * `npm run drill -- --help` says what there is. The drills are TypeScript, which Node 20 does not run, so they are bundled.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { buildOptions } from './build.js';
import { expressionRunner } from './expression-runner.js';

const root = fileURLToPath(new URL('..', import.meta.url));

const help = `Usage: npm run drill -- [concurrency] [kills] [cuts] [timing] [properties] [options]

  concurrency   one username wanted by all, doubled answers, edits of one profile at once
  kills         servers killed (SIGKILL) at random moments while people sign up
  cuts          the connection to PostgreSQL cut at every message of a commit
  timing        whether the time of an answer tells who has an account (wants a quiet machine)
  properties    the property tests of the user write, with many more cases (not part of the default)

  --writes N    sign-ups under kills on each database (100000)
  --pairs N     rounds of each flow whose times are compared (1500)
  --cases N     cases of each property (100000)
  --json        figures as JSON on standard output
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    bundle: { type: 'string' },
    cases: { type: 'string', default: '100000' },
    help: { type: 'boolean', default: false },
    pairs: { type: 'string', default: '1500' },
    json: { type: 'boolean', default: false },
    writes: { type: 'string', default: '100000' },
  },
});

/** Bundles the drills and their server process to a folder, from which the installed packages can be found. */
async function bundle(outdir) {
  const entryPoints = {
    drill: 'test/drills/main.ts',
    server: 'test/drills/server.ts',
    'mail-sink': 'test/drills/mail-sink.ts',
  };
  const plugins = [expressionRunner(resolve(root, outdir, 'expression-runner.js'))];
  await build({ ...buildOptions(), absWorkingDir: root, entryPoints, outdir, plugins, metafile: false });
}

/** The suite's own property tests, told to try harder. */
async function properties(cases) {
  const env = { ...process.env, DOORWARD_PROPERTY_CASES: cases, DOORWARD_PROPERTY_SEED: String(Date.now() % 2 ** 31) };
  const child = spawn(
    process.execPath,
    [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', 'src/stages/user-write/properties.test.ts'],
    { cwd: root, stdio: 'inherit', env },
  );
  return new Promise((resolve) => child.once('exit', (code) => resolve(code === 0)));
}

async function drills(names) {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const built = mkdtempSync(join(cache, 'doorward-drill-'));
  try {
    await bundle(built);
    const { main } = await import(pathToFileURL(join(built, 'drill.js')).href);
    return await main({ built, names, writes: Number(values.writes), pairs: Number(values.pairs), json: values.json });
  } finally {
    rmSync(built, { recursive: true, force: true });
  }
}

const known = ['concurrency', 'kills', 'cuts', 'timing', 'properties'];
const unknown = positionals.filter((name) => !known.includes(name));
const numbers = [values.writes, values.pairs, values.cases];
if (values.help || unknown.length > 0 || !numbers.every((number) => /^[1-9]\d*$/.test(number))) {
  console.error(help);
  process.exitCode = values.help ? 0 : 2;
} else if (values.bundle !== undefined) {
  await bundle(join(root, values.bundle));
} else {
  const wanted = positionals.length === 0 ? known.slice(0, 4) : positionals;
  const others = wanted.filter((name) => name !== 'properties');
  const held = [
    !wanted.includes('properties') || (await properties(values.cases)),
    others.length === 0 || (await drills(others)),
  ];
  process.exitCode = held.every(Boolean) ? 0 : 1;
}
