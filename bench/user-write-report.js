import { aligned, databaseNames, markdown, number, targetTable } from './tables.js';

/**
 * @typedef {import('./run.js').Results} Results
 * @typedef {import('./user-write.js').UserWrite} UserWrite
 * @typedef {import('./user-write.js').OnDatabase} OnDatabase
 * @typedef {import('./targets.js').Target} Target
 */

export const heading = '## The user write';
/** How much longer it may take with the most users than with the fewest, and a key among many than among some. */
const most = { growth: 1.2, key: 1.25 };

/** For a terminal. @param {UserWrite} results */
export function userWriteSummary(results) {
  const tables = [
    ...parts(results).map(({ title, rows }) => `${title}\n${aligned(rows)}`),
    aligned(targetRows(results)),
  ];
  return ['', heading.replace('## ', ''), ...tables].join('\n\n');
}

/** A section of docs/benchmarks.md. @param {Results} results @param {UserWrite} measured */
export function userWriteSection({ date, command, machine }, measured) {
  const sections = parts(measured).map(({ title, text, rows }) => `### ${title}\n\n${text}\n\n${markdown(rows)}`);
  return `${heading}

What one write of a user costs, hashing off. Made on ${date.slice(0, 10)} by \`${command}\`, load average
${machine.loadAverage.toFixed(2)} at the start.

${sections.join('\n\n')}

### Its targets

${markdown(targetRows(measured))}
`;
}

/** @param {UserWrite} results */
function parts(results) {
  const measured = /** @type {[keyof typeof databaseNames, OnDatabase][]} */ (Object.entries(results.databases));
  return [
    {
      title: 'What an enrollment asks of the database',
      text: `Means of a hundred enrollments, counted at the driver. A commit is one statement to PostgreSQL, folded of one for each table;
its parts are counted. The floor: a first page needs no database; an answer needs one read (who asks, where they
stand, which version of the flow) and one transaction with one statement for each table that gets rows, and SQLite's
BEGIN and COMMIT. Ours asks once more, whether the username is free, so that nobody's password
is hashed for a name that is taken. Ids of users are reserved a hundred at a time.`,
      rows: statementRows(measured),
    },
    {
      title: '`doorward run`',
      text: `Records a second, ${measured[0]?.[1].unattended.records ?? 0} of them, by the command's own report, eight at a time as is its default:
a flow of one user write stage, three columns and one attribute each, without passwords.`,
      rows: [
        ['database', 'dry run', 'real', 'again with --resume, all done already'],
        ...measured.map(([kind, { unattended }]) => [
          databaseNames[kind],
          ...[unattended.dryRun, unattended.real, unattended.resumed].map((rate) => `${number(rate)}/s`),
        ]),
      ],
    },
    {
      title: 'Keys of prompt_data',
      text: `The dispatch decides where each key goes; a dry run does all that a write does but the commit (\`auth.flows.execute\`,
SQLite). CPU time, medians of nine rounds in turns.`,
      rows: [
        ['keys', 'dispatch µs', 'µs a key', 'dry run µs', 'µs a key'],
        ...results.dispatch.map(({ keys, dispatchUs, executeUs }) =>
          [keys, dispatchUs, dispatchUs / keys, executeUs, executeUs / keys].map((value, index) =>
            index === 0 ? String(value) : number(value),
          ),
        ),
      ],
    },
    {
      title: 'Among many users',
      text: `The POST that makes one more user, one client, milliseconds. A server for each number of users, all up at once and asked in
turns; names and ids of the users that are there are spread as new ones are.`,
      rows: [
        ['database', 'users', 'p50 ms', 'p99 ms', 'p50 against the fewest', 'p99 against the fewest', 'posts'],
        ...measured.flatMap(([kind, { growth }]) =>
          growth.map(({ users, p50, p99, posts }) => [
            databaseNames[kind],
            users.toLocaleString('en'),
            ...[number(p50), number(p99)],
            ...[`${number(p50 / (growth[0]?.p50 ?? 0))} ×`, `${number(p99 / (growth[0]?.p99 ?? 0))} ×`, String(posts)],
          ]),
        ),
      ],
    },
  ];
}

/** @param {readonly [keyof typeof databaseNames, OnDatabase][]} measured */
function statementRows(measured) {
  const digits = (/** @type {number} */ value) => (Number.isNaN(value) || value === null ? '–' : value.toFixed(2));
  return [
    ['database', '', 'first page', 'answer', 'together', 'floor'],
    ...measured.flatMap(([kind, { statements }]) =>
      /** @type {const} */ ([
        ['roundTrips', 'round trips'],
        ['statements', 'statements'],
      ])
        .filter(([key]) => !(kind === 'sqlite' && key === 'roundTrips'))
        .map(([key, name]) => {
          const { asking, answering, floor } = statements;
          const counts = [asking[key], answering[key], asking[key] + answering[key]];
          return [databaseNames[kind], name, ...counts.map(digits), String(floor[key])];
        }),
    ),
  ];
}

/** @param {UserWrite} results */
function targetRows(results) {
  return targetTable([...keyTarget(results.dispatch), ...growthTargets(results.databases)]);
}

/** @param {UserWrite['dispatch']} dispatch @returns {Target[]} */
function keyTarget(dispatch) {
  const [some, many] = dispatch.slice(-2);
  if (some === undefined || many === undefined) return [];
  const ratio = many.dispatchUs / many.keys / (some.dispatchUs / some.keys);
  return [
    {
      name: `dispatch grows linearly: a key among ${many.keys} against one among ${some.keys}`,
      wanted: `at most ${most.key} ×`,
      measured: `${ratio.toFixed(2)} ×`,
      missed: ratio <= most.key ? '' : 'it grows faster',
    },
  ];
}

/** @param {UserWrite['databases']} databases @returns {Target[]} */
function growthTargets(databases) {
  return Object.entries(databases).flatMap(([kind, { growth }]) => {
    const [few] = growth;
    if (few === undefined || growth.length < 2) return [];
    const ratios = growth
      .slice(1)
      .map(({ users, p50 }) => ({ users: users.toLocaleString('en'), ratio: p50 / few.p50 }));
    const over = ratios.filter(({ ratio }) => ratio > most.growth);
    return [
      {
        name: `median latency with many users against ${few.users.toLocaleString('en')}, ${databaseNames[/** @type {'sqlite'} */ (kind)]}`,
        wanted: `at most ${most.growth} ×`,
        measured: ratios.map(({ users, ratio }) => `${ratio.toFixed(2)} × with ${users}`).join(', '),
        missed: over.length === 0 ? '' : `with ${over.map(({ users }) => users).join(', ')}`,
      },
    ];
  });
}
