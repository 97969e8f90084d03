import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openRecords } from './records.ts';

const folder = mkdtempSync(join(tmpdir(), 'doorward-records-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(['ndjson', 'csv'] as const)('%s: little more is read than the records under way need', async (format) => {
  const rows = Array.from({ length: 3_000 }, (_, at) => ({ username: `person-${at}`, motto: 'x'.repeat(40) }));
  const lines = rows.map((row) => (format === 'csv' ? Object.values(row).join() : JSON.stringify(row)));
  const file = join(folder, `people.${format}`);
  writeFileSync(file, `${(format === 'csv' ? ['username,motto', ...lines] : lines).join('\n')}\n`);
  const source = openRecords(file, format);
  let taken = 0;
  for await (const _ of source.records) {
    taken += 1;
    const due = ((source.size ?? 0) * taken) / rows.length;
    expect(Math.abs(source.bytesRead() - due)).toBeLessThan(40_000);
  }
  expect([taken, source.bytesRead()]).toEqual([rows.length, source.size]);
});
