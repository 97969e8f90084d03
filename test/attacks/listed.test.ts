import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** The rows of the page's tables: what is named first, and the whole. */
const rows = read('docs/security.md')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (?:id|attack) \|/.test(line))
  .map((row) => ({ name: row.split('|')[1]?.trim() ?? '', row }));

it.each(rows)('docs/security.md: $name is named by every test that guards it, or does not apply', ({ name, row }) => {
  const files = [...row.matchAll(/`((?:src|test)\/[^`]+\.test\.ts)`/g)].map(([, path = '']) => path);
  if (files.length === 0) return expect(row).toContain('not applicable because');
  // The others may guard it under the name of a rule.
  const naming = files.filter((file) => read(file).toLowerCase().includes(name.toLowerCase()));
  expect(naming).toContain(files[0]);
});

it('the page has the vulnerabilities that the tests of this folder name', () => {
  const named = rows.map(({ name }) => name);
  const here = new URL('./', import.meta.url);
  const ids = readdirSync(here).flatMap(
    (file) => readFileSync(new URL(file, here), 'utf8').match(/CVE-20\d\d-\d{4,}/g) ?? [],
  );
  expect(ids.length).toBeGreaterThan(10);
  expect([...new Set(ids)].filter((id) => !named.includes(id))).toEqual([]);
});
