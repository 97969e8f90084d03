import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expressionRunner } from '../../scripts/expression-runner.js';

const root = join(import.meta.dirname, '..', '..');
let folder = '';

beforeAll(async () => {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, 'doorward-expressions-'));
  await build({
    ...{ absWorkingDir: root, entryPoints: ['src/adapters/expressions/expressions.ts'], outdir: folder },
    ...{ bundle: true, splitting: true, chunkNames: 'chunks/[name]-[hash]', format: 'esm', platform: 'node' },
    plugins: [expressionRunner(join(folder, 'expression-runner.js'))],
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a program that uses expressions, to its end. */
async function program(body: string): Promise<string> {
  const file = JSON.stringify(pathToFileURL(join(folder, 'expressions.js')).href);
  const code = `const { createExpressions } = await import(${file});
    const expressions = createExpressions();
    const run = async (language, source) =>
      (await expressions.evaluate({ language, source, variables: {}, host: async () => null, limitMs: 10000 })).result;
    ${body}`;
  const ran = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { cwd: root });
  return ran.stdout;
}

it('a program that used expressions and never closed them ends by itself, and its runners with it', async () => {
  const told = await program(
    `console.log(JSON.stringify([await run('python', 'return 1'), await run('javascript', 'return 2'), expressions.pids()]));`,
  );
  const [python, javascript, pids] = JSON.parse(told) as [number, number, number[]];
  expect([python, javascript]).toEqual([1, 2]);
  expect(pids.length).toBeGreaterThan(0);
  await expect.poll(() => pids.filter(isAlive)).toEqual([]);
});

it('a program that used none starts no process', async () => {
  expect(await program('console.log(expressions.pids().length)')).toBe('0\n');
});

it('a program that closes them in the middle of one ends', async () => {
  const told = await program(
    `await run('python', 'return 1');
    const job = run('python', 'while True:\\n    pass').catch((error) => error.message);
    await expressions.close();
    console.log(await job, expressions.pids().length);`,
  );
  expect(told).toMatch(/the server is ending 0\n$/);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // One that has ended and that nobody asked about yet still has its number.
    return !existsSync('/proc/self/stat') || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
