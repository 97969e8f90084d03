import { median } from './statistics.js';
import { aligned, markdown } from './tables.js';

/**
 * @typedef {{ p50: number, p99: number }} Times milliseconds
 * @typedef {{ language: 'python' | 'javascript', name: string, bare: Times[], whole: Times[] }} Cost one value a round
 * @typedef {{ name: string, delay: Times[], answers: Times[] }} Load one value a round
 *
 * @typedef {object} Results
 * @property {string} date
 * @property {string} command
 * @property {ReturnType<typeof import('./machine.js').machine>} machine
 * @property {number} runs evaluations of a round
 * @property {number} rounds
 * @property {number} seconds of one load
 * @property {Cost[]} costs
 * @property {Load[]} loads
 */

export const heading = '## Expressions';
const target = { pythonMs: 0.6, delayMs: 20 };

/** For a terminal. @param {Results} results */
export function summary(results) {
  return [costRows(results.costs), loadRows(results.loads), targetRows(results)].map(aligned).join('\n\n');
}

/** @param {Cost[]} costs */
function costRows(costs) {
  return [
    ['language', 'policy', 'in-process p50 ms', 'p99', 'in a runner p50 ms', 'p99'],
    ...costs.map(({ language, name, bare, whole }) => [
      language === 'python' ? 'Python' : 'JavaScript',
      name,
      ...[bare, whole].flatMap((measured) => [spread(measured, 'p50'), spread(measured, 'p99')]),
    ]),
  ];
}

/** @param {Load[]} loads */
function loadRows(loads) {
  return [
    ['', 'event loop delay p50 ms', 'p99', 'a policy is answered p50 ms', 'p99'],
    ...loads.map(({ name, delay, answers }) => [
      name,
      ...[delay, answers].flatMap((measured) => [spread(measured, 'p50'), spread(measured, 'p99')]),
    ]),
  ];
}

function targetRows({ costs, loads }) {
  const python = costs
    .filter(({ language }) => language === 'python')
    .map(({ name, whole }) => ({ name, ms: median(whole.map(({ p50 }) => p50)) }));
  const slow = python.filter(({ ms }) => ms > target.pythonMs).map(({ name }) => name);
  const delay = median((loads[1]?.delay ?? []).map(({ p99 }) => p99));
  const verdict = (met) => (met ? 'met' : '**missed**');
  return [
    ['what', 'target', 'measured', ''],
    [
      'a warm Python policy with its round trip, p50',
      `at most ${target.pythonMs} ms`,
      python.map(({ name, ms }) => `${ms.toFixed(2)} ms: ${name}`).join('; '),
      slow.length === 0 ? 'met' : `**missed** for ${slow.join(', ')}`,
    ],
    [
      'event loop delay under attack, p99',
      `under ${target.delayMs} ms`,
      `${delay.toFixed(1)} ms`,
      verdict(delay < target.delayMs),
    ],
  ];
}

/** The median of the rounds, in brackets the lowest and the highest. */
function spread(measured, which) {
  const values = measured.map((times) => times[which]);
  const written = (value) => (value < 10 ? value.toFixed(2) : value.toFixed(0));
  return `${written(median(values))} (${written(Math.min(...values))}–${written(Math.max(...values))})`;
}

/** A section of docs/benchmarks.md. @param {Results} results */
export function section(results) {
  const { date, machine: on, command, runs, rounds, seconds } = results;
  return `${heading}

What a policy costs that is an expression. Made on ${date.slice(0, 10)} by \`${command}\` on ${on.cores} cores ${on.processor},
${on.memoryGb} GB, ${on.system}, Node ${on.node}, load average ${on.loadAverage.toFixed(2)} at the start. Numbers are medians of ${rounds} rounds, in
brackets the lowest and the highest.

### Warm

${runs} evaluations a round, one after the other. In-process is the same engine, source and values without the process
around it. Monty compiles a pattern for every evaluation; simple ones (as that of the second policy) are matched without it, others
are dear, in-process too. JavaScript gets a realm of its own for every evaluation; one is made ahead, which costs time here, where the
next evaluation comes at once, and none where there is a pause.

${markdown(costRows(results.costs))}

### Under attack

Eight at once run endless loops, memory bombs and patterns that try everything for ${seconds} seconds, with 100 ms each, in both
languages, while every 5 ms a Python policy asks to be answered: it waits for one of the runners that they hold. The event loop is
that of the process that has the pool, as the server's is; its delay is measured every millisecond, which is in it.

${markdown(loadRows(results.loads))}

### Their targets

${markdown(targetRows(results))}
`;
}
