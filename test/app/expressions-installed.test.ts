import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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

/** Runs a program that uses expressions, to its end; `from` is where they are installed. */
async function program(body: string, from = folder): Promise<string> {
  const file = JSON.stringify(pathToFileURL(join(from, 'expressions.js')).href);
  const code = `const { createExpressions } = await import(${file});
    const expressions = createExpressions();
    const run = async (language, source) =>
      (await expressions.evaluate({ language, source, variables: {}, host: async () => null, limitMs: 60000 })).result;
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

describe('expressions run where packages are links', () => {
  const both = `console.log(JSON.stringify([await run('python', 'return 1'), await run('javascript', 'return 2')]));
    await expressions.close();`;
  let place = '';
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'doorward-linked-'));
  });
  afterEach(() => rmSync(place, { recursive: true, force: true }));

  /** A package by another name, as `npm link` and pnpm make it. */
  function link(target: string, ...path: string[]): string {
    const at = join(place, ...path);
    mkdirSync(dirname(at), { recursive: true });
    symlinkSync(target, at);
    return at;
  }

  it('the package itself is one (npm link)', async () => {
    const from = link(folder, 'node_modules', 'doorward');
    expect(await program(both, from)).toBe('[1,2]\n');
  });

  it('the whole node_modules is one', async () => {
    const from = join(link(join(root, 'node_modules'), 'node_modules'), '.cache', basename(folder));
    expect(await program(both, from)).toBe('[1,2]\n');
  });

  it('every package is one (pnpm)', async () => {
    const packed = (name: string) => join(place, 'node_modules', '.pnpm', name.replace('/', '+'), 'node_modules', name);
    const linked = (of: string, name: string) => link(packed(name), relative(place, dirname(packed(of))), name);
    const monty = '@pydantic/monty';
    const scope = join(root, 'node_modules', dirname(monty));
    const names = readdirSync(scope).map((name) => `${dirname(monty)}/${name}`);
    for (const name of names) cpSync(join(root, 'node_modules', name), packed(name), { recursive: true });
    for (const name of names.filter((one) => one !== monty))
      link(packed(name), relative(place, join(packed(monty), '..', '..')), name);
    cpSync(folder, packed('doorward'), { recursive: true });
    linked('doorward', monty);
    const from = link(packed('doorward'), 'node_modules', 'doorward');
    expect(await program(both, from)).toBe('[1,2]\n');
  });
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
