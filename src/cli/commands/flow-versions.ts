import type { ListedFlow } from '../../app/flow-versions.ts';
import { type Command, printable, UsageError } from '../command.ts';
import { withApp } from '../open.ts';
import { changeLines, changeSummary } from '../plan-view.ts';

export const flowList: Command = {
  name: 'flow list',
  summary: 'list the flows',
  usage: '',
  options: {},
  operands: { min: 0, max: 0 },
  async run({ options, terminal }) {
    const flows = await withApp(terminal.env, (app) => app.versions.list());
    if (options.json === true) return terminal.print(JSON.stringify({ flows }));
    const width = (member: 'slug' | 'designation') => Math.max(...flows.map((flow: ListedFlow) => flow[member].length));
    for (const { slug, designation, version, name } of flows)
      terminal.print(
        printable(
          [slug.padEnd(width('slug')), designation.padEnd(width('designation')), `version ${version}`, name].join('  '),
        ),
      );
  },
};

export const flowVersions: Command = {
  name: 'flow versions',
  summary: 'list the versions of a flow',
  usage: 'FLOW',
  options: {},
  operands: { min: 1, max: 1 },
  notes: 'The newest first, with what each changed and how many visitors are under way in it. The last 50 are kept.',
  async run({ operands: [slug = ''], options, terminal }) {
    const versions = await withApp(terminal.env, (app) => app.versions.versions(slug));
    if (options.json === true) {
      const rows = versions.map(({ createdAt, ...rest }) => ({ ...rest, created: new Date(createdAt).toISOString() }));
      return terminal.print(JSON.stringify({ flow: slug, versions: rows }));
    }
    for (const { version, isCurrent, createdAt, openRuns, changes } of versions)
      terminal.print(
        [
          `${isCurrent ? '*' : ' '} ${String(version).padStart(4)}`,
          new Date(createdAt).toISOString(),
          `${openRuns} under way`,
          changes === null ? 'the oldest that is kept' : changeSummary(changes),
        ].join('  '),
      );
  },
};

export const flowDiff: Command = {
  name: 'flow diff',
  summary: 'show what changed between two versions of a flow',
  usage: 'FLOW [FROM [TO]]',
  options: {},
  operands: { min: 1, max: 3 },
  notes: 'By default from the version before to the current one.',
  async run({ operands: [slug = '', from, to], options, terminal }) {
    const [earlier, later] = [versionNumber(from), versionNumber(to)];
    const difference = await withApp(terminal.env, (app) => app.versions.diff(slug, earlier, later));
    if (options.json === true) return terminal.print(JSON.stringify({ flow: slug, ...difference }));
    terminal.note(`flow ${slug}: version ${difference.from} → ${difference.to}`);
    if (difference.changes.length === 0) terminal.print('no difference');
    for (const line of changeLines(difference.changes, { members: true, color: terminal.color })) terminal.print(line);
  },
};

export const flowRollback: Command = {
  name: 'flow rollback',
  summary: 'make an earlier version of a flow the current one again',
  usage: 'FLOW [VERSION]',
  options: {},
  operands: { min: 1, max: 2 },
  notes:
    'By default the version before. It becomes a new version; visitors under way finish on theirs. Stages that other\nflows share go back for them as well. A watched folder is applied again when one of\nits files changes.',
  async run({ operands: [slug = '', version], options, terminal }) {
    const wanted = versionNumber(version);
    const done = await withApp(terminal.env, (app) => app.versions.rollback(slug, wanted));
    if (options.json === true) return terminal.print(JSON.stringify({ flow: slug, ...done }));
    for (const line of changeLines(done.changes, { members: true, color: terminal.color })) terminal.print(line);
    terminal.print(`flow ${slug} is now version ${done.version}, which is what version ${done.to} was`);
    for (const other of done.alsoChanged)
      terminal.print(`flow ${other.slug} shares what changed and is now version ${other.version}`);
  },
};

function versionNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`"${text}" is not the number of a version`);
  return Number(text);
}
