import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { expressionRunnerFromSource } from './scripts/expression-runner.js';

const textFile = /\.(yaml|css|svg|client\.js)$/;
const marker = '\0text:';

/** Imports YAML, style sheets, images and browser scripts as text, as `scripts/build.js` bundles them. */
function textFiles(): Plugin {
  return {
    name: 'doorward:text-files',
    enforce: 'pre',
    resolveId(source, importer) {
      if (!textFile.test(source) || !importer || !source.startsWith('.')) return null;
      // The suffix keeps Vite from taking a style sheet for one of the page's own.
      return `${marker}${resolve(dirname(importer), source)}.text`;
    },
    async load(id) {
      if (!id.startsWith(marker)) return null;
      const file = id.slice(marker.length, -'.text'.length);
      this.addWatchFile(file);
      return { code: `export default ${JSON.stringify(await readFile(file, 'utf8'))};`, moduleType: 'js' };
    },
  };
}

export default defineConfig({
  plugins: [textFiles(), expressionRunnerFromSource()],
  resolve: {
    alias: [
      { find: /^doorward$/, replacement: resolve(import.meta.dirname, 'src/index.ts') },
      { find: /^doorward\/testing$/, replacement: resolve(import.meta.dirname, 'src/testing/index.ts') },
    ],
  },
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.ts', 'examples/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // What is waited for is a state, never a time: these end only what hangs, however slow the machine is.
    testTimeout: 120_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 110_000 } },
    pool: 'forks',
    maxWorkers: 2,
  },
});
