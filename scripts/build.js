import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { build } from 'esbuild';
import { expressionRunner } from './expression-runner.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
/** `--out DIR`: tests build for themselves, so that nobody deletes what another one runs. */
const { out } = parseArgs({ options: { out: { type: 'string', default: 'dist' } }, strict: false }).values;
const dist = resolve(root, String(out));
/** A program of its own, which the expressions' adapter starts. */
const runner = join(dist, 'expression-runner.js');

const doors = {
  cli: 'src/cli/main.ts',
  index: 'src/index.ts',
  protocol: 'src/protocol/index.ts',
  testing: 'src/testing/index.ts',
};

/** The doors whose source exists, and the names of the others. */
function entryPoints() {
  const names = Object.keys(doors);
  const present = names.filter((name) => existsSync(join(root, doors[name])));
  return {
    present: Object.fromEntries(present.map((name) => [name, doors[name]])),
    missing: names.filter((name) => !present.includes(name)),
  };
}

/** Makes dist/cli.js a program. */
const executable = {
  name: 'executable',
  setup(context) {
    context.onEnd(async ({ errors }) => {
      const file = join(dist, 'cli.js');
      if (errors.length > 0 || !existsSync(file)) return;
      const code = await readFile(file, 'utf8');
      if (!code.startsWith('#!')) {
        await writeFile(file, `#!/usr/bin/env node\n${code}`);
        const map = JSON.parse(await readFile(`${file}.map`, 'utf8'));
        // One line more at the top.
        await writeFile(`${file}.map`, JSON.stringify({ ...map, mappings: `;${map.mappings}` }));
      }
      await chmod(file, 0o755);
    });
  },
};

/** Refuses what works from source and breaks when bundled: `import()` of CommonJS then gives a default export alone. */
const lazyCommonJs = {
  name: 'lazy-commonjs',
  setup(context) {
    context.onEnd(({ metafile }) => {
      const inputs = Object.entries(metafile?.inputs ?? {});
      const errors = inputs.flatMap(([file, { imports }]) =>
        imports
          .filter(({ kind, path }) => kind === 'dynamic-import' && metafile.inputs[path]?.format === 'cjs')
          .map(({ original }) => ({
            text: `${file}: import('${original}') of a CommonJS package loses its names in a bundle; add it to "external" in scripts/build.js`,
          })),
      );
      // esbuild prints its own errors, but not those of an onEnd.
      for (const { text } of errors) console.error(text);
      return { errors };
    });
  },
};

/** What esbuild is told, for a build and for `scripts/dev.js`. */
export function buildOptions() {
  return {
    absWorkingDir: root,
    entryPoints: entryPoints().present,
    outdir: dist,
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    // Object literals that are spread for the reader's sake are one literal for the engine.
    minifySyntax: true,
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
    // Bundled packages load in a third of the time. These have native parts, or are CommonJS that is loaded lazily.
    external: [
      'libsql',
      '@libsql/*',
      '@node-rs/*',
      'ajv',
      'ajv-formats',
      'maxmind',
      'pg',
      'pg-native',
      'pino',
      'prom-client',
      'qrcode',
    ],
    loader: { '.yaml': 'text', '.css': 'text', '.svg': 'text', '.client.js': 'text' },
    // CommonJS packages ask for Node modules by `require`; the protocol's files must still load in a browser.
    banner: {
      js: "var require = globalThis.process?.getBuiltinModule?.('node:module').createRequire(import.meta.url);",
    },
    plugins: [lazyCommonJs, executable, expressionRunner(runner)],
  };
}

/** Deletes what an earlier build left behind. */
async function removeStale(outputs) {
  const current = new Set([...Object.keys(outputs).map((path) => join(root, path)), runner]);
  for (const entry of await readdir(dist, { recursive: true })) {
    const path = join(dist, entry);
    if (relative(dist, path).startsWith('types') || current.has(path) || !/\.js(\.map)?$/.test(path)) continue;
    await rm(path);
  }
}

/** The bytes that importing an output loads at once, without what it loads by `import()` later. */
function loadedBytes(outputs, path, seen = new Set()) {
  if (seen.has(path) || !outputs[path]) return 0;
  seen.add(path);
  const imported = outputs[path].imports.filter(({ kind, external }) => kind === 'import-statement' && !external);
  return outputs[path].bytes + imported.reduce((sum, { path: next }) => sum + loadedBytes(outputs, next, seen), 0);
}

async function emitTypes() {
  const config = join(dist, 'tsconfig.types.json');
  await mkdir(dist, { recursive: true });
  await writeFile(
    config,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { declaration: true, emitDeclarationOnly: true, rootDir: join(root, 'src'), outDir: 'types' },
      include: [join(root, 'src')],
      exclude: [join(root, 'src/**/*.test.ts'), join(root, 'src/**/*.test.tsx')],
    }),
  );
  await rm(join(dist, 'types'), { recursive: true, force: true });
  try {
    await run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', config]);
  } finally {
    await rm(config, { force: true });
  }
  await stat(join(dist, 'types', 'index.d.ts'));
}

async function main() {
  const begun = performance.now();
  const withTypes = process.argv.includes('--types');
  const { missing } = entryPoints();
  const [{ metafile }] = await Promise.all([build(buildOptions()), withTypes ? emitTypes() : undefined]);
  await removeStale(metafile.outputs);

  const kilobytes = (bytes) => `${Math.round(bytes / 1000)} kB`;
  const sizes = Object.keys(entryPoints().present).map(
    (name) => `${name}.js ${kilobytes(loadedBytes(metafile.outputs, relative(root, join(dist, `${name}.js`))))}`,
  );
  const notes = [withTypes ? 'with types' : '', missing.length > 0 ? `without ${missing.join(', ')} (no source)` : ''];
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(['dist:', sizes.join(', '), `in ${seconds} s`, ...notes].filter(Boolean).join(' '));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    // esbuild has printed its errors already; tsc's are in the output of the process.
    if (!error.errors) console.error(error.stdout || error);
    process.exitCode = 1;
  }
}
