/** @typedef {import('./targets.js').Target} Target */

export const databaseNames = { sqlite: 'SQLite', postgres: 'PostgreSQL' };

/** @param {readonly Target[]} targets */
export function targetTable(targets) {
  return [
    ['target', 'wanted', 'measured', ''],
    ...targets.map(({ name, wanted, measured, missed }) => [
      name,
      wanted,
      measured,
      missed === '' ? 'met' : `**missed** ${missed}`,
    ]),
  ];
}

/** @param {number} value */
export function number(value) {
  if (Number.isNaN(value)) return '–';
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** For a terminal. @param {readonly (readonly string[])[]} rows */
export function aligned(rows) {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** @param {readonly (readonly string[])[]} rows */
export function markdown([head = [], ...rows]) {
  const line = (/** @type {readonly string[]} */ row) => `| ${row.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}
