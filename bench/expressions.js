/*
 * What an expression policy costs, and what the server's process notes of an attack by expressions. `node bench/expressions.js`
 * builds what it measures; `--write-docs` writes its section of docs/benchmarks.md, and nothing else of that file.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { expressionRunner } from '../scripts/expression-runner.js';
import { heading, section, summary } from './expressions-report.js';
import { machine } from './machine.js';
import { withSection } from './sections.js';
import { quantile } from './statistics.js';

/**
 * @typedef {'python' | 'javascript'} Language
 * @typedef {import('./expressions-report.js').Cost} Cost
 * @typedef {import('./expressions-report.js').Load} Load
 */

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    'write-docs': { type: 'boolean', default: false },
  },
});
const [runs, rounds, seconds] = [Number(options.runs), Number(options.rounds), Number(options.seconds)];
const root = join(import.meta.dirname, '..');
const docs = join(root, 'docs', 'benchmarks.md');
const limitMs = 1_000;
const host = async () => null;

/** About 700 bytes of JSON. */
const user = {
  ...{ $object: 'user', pk: 7, username: 'ada', name: 'Ada Lovelace', email: 'ada@example.com', is_active: true },
  ...{ type: 'internal', path: 'users', attributes: { settings: { locale: 'en' }, team: 'engines' } },
};
const variables = {
  ak_is_sso_flow: true,
  request: { $object: 'request', user, http_request: { $object: 'http_request', method: 'GET', path: '/' } },
  context: {
    prompt_data: { username: '', name: 'Ada Lovelace', email: 'Ada@Example.com', 'attributes.company': 'Engines' },
    flow_plan: { $object: 'flow_plan' },
    source: 'directory',
    auth_method: 'password',
    auth_method_args: { known_device: true, mfa_devices: [] },
    groups: ['staff', 'engineers', 'readers'],
    pending_user: user,
  },
};

/** @type {{ language: Language, name: string, source: string }[]} */
const policies = [
  { language: 'python', name: 'a flag', source: 'return ak_is_sso_flow' },
  {
    language: 'python',
    name: 'the whole context, read and written',
    source: `email = context["prompt_data"]["email"].lower()
if ak_is_sso_flow and not regex_match(email, r"@example\\.com$"):
    ak_message("Only for us")
    return False
context["prompt_data"]["username"] = email.split("@")[0]
return request.user.is_active and "staff" in request.context.get("groups", [])`,
  },
  {
    language: 'python',
    name: 'a pattern that is not simple',
    source: 'return regex_match(context["prompt_data"]["email"], r"^(?=\\w)[\\w.]+@[\\w.]+\\.com$")',
  },
  { language: 'javascript', name: 'a flag', source: 'return ak_is_sso_flow' },
  {
    language: 'javascript',
    name: 'the whole context, read and written',
    source: `const email = context.prompt_data.email.toLowerCase();
if (ak_is_sso_flow && !regex_match(email, '@example\\\\.com$')) {
  ak_message('Only for us');
  return false;
}
context.prompt_data.username = email.split('@')[0];
return request.user.is_active && request.context.groups.includes('staff')`,
  },
];

const attacks = /** @type {[Language, string][]} */ ([
  ['python', 'while True:\n    try:\n        while True:\n            pass\n    except:\n        pass'],
  ['python', 'a = [1]\nwhile True:\n    a = a + a'],
  ['python', 'a = [1]\nfor i in range(60):\n    a = [a, a]\nak_create_event("x", a=a)'],
  ['python', 'return regex_match("a" * 40 + "b", r"(a*)*\\1b")'],
  ['javascript', 'for (;;) try { for (;;) {} } catch {}'],
  ['javascript', 'const a = []; for (;;) a.push(new Uint8Array(1e6))'],
  ['javascript', 'return /(a+)+$/.test("a".repeat(40) + "b")'],
]);

const cache = join(root, 'node_modules', '.cache');
await mkdir(cache, { recursive: true });
const folder = await mkdtemp(join(cache, 'doorward-bench-'));
try {
  const machineNow = machine(null);
  const { createExpressions, createPython, createJavaScript } = await built();
  const engines = {
    python: await createPython(pathToFileURL(join(root, 'node_modules', '@pydantic', 'monty', 'wrapper.js')).href),
    javascript: await createJavaScript(),
  };
  const expressions = createExpressions();
  const costs = await costsOf(expressions, engines);
  const loads = await loadsOf(expressions);
  await expressions.close();
  const command = ['node bench/expressions.js', ...process.argv.slice(2)].join(' ');
  const results = { date: new Date().toISOString(), command, machine: machineNow, runs, rounds, seconds, costs, loads };
  await report(results);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** The adapter as it is shipped, and its engines without the process around them. */
async function built() {
  const entry = `export * from './expressions.ts';
    export { createPython } from './runner/python/engine.ts';
    export { createJavaScript } from './runner/javascript/engine.ts';`;
  await build({
    stdin: { contents: entry, resolveDir: join(root, 'src/adapters/expressions'), sourcefile: 'bench.ts' },
    ...{
      outfile: join(folder, 'expressions.js'),
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      minifySyntax: true,
    },
    loader: { '.wasm': 'binary', '.prelude.js': 'text' },
    banner: { js: "var require = process.getBuiltinModule('node:module').createRequire(import.meta.url);" },
    plugins: [expressionRunner(join(folder, 'expression-runner.js'))],
  });
  return import(pathToFileURL(join(folder, 'expressions.js')).href);
}

/** Each policy in this process and in a runner, in turns. */
async function costsOf(expressions, engines) {
  /** @type {Cost[]} */
  const costs = policies.map(({ language, name }) => ({ language, name, bare: [], whole: [] }));
  for (let round = -1; round < rounds; round += 1)
    for (const [index, { language, source }] of policies.entries()) {
      const words = new Set(source.match(/\w+/g));
      const crossing = Object.fromEntries(Object.entries(variables).filter(([name]) => words.has(name)));
      const job = { language, source, limitMs };
      const bare = await times(() => engines[language].evaluate({ ...job, variables: crossing }, host));
      const whole = await times(() => expressions.evaluate({ ...job, variables, host }));
      // The first round only warms up.
      if (round < 0) continue;
      costs[index]?.bare.push(bare);
      costs[index]?.whole.push(whole);
    }
  return costs;
}

/** How late this process's timers are, and how fast a policy is answered, at rest and under attack. */
async function loadsOf(expressions) {
  /** @type {Load[]} */
  const loads = [
    { name: 'at rest', delay: [], answers: [] },
    { name: 'under attack', delay: [], answers: [] },
  ];
  for (let round = 0; round < rounds; round += 1)
    for (const [index, load] of loads.entries()) {
      const { delay, answers } = await loaded(expressions, index === 1);
      load.delay.push(delay);
      load.answers.push(answers);
    }
  return loads;
}

async function loaded(expressions, attacked) {
  const until = performance.now() + seconds * 1000;
  const attackers = Array.from({ length: attacked ? 8 : 0 }, async (_, first) => {
    for (let turn = first; performance.now() < until; turn += 1) {
      const [language, source] = attacks[turn % attacks.length] ?? ['python', ''];
      await expressions.evaluate({ language, source, variables: {}, host, limitMs: 100 }).catch(() => {});
    }
  });
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  const taken = [];
  while (performance.now() < until) {
    const begun = performance.now();
    await expressions
      .evaluate({ language: 'python', source: 'return 1', variables: {}, host, limitMs })
      .catch(() => {});
    taken.push(performance.now() - begun);
    await pause(5);
  }
  histogram.disable();
  await Promise.all(attackers);
  const delay = { p50: histogram.percentile(50) / 1e6, p99: histogram.percentile(99) / 1e6 };
  return { delay, answers: summed(taken) };
}

async function times(evaluate) {
  const taken = [];
  for (let run = 0; run < runs; run += 1) {
    const begun = performance.now();
    await evaluate();
    taken.push(performance.now() - begun);
  }
  return summed(taken);
}

function summed(taken) {
  return { p50: quantile(taken, 0.5), p99: quantile(taken, 0.99) };
}

async function report(results) {
  await mkdir(join(import.meta.dirname, 'results'), { recursive: true });
  const file = join(import.meta.dirname, 'results', `expressions-${results.date.replaceAll(':', '-')}.json`);
  await writeFile(file, `${JSON.stringify(results, null, 2)}\n`);
  console.log(summary(results));
  console.error(`\nall numbers: ${file}`);
  if (options['write-docs'])
    await writeFile(docs, withSection(await readFile(docs, 'utf8'), heading, section(results)));
}
