import type { CheckedBlueprints } from '../../app/blueprints.ts';
import { type Severity, severities } from '../../blueprints/proof/codes.ts';
import { DoorwardError, isDoorwardError } from '../../kernel/errors.ts';
import { policies } from '../../policies/index.ts';
import { stages } from '../../stages/index.ts';
import { type Call, type Command, exitCodes, printable, UsageError } from '../command.ts';
import { withApp } from '../open.ts';
import { countsOf, isAtLeast, proofLines } from '../proof-view.ts';
import { readFiles, surroundings } from '../read-blueprints.ts';
import { sarifOf } from '../sarif.ts';
import { version } from '../version.ts';

export const check: Command = {
  name: 'check',
  summary: 'prove flows: walk every way through them, and tell what can happen that must not',
  usage: '[FILE…]',
  options: {
    database: { type: 'boolean', description: 'on top of what the database defines, not of an empty installation' },
    severity: { type: 'string', value: 'LEVEL', description: 'exit with 1 from here on: error (usual), warning, note' },
    sarif: { type: 'boolean', description: 'print SARIF 2.1.0, for code scanners' },
    'skip-unsupported': { type: 'boolean', description: 'leave out models that do not exist here' },
    files: { type: 'string', value: 'DIR', description: 'the folder below which !File may read; none by default' },
  },
  operands: { min: 0, max: 1_000 },
  notes:
    'Without files it proves what the database defines. With files it needs no database: they are planned on an empty\ninstallation with the flows that come with Doorward. Nothing is changed. docs/proof.md tells each finding and its cure.',
  async run(call) {
    const { operands, options, terminal } = call;
    const least = severityOf(options.severity);
    const checked =
      operands.length > 0 && options.database !== true ? await byThemselves(call) : await onDatabase(call);
    const { findings, warnings, flows } = checked;
    if (options.sarif === true) terminal.print(JSON.stringify(sarifOf(findings, version), null, 2));
    else if (options.json === true) terminal.print(JSON.stringify({ findings, warnings, flows }));
    else show(checked, least, call);
    return findings.some(({ severity }) => isAtLeast(severity, least)) ? exitCodes.refused : exitCodes.done;
  },
};

/** Notes are for who asks for them. */
function show({ findings, warnings, flows }: CheckedBlueprints, least: Severity, { terminal }: Call): void {
  const shown = findings.filter(({ severity }) => isAtLeast(severity, least === 'note' ? 'note' : 'warning'));
  for (const { file, line, column, message } of warnings)
    terminal.note(printable(`${file}:${line}:${column}: warning: ${message}`));
  for (const line of proofLines(shown, terminal.color)) terminal.print(line);
  const hidden = findings.length - shown.length;
  const more = hidden === 0 ? '' : ` (--severity note shows the notes)`;
  terminal.print(`${flows.length} flows: ${countsOf(findings)}${more}`);
}

/** The files alone, with what comes with the product. */
async function byThemselves(call: Call): Promise<CheckedBlueprints> {
  const { planBlueprints } = await import('../../blueprints/plan.ts');
  const { provePlan } = await import('../../blueprints/proof/gate.ts');
  const { nobody, nothingDefined } = await import('../../blueprints/proof/nothing-defined.ts');
  const { shippedFiles } = await import('../../blueprints/shipped-files.ts');
  const input = {
    ...(await surroundings(call, call.terminal.env.DOORWARD_BLUEPRINTS_DIR || null)),
    ...{ stages, policies, definitions: nothingDefined, read: nobody },
    ...{ files: readFiles(call.operands), shipped: shippedFiles.map(({ name }) => name) },
  };
  try {
    const planned = await planBlueprints(input);
    const flows = planned.compiled.map(({ slug }) => slug);
    return { warnings: planned.warnings, findings: provePlan(input, planned), flows };
  } catch (error) {
    if (!isDoorwardError(error) || error.code !== 'blueprint') throw error;
    const hint =
      'Checked without a database: what is defined only there, groups and users included, is not known; --database knows it.';
    throw new DoorwardError('blueprint', `${error.detail}\n${hint}`);
  }
}

function onDatabase(call: Call): Promise<CheckedBlueprints> {
  const files = readFiles(call.operands);
  return withApp(call.terminal.env, async ({ blueprints }) =>
    blueprints.check(files, await surroundings(call, call.terminal.env.DOORWARD_BLUEPRINTS_DIR || null)),
  );
}

function severityOf(given: Call['options'][string]): Severity {
  const wanted = given ?? 'error';
  const known = severities.find((severity) => severity === wanted);
  if (known === undefined) throw new UsageError(`--severity takes ${severities.join(', ')}`);
  return known;
}
