import { type ParseArgsConfig, parseArgs } from 'node:util';

/** A command of `doorward`, as a value; the table in `main.ts` lists them. */
export interface Command {
  /** As typed: `user create`. */
  readonly name: string;
  readonly summary: string;
  /** After the name: `USERNAME [--email ADDRESS]`. */
  readonly usage: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** How many operands it takes. */
  readonly operands: { readonly min: number; readonly max: number };
  readonly notes?: string;
  /** Returns an exit code, or nothing for 0. */
  run(call: Call): Promise<void> | Promise<number>;
}

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly description: string;
  /** Shown in the help: `ADDRESS`. */
  readonly value?: string;
  /** May be given several times: then the call has a list. */
  readonly multiple?: true;
}

/** One call of a command, parsed. */
export interface Call {
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly terminal: Terminal;
}

/** Where a command reads and writes. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly interactive: boolean;
  /** Whether standard output shows colours: a terminal, and nobody said NO_COLOR. */
  readonly color: boolean;
  /** One line of result to standard output; with `--json` only JSON goes there. */
  print(line: string): void;
  /** One line for the person, to standard error. */
  note(line: string): void;
  /** Replaces the last line that it wrote to standard error ('' clears it); null where that is no terminal. */
  readonly overwrite: ((line: string) => void) | null;
  /** A secret: typed without echo on a terminal, else the first line of standard input. */
  secret(question: string): Promise<string>;
  /** Aborts when the process is asked to stop. */
  readonly stopped: AbortSignal;
}

/** What is wrong with how a command was called: exit code 2. */
export class UsageError extends Error {}

/** Exit codes (CONTRACT: command line). */
export const exitCodes = { done: 0, refused: 1, usage: 2, unavailable: 3 } as const;

const common: Readonly<Record<string, OptionSpec>> = {
  help: { type: 'boolean', description: 'show this help' },
  json: { type: 'boolean', description: 'print the result as JSON' },
};

/** Parses the arguments after a command's name. @throws UsageError */
export function parseCall(command: Command, args: readonly string[], terminal: Terminal): Call {
  const all = { ...common, ...command.options };
  const options: ParseArgsConfig['options'] = Object.fromEntries(
    Object.entries(all).map(([name, { type, multiple = false }]) => [name, { type, multiple }]),
  );
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
  }
  const { positionals, values } = parsed;
  const { min, max } = command.operands;
  const wrongCount = positionals.length < min || positionals.length > max;
  if (wrongCount && values.help !== true)
    throw new UsageError(positionals.length < min ? 'something is missing' : `"${positionals[max]}" is too much`);
  return { operands: positionals, options: values as Call['options'], terminal };
}

/** A line that holds what visitors sent: without the characters that command a terminal. */
export function printable(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
}

/** A whole number that was given as an option. @throws UsageError */
export function wholeOption({ options }: Call, name: string, range: { usual: number; most: number }): number {
  const given = options[name];
  if (given === undefined) return range.usual;
  const number = Number(given);
  if (typeof given !== 'string' || !/^\d+$/.test(given) || number < 1 || number > range.most)
    throw new UsageError(`--${name} takes a whole number from 1 to ${range.most}`);
  return number;
}

/** The text of `--help`. */
export function helpOf(command: Command): string {
  const rows = Object.entries({ ...command.options, ...common }).map(([name, { value, description }]) => {
    const flag = `--${name}${value === undefined ? '' : ` ${value}`}`;
    return `  ${flag.padEnd(26)} ${description}`;
  });
  const usage = `Usage: doorward ${command.name} ${command.usage}`.trimEnd();
  const notes = command.notes === undefined ? [] : ['', command.notes];
  return [command.summary, '', usage, '', 'Options:', ...rows, ...notes].join('\n');
}
