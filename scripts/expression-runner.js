import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const name = 'doorward:expression-runner';

/**
 * The program of a runner process is one file: it may read nothing but itself. `@pydantic/monty` is loaded by the address
 * that it is started with.
 */
async function bundle() {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['src/adapters/expressions/runner/main.ts'],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minifySyntax: true,
    metafile: true,
    logLevel: 'warning',
    loader: { '.wasm': 'binary', '.prelude.js': 'text' },
    // Packages of both kinds ask for Node modules by `require`.
    banner: { js: "var require = process.getBuiltinModule('node:module').createRequire(import.meta.url);" },
  });
  return { code: outputFiles[0].text, inputs: Object.keys(metafile.inputs).map((path) => join(root, path)) };
}

/** Whole or not at all: others may be starting it. */
async function write(file, code) {
  await mkdir(dirname(file), { recursive: true });
  const part = `${file}.${process.pid}.part`;
  await writeFile(part, code);
  await rename(part, file);
}

/** For esbuild: writes the program beside the bundle's doors, and says where it is. Chunks lie one folder deeper. */
export function expressionRunner(file) {
  return {
    name: 'expression-runner',
    setup(context) {
      context.onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: name, namespace: name }));
      context.onLoad({ filter: /.*/, namespace: name }, async () => {
        const { code, inputs } = await bundle();
        await write(file, code);
        const contents = `
          import { existsSync } from 'node:fs';
          const places = ['./', '../'].map((folder) => new URL(folder + ${JSON.stringify(basename(file))}, import.meta.url));
          export const runnerFile = () => places.find((place) => existsSync(place)) ?? places[0];`;
        return { contents, watchFiles: inputs, resolveDir: root };
      });
    },
  };
}

/** For Vite: the program as it is now, by its content, so that two test runs never share half a file. */
export function expressionRunnerFromSource() {
  return {
    name: 'doorward:expression-runner',
    enforce: 'pre',
    resolveId: (source) => (source === name ? `\0${name}` : null),
    async load(id) {
      if (id !== `\0${name}`) return null;
      const { code, inputs } = await bundle();
      const hash = createHash('sha256').update(code).digest('hex').slice(0, 16);
      const file = resolve(root, 'node_modules/.cache/doorward', `expression-runner-${hash}.js`);
      if (!existsSync(file)) await write(file, code);
      for (const input of inputs) this.addWatchFile(input);
      return `export const runnerFile = () => ${JSON.stringify(`file://${file}`)};`;
    },
  };
}
