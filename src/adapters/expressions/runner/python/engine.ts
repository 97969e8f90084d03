import { createHash } from 'node:crypto';
import type * as MontyModule from '@pydantic/monty';
import type { ExpressionAnswer } from '../../../../engine/expressions.ts';
import type { Json } from '../../../../kernel/json.ts';
import type { Evaluation } from '../../messages.ts';
import { Recent } from '../../recent.ts';
import { CodeError, type Engine, type Host } from '../engine.ts';
import { absencesOf } from './absences.ts';
import { callOf, completable, helperNames, inputOf, local } from './calls.ts';
import { failureOf, type Place, problemOf, skips } from './failures.ts';
import { absencesName, type Program, programOf } from './program.ts';
import { toJson, toPython } from './values.ts';

const identifier = /^(?!__)[A-Za-z_]\w*$/;
/** Keywords, and what Python has by itself: a variable of that name would break code that means the other. */
const taken: ReadonlySet<string> = new Set(
  [
    'False None True and as assert async await break class continue def del elif else except finally for from global if',
    'import in is lambda nonlocal not or pass raise return try while with yield abs all any bin bool bytes chr dict divmod',
    'enumerate filter float frozenset getattr hasattr hash hex id input int isinstance iter len list map max min next',
    'object oct open ord pow print range repr reversed round set setattr slice sorted str sum tuple type zip',
  ].flatMap((names) => names.split(' ')),
);
const memoryBytes = 8 * 1024 * 1024;
const recursionDepth = 500;
const keptPrograms = 256;

interface Compiled {
  readonly program: Program;
  readonly monty: MontyModule.Monty;
}

/** Python by Monty, an interpreter that has no files, no network and no modules but a few of its own. */
export async function createPython(url: string | undefined): Promise<Engine> {
  if (url === undefined) return missing;
  const { Monty, MontyComplete, MontyNameLookup } = (await import(url)) as typeof MontyModule;
  const kept = new Recent<Compiled>(keptPrograms);

  const compile = (source: string, variables: readonly string[], returned: readonly string[]): Compiled => {
    const key = createHash('sha256')
      .update(JSON.stringify(['python', source, variables, returned]))
      .digest('base64');
    return kept.get(key, () => {
      const program = programOf(source, variables, returned);
      return { program, monty: new Monty(program.text, { inputs: [...program.inputs] }) };
    });
  };

  const run = async ({ monty, program }: Compiled, given: Evaluation, host: Host): Promise<ExpressionAnswer> => {
    const messages: string[] = [];
    const inputs = Object.fromEntries([
      ...Object.entries(program.constants).map(([name, value]) => [name, toPython(value)] as const),
      ...program.inputs.flatMap((name) => {
        const value = given.variables[name];
        return value === undefined ? [] : [[name, inputOf(name, value)] as const];
      }),
      [absencesName, absencesOf(program.variables.map((name) => given.variables[name] ?? null))],
    ]);
    let progress = monty.start({
      inputs,
      limits: { maxDurationSecs: given.limitMs / 1000, maxMemory: memoryBytes, maxRecursionDepth: recursionDepth },
      printCallback: () => {},
    });
    while (!(progress instanceof MontyComplete)) {
      if (progress instanceof MontyNameLookup) {
        const value = helperNames.get(progress.variableName);
        progress = value === undefined ? progress.resume() : progress.resume({ value });
        continue;
      }
      const snapshot: MontyModule.MontySnapshot = progress;
      progress = snapshot.resume(await answerTo(snapshot, messages, host));
    }
    const [result, ...changed] = progress.output as unknown[];
    const returned = returnedOf(given.variables);
    return {
      result: toJson(result),
      messages,
      variables: Object.fromEntries(returned.map((name, index) => [name, toJson(changed[index])])),
    };
  };

  return {
    async check(source) {
      try {
        compile(source, [], []);
        return null;
      } catch (error) {
        return problemOf(error, placeOf(source, programBefore(source)));
      }
    },
    async evaluate(given, host) {
      const { source, variables } = given;
      const names = Object.keys(variables).filter(isVariable);
      try {
        return await run(compile(source, names, returnedOf(variables)), given, host);
      } catch (error) {
        if (skips(error)) return { result: null, messages: [], variables: {}, skipped: true };
        throw new Error(failureOf(error, placeOf(source, programBefore(source, names)), given.limitMs));
      }
    },
  };
}

/** What a call asks: here, where it can be answered here, else of the server. */
async function answerTo(
  { functionName, args, kwargs }: MontyModule.MontySnapshot,
  messages: string[],
  host: Host,
): Promise<{ returnValue: unknown } | { exception: { type: string; message: string } }> {
  try {
    const here = local(functionName, args, kwargs, messages);
    if (here !== undefined) return { returnValue: here.value };
    const answer = await host(callOf(functionName, args, kwargs));
    return { returnValue: completable(functionName, args[0], kwargs, answer) };
  } catch (error) {
    if (!(error instanceof CodeError)) throw error;
    return { exception: { type: error.type, message: error.message } };
  }
}

/** Lists and dictionaries come back; objects stay behind. */
function returnedOf(variables: Readonly<Record<string, Json>>): string[] {
  return Object.entries(variables).flatMap(([name, value]) =>
    isVariable(name) && typeof value === 'object' && value !== null && !Object.hasOwn(value, '$object') ? [name] : [],
  );
}

function isVariable(name: string): boolean {
  return identifier.test(name) && !taken.has(name);
}

function programBefore(source: string, names: readonly string[] = []): number {
  try {
    return programOf(source, names, []).before;
  } catch {
    return 0;
  }
}

function placeOf(source: string, before: number): Place {
  return { source, before };
}

const install =
  'Python expressions need the package @pydantic/monty, which is not installed: npm install @pydantic/monty@0.0.18';

const missing: Engine = {
  check: async () => install,
  evaluate: async () => {
    throw new Error(install);
  },
};
