import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

const tests = ['src', 'test']
  .flatMap((folder) => readdirSync(new URL(folder, root), { recursive: true }).map((path) => `${folder}/${path}`))
  .filter((path) => /\.test\.tsx?$/.test(path) && !path.endsWith('stage-rules.test.ts'))
  .map(read);

/** The rules of the page's tables; some rows have several. */
const rules = read('docs/stages.md')
  .split('\n')
  .filter((line) => /^\| [A-Z]{2}-\d/.test(line) && !line.includes('not applicable because'))
  .flatMap((row) => row.split('|')[1]?.match(/[A-Z]{2}-\d+/g) ?? []);

it('docs/stages.md lists the rules', () => {
  expect(rules.length).toBeGreaterThan(90);
  expect(new Set(rules).size).toBe(rules.length);
});

it.each(rules)('%s is named by a test that guards it', (rule) => {
  expect(tests.some((test) => new RegExp(`\\b${rule}\\b`).test(test))).toBe(true);
});
