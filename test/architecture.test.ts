import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { checkArchitecture, readSources } from './support/architecture.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const check = (files: Record<string, string>): string[] => checkArchitecture(new Map(Object.entries(files)));

/** An import from one file to another, with both files there. */
const imports = (from: string, to: string): string[] => {
  const up = '../'.repeat(from.split('/').length - 2) || './';
  return check({ [from]: `import { a } from '${up}${to.slice('src/'.length)}';`, [to]: 'export const a = 1;' });
};

describe('the source of Doorward', () => {
  it('keeps the rules of rooms, cycles, budgets and names', () => {
    const breaches = checkArchitecture(readSources(root));
    if (breaches.length > 0) expect.fail(`${breaches.length} breaches\n\n${breaches.join('\n')}\n`);
  });
});

describe('rooms', () => {
  it.each([
    ['src/kernel/a.ts', 'src/protocol/b.ts'],
    ['src/protocol/a.ts', 'src/engine/b.ts'],
    ['src/engine/a.ts', 'src/store/b.ts'],
    ['src/engine/a.ts', 'src/stages/index.ts'],
    ['src/stages/prompt/a.ts', 'src/store/b.ts'],
    ['src/store/a.ts', 'src/adapters/b.ts'],
    ['src/policies/expression/a.ts', 'src/stages/prompt/b.ts'],
    ['src/adapters/a.ts', 'src/sources/oidc/b.ts'],
    ['src/stages/a.ts', 'src/blueprints/b.ts'],
    ['src/blueprints/a.ts', 'src/app/b.ts'],
    ['src/app/a.ts', 'src/http/b.ts'],
    ['src/pages/a.tsx', 'src/http/b.ts'],
    ['src/http/a.ts', 'src/cli/main.ts'],
    ['src/testing/a.ts', 'src/cli/main.ts'],
    ['src/index.ts', 'src/cli/main.ts'],
    ['src/client/a.ts', 'src/kernel/b.ts'],
    ['src/client/a.ts', 'src/engine/b.ts'],
    ['src/http/a.ts', 'src/testing/b.ts'],
    ['src/app/a.ts', 'src/index.ts'],
  ])('%s may not import %s', (from, to) => {
    const [breach, ...others] = imports(from, to);
    expect(others).toEqual([]);
    expect(breach).toMatch(
      /^\S+:1: room "\w+" may not import room "\w+" \(\S+\); it may import .+\. Take it as a value/,
    );
    expect(breach).toContain(`${from}:1:`);
    expect(breach).toContain(to);
  });

  it.each([
    ['src/protocol/a.ts', 'src/kernel/b.ts'],
    ['src/stages/prompt/a.ts', 'src/engine/b.ts'],
    ['src/stages/index.ts', 'src/stages/prompt/stage.ts'],
    ['src/stages/model-names.ts', 'src/stages/prompt/stage.ts'],
    ['src/stages/prompt/a.ts', 'src/stages/prompt/fields/b.ts'],
    ['src/blueprints/a.ts', 'src/stages/index.ts'],
    ['src/app/a.ts', 'src/blueprints/b.ts'],
    ['src/http/a.ts', 'src/pages/b.tsx'],
    ['src/client/a.ts', 'src/protocol/b.ts'],
    ['src/testing/a.ts', 'src/http/b.ts'],
    ['src/index.ts', 'src/client/b.ts'],
    ['src/cli/a.ts', 'src/http/b.ts'],
  ])('%s may import %s', (from, to) => {
    expect(imports(from, to)).toEqual([]);
  });

  it('no stage imports another stage', () => {
    expect(imports('src/stages/prompt/a.ts', 'src/stages/user-write/b.ts')).toEqual([
      'src/stages/prompt/a.ts:1: stage "prompt" may not import stage "user-write". Move what both need to engine, or ' +
        'to a file directly in src/stages.',
    ]);
  });

  it('a room that nobody declared is reported, and so is a file outside of the rooms', () => {
    expect(check({ 'src/cellar/a.ts': '' })).toEqual([expect.stringContaining('no room is called "cellar"')]);
    expect(check({ 'src/loose.ts': '' })).toEqual([expect.stringContaining('a file outside of the rooms')]);
    expect(check({ 'src/text-files.d.ts': "declare module '*.css';" })).toEqual([]);
  });

  it('nothing reaches out of src, itself by name, a test, or a file that is not there', () => {
    const breaches = check({
      'src/http/a.ts':
        "import '../../test/b.ts';\nimport 'doorward/protocol';\nimport './c.test.ts';\nimport './d.js';\nimport './e.css';",
      'src/http/c.test.ts': '',
      'src/http/d.ts': '',
    });
    expect(breaches.sort()).toEqual([
      expect.stringMatching(/^src\/http\/a\.ts:1: src may not import test\/b\.ts/),
      expect.stringMatching(/^src\/http\/a\.ts:2: src does not import "doorward\/protocol", itself/),
      expect.stringMatching(/^src\/http\/a\.ts:3: there is no source file src\/http\/c\.test\.ts/),
      expect.stringMatching(/^src\/http\/a\.ts:4: there is no source file src\/http\/d\.js/),
    ]);
  });

  it('a style sheet counts as a part of its room', () => {
    expect(check({ 'src/stages/a.ts': "import css from '../pages/assets/a.css';" })).toEqual([
      expect.stringContaining('room "stages" may not import room "pages"'),
    ]);
  });

  it('test files are exempt', () => {
    expect(imports('src/kernel/a.test.ts', 'src/cli/main.ts')).toEqual([]);
  });
});

describe('how an import is written', () => {
  it.each([
    "import '../http/b.ts';",
    "import b, { type C, d as e } from '../http/b.ts';",
    "import * as b from '../http/b.ts';",
    "const dot = '.'\nimport b from '../http/b.ts'",
    "import {\n  c, // from './elsewhere.ts'\n} from\n  '../http/b.ts';",
    "import type { B } from '../http/b.ts';",
    "export * from '../http/b.ts';",
    "export * as b from '../http/b.ts';",
    "export { c } from '../http/b.ts';",
    "export type { C } from '../http/b.ts';",
    "export const load = () => import('../http/b.ts');",
    'export const load = () => import(`../http/b.ts`);',
    "export type B = typeof import('../http/b.ts');",
    "export type B = import('../http/b.ts').B;",
    "import b = require('../http/b.ts');",
    `const text = \`\${\`}\${'\`'}\`}\`;\nconst quote = /['"\`]/;\nimport { c } from '../http/b.ts';`,
    "const half = 1 / 2; // '\nimport { c } from '../http/b.ts';",
    "export const page = <p title='x'>Don't</p>;\nimport { c } from '../http/b.ts';",
  ])('%s is seen', (source) => {
    expect(check({ 'src/kernel/a.tsx': source, 'src/http/b.ts': 'export const c = 1;' })).toEqual([
      expect.stringMatching(/^src\/kernel\/a\.tsx:\d: room "kernel" may not import room "http"/),
    ]);
  });

  it.each([
    "// import '../http/b.ts';",
    "/* import\n '../http/b.ts'; */",
    'export const text = "import \'../http/b.ts\'";',
    "export const text = `import '../http/b.ts'`;",
    "export const found = /import '..\\/http\\/b.ts'/.test('x');",
    'export const here = import.meta.url;',
    "export const from = '../http/b.ts';",
    "export default { from: '../http/b.ts' };",
  ])('%s is none', (source) => {
    expect(check({ 'src/kernel/a.ts': source, 'src/http/b.ts': '' })).toEqual([]);
  });

  it('gives the line', () => {
    const source = "/*\n\n*/\nconst a = `\n`;\nimport b from '../http/b.ts';";
    expect(check({ 'src/kernel/a.ts': source, 'src/http/b.ts': '' })[0]).toMatch(/^src\/kernel\/a\.ts:6:/);
  });
});

describe('cycles', () => {
  it('are printed whole, types included', () => {
    const breaches = check({
      'src/engine/a.ts': "import './b.ts';",
      'src/engine/b.ts': "import type { C } from './deep/c.ts';",
      'src/engine/deep/c.ts': "export type A = typeof import('../a.ts');",
      'src/engine/free.ts': "import './a.ts';",
    });
    expect(breaches).toEqual([
      expect.stringContaining(
        'src/engine/a.ts: import cycle (types count): ' +
          'src/engine/a.ts → src/engine/b.ts → src/engine/deep/c.ts → src/engine/a.ts.',
      ),
    ]);
  });

  it('are found in a file that imports itself, and twice when there are two', () => {
    expect(check({ 'src/engine/a.ts': "import './a.ts';" })).toHaveLength(1);
    const two = check({
      'src/engine/a.ts': "import './b.ts';",
      'src/engine/b.ts': "import './a.ts';",
      'src/store/a.ts': "import './b.ts';",
      'src/store/b.ts': "import './a.ts';",
    });
    expect(two).toHaveLength(2);
  });

  it('are not seen in a diamond', () => {
    const files = {
      'src/engine/a.ts': "import './b.ts'; import './c.ts';",
      'src/engine/b.ts': "import './d.ts';",
      'src/engine/c.ts': "import './d.ts';",
      'src/engine/d.ts': '',
    };
    expect(check(files)).toEqual([]);
  });
});

describe('budgets and names', () => {
  it('a file has at most 300 lines', () => {
    expect(check({ 'src/kernel/a.ts': 'export {};\n'.repeat(300) })).toEqual([]);
    expect(check({ 'src/kernel/a.ts': 'export {};\n'.repeat(301) })).toEqual([
      'src/kernel/a.ts: 301 lines, at most 300. Split it by what its parts know.',
    ]);
  });

  it.each([
    'let a: any;',
    'let a: Array<any>;',
    'let a: Record<string, any>;',
    'const a = b as any;',
    'let a: any[];',
    'let a: readonly any[];',
    'type A = any;',
    'type A = B | any;',
    'type A<B extends any> = B;',
    'const a = (b: string): any => b;',
    'type A = () => any;',
    `const a = \`\${b as any}\`;`,
  ])('%s is a type any', (source) => {
    expect(check({ 'src/kernel/a.ts': source })).toEqual([
      'src/kernel/a.ts:1: no type "any". Use unknown and narrow it, or a generic.',
    ]);
  });

  it.each([
    '// as any',
    "const a = 'as any[]';",
    'const a = `: any`;',
    'const a = Promise.any([b]);',
    "const a = { any: 1, mode: 'any' };",
    'const a = any(b);',
    'let a: Company; let b: anyone;',
  ])('%s is not', (source) => {
    expect(check({ 'src/kernel/a.ts': source })).toEqual([]);
  });

  it('a room has no barrel', () => {
    const files = { 'src/engine/a.ts': 'export const a = 1;', 'src/protocol/a.ts': 'export const a = 1;' };
    const barrel = "import './a.ts';\nexport * from './a.ts';\nexport { a } from './a.ts';\nexport { b };";
    expect(check({ ...files, 'src/engine/index.ts': barrel })).toEqual([
      expect.stringMatching(/^src\/engine\/index\.ts: no barrel inside a room\. Delete it/),
    ]);
    expect(check({ ...files, 'src/protocol/index.ts': barrel })).toEqual([]);
    expect(check({ ...files, 'src/engine/index.ts': `${barrel}\nexport const c = 1;` })).toEqual([]);
  });

  it.each([
    'src/kernel/utils.ts',
    'src/http/helpers/cookie.ts',
    'src/pages/common.tsx',
    'src/engine/lib/a.ts',
    'src/shared/a.ts',
    'src/engine/types.ts',
  ])('%s is no name', (path) => {
    const [breach] = check({ [path]: '' });
    expect(breach).toMatch(
      /^\S+: (nothing is named "\w+"\. Name it by what it knows|no types\.ts\. Put each type beside)/,
    );
  });
});

describe('packages', () => {
  it('kernel and protocol import zod and no other package', () => {
    expect(check({ 'src/kernel/a.ts': "import * as z from 'zod'; import 'node:crypto';" })).toEqual([]);
    expect(check({ 'src/kernel/a.ts': "import pino from 'pino';" })).toEqual([
      'src/kernel/a.ts:1: kernel may import no package besides zod, not "pino". Wrap it in adapters.',
    ]);
    expect(check({ 'src/protocol/a.ts': "import type { Hono } from 'hono';" })).toEqual([
      'src/protocol/a.ts:1: protocol may import no package besides zod, not "hono". Wrap it in adapters.',
    ]);
    expect(check({ 'src/store/a.ts': "import 'pg';" })).toEqual([]);
  });

  it('protocol imports no Node module', () => {
    expect(check({ 'src/protocol/a.ts': "import { randomBytes } from 'node:crypto';" })).toEqual([
      'src/protocol/a.ts:1: protocol may not import "node:crypto", for it runs in browsers. Take it as a value.',
    ]);
  });

  it('protocol reaches no Node module through kernel, but may use its types', () => {
    const kernel = {
      'src/kernel/errors.ts': "import './secrets.ts';",
      'src/kernel/secrets.ts': "import { hkdf } from 'node:crypto';",
    };
    expect(check({ ...kernel, 'src/protocol/a.ts': "import { e } from '../kernel/errors.ts';" })).toEqual([
      'src/protocol/a.ts: protocol runs in browsers, but reaches a Node module by src/protocol/a.ts → ' +
        'src/kernel/errors.ts → src/kernel/secrets.ts. Split src/kernel/secrets.ts, or import only its types.',
    ]);
    expect(check({ ...kernel, 'src/protocol/a.ts': "import type { E } from '../kernel/errors.ts';" })).toEqual([]);
  });
});

describe('the length of functions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'doorward-biome-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const lint = (path: string, statements: number): string => {
    const body = '  list.push(1);\n'.repeat(statements);
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), `export function fill(list: number[]): void {\n${body}}\n`);
    copyFileSync(join(root, 'biome.json'), join(folder, 'biome.json'));
    try {
      const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
      return execFileSync(process.execPath, [biome, 'lint', '--vcs-enabled=false', path], {
        cwd: folder,
        encoding: 'utf8',
        stdio: 'pipe',
      });
    } catch (error) {
      return String((error as { stderr?: string }).stderr);
    }
  };

  it('is limited to 60 lines in src', () => {
    expect(lint('src/kernel/long.ts', 61)).toContain('noExcessiveLinesPerFunction');
    expect(lint('src/pages/long.tsx', 61)).toContain('noExcessiveLinesPerFunction');
    expect(lint('src/kernel/short.ts', 58)).not.toContain('noExcessiveLinesPerFunction');
  });

  it('is free in tests', () => {
    expect(lint('src/kernel/long.test.ts', 200)).not.toContain('noExcessiveLinesPerFunction');
    expect(lint('test/long.ts', 200)).not.toContain('noExcessiveLinesPerFunction');
  });
});
