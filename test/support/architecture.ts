import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix, sep } from 'node:path';
import {
  endOfDeclaration,
  linesWithAny,
  type ModuleReference,
  moduleReferences,
  type Token,
  tokenise,
} from './source-scanner.ts';

/** Source files by their path from the repository's root, with `/` between the parts. */
export type SourceFiles = ReadonlyMap<string, string>;

interface Reference extends ModuleReference {
  /** The path that a relative import names; undefined for a package. */
  readonly target: string | undefined;
}

interface Module {
  readonly path: string;
  readonly source: string;
  readonly tokens: readonly Token[];
  readonly references: readonly Reference[];
}

type Modules = ReadonlyMap<string, Module>;

const foundation = ['kernel', 'protocol', 'engine'];
const capabilities = ['policies', 'stages', 'sources', 'store', 'adapters'];
const belowPages = [...foundation, ...capabilities, 'blueprints', 'app'];
const all = [...belowPages, 'pages', 'http', 'client', 'testing', 'index'];

/** Which other rooms a room may import; `index` is src/index.ts. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  protocol: ['kernel'],
  engine: ['kernel', 'protocol'],
  policies: foundation,
  stages: foundation,
  sources: foundation,
  store: foundation,
  adapters: foundation,
  blueprints: [...foundation, ...capabilities],
  app: [...foundation, ...capabilities, 'blueprints'],
  pages: belowPages,
  http: [...belowPages, 'pages'],
  client: ['protocol'],
  testing: all,
  index: all,
  cli: all,
};

const maxLines = 300;
const vagueNames = new Set(['utils', 'helpers', 'common', 'lib', 'shared']);
const doors = new Set(['src/index.ts', 'src/protocol/index.ts', 'src/testing/index.ts']);
const tables = new Set(['src/stages/index.ts', 'src/policies/index.ts']);
const textFile = /\.(yaml|css|svg|json|(?:client|prelude)\.js)$/;

/** Reads every .ts and .tsx file under `src` of a repository. */
export function readSources(root: string): SourceFiles {
  const paths = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => posix.join('src', ...path.split(sep)));
  return new Map(paths.sort().map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

/**
 * Checks source files against the rules of rooms, cycles, budgets and names; returns one line for each breach, with the
 * file, the rule and what to do. Test files are exempt.
 */
export function checkArchitecture(files: SourceFiles): string[] {
  const product = [...files].filter(([path]) => !/\.test\.tsx?$/.test(path));
  const modules: Modules = new Map(product.map(([path, source]) => [path, readModule(path, source)]));
  const each = [...modules.values()].flatMap((module) => [
    ...checkName(module),
    ...checkSize(module),
    ...checkAny(module),
    ...checkBarrel(module),
    ...checkRoom(module, modules),
    ...checkOutside(module),
  ]);
  return [...each, ...checkBrowserSafety(modules), ...checkCycles(modules)];
}

function readModule(path: string, source: string): Module {
  const tokens = tokenise(source);
  const references = moduleReferences(tokens).map((reference) => {
    const relative = reference.specifier.startsWith('.');
    return { ...reference, target: relative ? posix.join(posix.dirname(path), reference.specifier) : undefined };
  });
  return { path, source, tokens, references };
}

function roomOf(path: string): string {
  const [, first, ...rest] = path.split('/');
  if (rest.length > 0) return first ?? '';
  return first === 'index.ts' ? 'index' : '';
}

function checkName({ path }: Module): string[] {
  const [, ...parts] = path.split('/');
  const vague = parts.map((part) => part.replace(/(\.d)?\.tsx?$/, '')).find((part) => vagueNames.has(part));
  if (vague)
    return [`${path}: nothing is named "${vague}". Name it by what it knows, and put it in the room that does.`];
  if (parts.at(-1) === 'types.ts') return [`${path}: no types.ts. Put each type beside the code that it describes.`];
  return [];
}

function checkSize({ path, source }: Module): string[] {
  const lines = source.replace(/\n$/, '').split('\n').length;
  return lines > maxLines ? [`${path}: ${lines} lines, at most ${maxLines}. Split it by what its parts know.`] : [];
}

function checkAny({ path, tokens }: Module): string[] {
  return linesWithAny(tokens).map((line) => `${path}:${line}: no type "any". Use unknown and narrow it, or a generic.`);
}

function checkBarrel({ path, tokens }: Module): string[] {
  if (posix.basename(path) !== 'index.ts' || doors.has(path) || tables.has(path)) return [];
  let exports = 0;
  for (let at = 0; at < tokens.length; at++) {
    const text = tokens[at]?.text;
    if (text === ';') continue;
    const end = text === 'import' || text === 'export' ? endOfDeclaration(tokens, at) : undefined;
    if (end === undefined) return [];
    if (text === 'export') exports++;
    at = end;
  }
  return exports > 0
    ? [`${path}: no barrel inside a room. Delete it and import from the files that define the names.`]
    : [];
}

function checkRoom(module: Module, modules: Modules): string[] {
  const room = roomOf(module.path);
  const allowed = mayImport[room];
  if (!allowed) {
    if (module.path.endsWith('.d.ts')) return [];
    return [
      `${module.path}: ${room ? `no room is called "${room}"` : 'a file outside of the rooms'}. Move it into a room, ` +
        'or add the room to test/support/architecture.ts and docs/map.md.',
    ];
  }
  return module.references.flatMap(({ target, line }) => {
    const problem = target === undefined ? undefined : relativeProblem(module.path, target, modules);
    return problem ? [`${module.path}:${line}: ${problem}`] : [];
  });
}

function relativeProblem(from: string, to: string, modules: Modules): string | undefined {
  if (!to.startsWith('src/')) return `src may not import ${to}. Only what lies in src is part of the product.`;
  if (!textFile.test(to) && !modules.has(to)) {
    return `there is no source file ${to}. A relative import names a file that exists, with its .ts, and no test.`;
  }
  const [here, there] = [roomOf(from), roomOf(to)];
  if (here === 'stages' && there === 'stages') {
    const [stage, other] = [stageOf(from), stageOf(to)];
    if (stage && other && stage !== other) {
      return (
        `stage "${stage}" may not import stage "${other}". Move what both need to engine, or to a file directly in ` +
        'src/stages.'
      );
    }
  }
  if (here === there || mayImport[here]?.includes(there)) return undefined;
  return (
    `room "${here}" may not import room "${there}" (${to}); it may import ${mayImport[here]?.join(', ') || 'none'}. ` +
    'Take it as a value or through a port, or move what both need into a room that both may import.'
  );
}

/** The stage that a file belongs to; undefined for a file directly in src/stages, which may import every stage. */
function stageOf(path: string): string | undefined {
  const [, , stage, ...rest] = path.split('/');
  return rest.length > 0 ? stage : undefined;
}

function isNode(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

function checkOutside({ path, references }: Module): string[] {
  const room = roomOf(path);
  return references
    .filter(({ target }) => target === undefined)
    .flatMap(({ specifier, line }) => {
      if (specifier === 'doorward' || specifier.startsWith('doorward/')) {
        return [`${path}:${line}: src does not import "${specifier}", itself. Use the relative path of the file.`];
      }
      if (room !== 'kernel' && room !== 'protocol') return [];
      if (isNode(specifier)) {
        return room === 'protocol'
          ? [`${path}:${line}: protocol may not import "${specifier}", for it runs in browsers. Take it as a value.`]
          : [];
      }
      return specifier === 'zod' || specifier.startsWith('zod/')
        ? []
        : [`${path}:${line}: ${room} may import no package besides zod, not "${specifier}". Wrap it in adapters.`];
    });
}

/** What protocol imports runs in browsers too, so no file on the way may load a Node module. */
function checkBrowserSafety(modules: Modules): string[] {
  return [...modules.values()]
    .filter(({ path }) => roomOf(path) === 'kernel')
    .filter(({ references }) => references.some(({ specifier, typeOnly }) => !typeOnly && isNode(specifier)))
    .flatMap(({ path }) => {
      const users = [...modules.keys()].filter((user) => roomOf(user) === 'protocol').sort();
      const chain = users.map((user) => shortestPath(user, path, modules, true)).find((found) => found !== undefined);
      if (!chain) return [];
      return [
        `${chain[0]}: protocol runs in browsers, but reaches a Node module by ${chain.join(' → ')}. Split ${path}, or ` +
          'import only its types.',
      ];
    });
}

function neighbours(module: Module | undefined, runtimeOnly: boolean): string[] {
  const references = module?.references ?? [];
  return references.flatMap(({ target, typeOnly }) => (target && !(runtimeOnly && typeOnly) ? [target] : []));
}

/** The shortest way of imports from one file to another, both included; from a file to itself it is a cycle. */
function shortestPath(from: string, to: string, modules: Modules, runtimeOnly = false): string[] | undefined {
  const reached = new Map<string, string>();
  const queue = [from];
  for (const path of queue) {
    for (const next of neighbours(modules.get(path), runtimeOnly)) {
      if (reached.has(next)) continue;
      reached.set(next, path);
      queue.push(next);
      if (next !== to) continue;
      const way = [to];
      for (let step = reached.get(to); step !== undefined; step = step === from ? undefined : reached.get(step)) {
        way.unshift(step);
      }
      return way;
    }
  }
  return undefined;
}

/** One cycle for each knot of files, the shortest through its first file that is on one. */
function checkCycles(modules: Modules): string[] {
  const reported = new Set<string>();
  return [...modules.keys()].sort().flatMap((path) => {
    if (reported.has(path)) return [];
    const cycle = shortestPath(path, path, modules);
    if (!cycle) return [];
    for (const member of cycle) reported.add(member);
    return [
      `${path}: import cycle (types count): ${cycle.join(' → ')}. Move what both sides need into a file that imports ` +
        'neither.',
    ];
  });
}
