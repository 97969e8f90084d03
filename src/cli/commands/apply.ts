import { readFileSync } from 'node:fs';
import type { AppliedBlueprints, BlueprintOptions } from '../../app/blueprints.ts';
import type { BlueprintSource } from '../../app/options.ts';
import { readFolder } from '../../blueprints/folder.ts';
import { DoorwardError } from '../../kernel/errors.ts';
import { type Call, type Command, printable } from '../command.ts';
import { readEnvironment } from '../environment.ts';
import { withApp } from '../open.ts';
import { planLines } from '../plan-view.ts';

export const apply: Command = {
  name: 'apply',
  summary: 'apply blueprint files, all or nothing, or show what they would change',
  usage: 'FILE…',
  options: {
    plan: { type: 'boolean', description: 'show what would change, and change nothing' },
    'skip-unsupported': {
      type: 'boolean',
      description: 'leave out models that do not exist here, with a warning each',
    },
    'end-runs': { type: 'boolean', description: 'visitors under way in changed flows start again' },
    files: { type: 'string', value: 'DIR', description: 'the folder below which !File may read; none by default' },
  },
  operands: { min: 1, max: 1_000 },
  notes:
    'Files are applied in the order given, in one transaction. Applying the same files again changes nothing.\nA running server notices new versions of flows by itself; visitors under way finish on theirs, unless --end-runs.\nAn entry that applies another blueprint finds it among the files given, in DOORWARD_BLUEPRINTS_DIR and among those that\ncome with Doorward. docs/blueprints.md has the format.',
  async run(call) {
    const { operands, options, terminal } = call;
    const files = operands.map((name) => ({ name, text: readText(name) }));
    const how = await optionsOf(call);
    const done = await withApp(terminal.env, ({ blueprints }) =>
      options.plan === true ? blueprints.plan(files, how) : blueprints.apply(files, how),
    );
    if (options.json === true) return terminal.print(JSON.stringify(asJson(done, options.plan === true)));
    for (const { file, line, column, message } of done.warnings)
      terminal.note(printable(`${file}:${line}:${column}: warning: ${message}`));
    const shown = { plan: options.plan === true, endRuns: how.endRuns === true, color: terminal.color };
    for (const line of planLines(done, shown)) terminal.print(line);
  },
};

function asJson({ flowChanges, ...done }: AppliedBlueprints, plan: boolean): object {
  const flows = flowChanges.map(({ openRuns, ...flow }) => ({ ...flow, open_runs: openRuns }));
  return { plan, ...done, flow_changes: flows };
}

async function optionsOf({ options, terminal }: Call): Promise<BlueprintOptions> {
  const { blueprintsDir } = readEnvironment(terminal.env);
  return {
    env: terminal.env,
    library: blueprintsDir === null ? [] : await library(blueprintsDir),
    skipUnsupported: options['skip-unsupported'] === true,
    endRuns: options['end-runs'] === true,
    ...(typeof options.files === 'string' ? { filesDir: options.files } : {}),
  };
}

async function library(folder: string): Promise<readonly BlueprintSource[]> {
  try {
    return (await readFolder(folder)).files;
  } catch (error) {
    throw new DoorwardError('configuration', `DOORWARD_BLUEPRINTS_DIR: ${folder} cannot be read: ${messageOf(error)}`);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new DoorwardError('blueprint', `${file}: cannot be read: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
