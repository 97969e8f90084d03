import type { AppliedBlueprints, BlueprintOptions } from '../../app/blueprints.ts';
import { isFindingCode, proofModes } from '../../blueprints/proof/codes.ts';
import { type Call, type Command, printable, UsageError } from '../command.ts';
import { readEnvironment } from '../environment.ts';
import { withApp } from '../open.ts';
import { planLines } from '../plan-view.ts';
import { countsOf, isAtLeast, proofLines } from '../proof-view.ts';
import { readFiles, surroundings } from '../read-blueprints.ts';

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
    proof: { type: 'string', value: 'MODE', description: 'refuse (usual), warn or off: what becomes of unsafe flows' },
    allow: { type: 'string', value: 'CODES', description: 'findings to accept, separated by commas' },
    files: { type: 'string', value: 'DIR', description: 'the folder below which !File may read; none by default' },
  },
  operands: { min: 1, max: 1_000 },
  notes:
    'Files are applied in the order given, in one transaction. Applying the same files again changes nothing.\nA running server notices new versions of flows by itself; visitors under way finish on theirs, unless --end-runs.\nAn entry that applies another blueprint finds it among the files given, in DOORWARD_BLUEPRINTS_DIR and among those that\ncome with Doorward. docs/blueprints.md has the format.\nFlows are proved before: an error in one that changes refuses all. doorward check draws the path; docs/proof.md tells more.',
  async run(call) {
    const { operands, options, terminal } = call;
    const files = readFiles(operands);
    const how = await optionsOf(call);
    const done = await withApp(terminal.env, ({ blueprints }) =>
      options.plan === true ? blueprints.plan(files, how) : blueprints.apply(files, how),
    );
    if (options.json === true) return terminal.print(JSON.stringify(asJson(done, options.plan === true)));
    for (const { file, line, column, message } of done.warnings)
      terminal.note(printable(`${file}:${line}:${column}: warning: ${message}`));
    const told = done.findings.filter(({ severity }) => isAtLeast(severity, 'warning'));
    for (const line of proofLines(told, false)) terminal.note(line);
    if (told.length > 0) terminal.note(`The proof: ${countsOf(told)}`);
    const shown = { plan: options.plan === true, endRuns: how.endRuns === true, color: terminal.color };
    for (const line of planLines(done, shown)) terminal.print(line);
  },
};

function asJson({ flowChanges, ...done }: AppliedBlueprints, plan: boolean): object {
  const flows = flowChanges.map(({ openRuns, ...flow }) => ({ ...flow, open_runs: openRuns }));
  return { plan, ...done, flow_changes: flows };
}

async function optionsOf(call: Call): Promise<BlueprintOptions> {
  const { options, terminal } = call;
  const proof = proofModes.find((mode) => mode === (options.proof ?? 'refuse'));
  if (proof === undefined) throw new UsageError(`--proof takes ${proofModes.join(', ')}`);
  const allow = typeof options.allow === 'string' ? options.allow.split(',').map((code) => code.trim()) : [];
  const unknown = allow.find((code) => !isFindingCode(code));
  if (unknown !== undefined)
    throw new UsageError(`--allow: there is no finding "${unknown}"; docs/proof.md lists them`);
  const { blueprintsDir } = readEnvironment(terminal.env);
  return { ...(await surroundings(call, blueprintsDir)), endRuns: options['end-runs'] === true, proof, allow };
}
