import { readFileSync } from 'node:fs';
import { DoorwardError } from '../../kernel/errors.ts';
import type { Command } from '../command.ts';
import { withApp } from '../open.ts';

export const apply: Command = {
  name: 'apply',
  summary: 'apply blueprint files, all or nothing',
  usage: 'FILE…',
  options: {},
  operands: { min: 1, max: 1_000 },
  notes:
    'Files are applied in the order given, in one transaction. Applying the same files again changes nothing.\nA running server notices new versions of flows by itself; visitors under way finish on theirs.',
  async run({ operands, options, terminal }) {
    const files = operands.map((name) => ({ name, text: readText(name) }));
    const applied = await withApp(terminal.env, (app) => app.apply(files, terminal.env));
    if (options.json === true) return terminal.print(JSON.stringify(applied));
    for (const { file, line, column, message } of applied.warnings)
      terminal.note(`${file}:${line}:${column}: warning: ${message}`);
    const { created, updated, unchanged, deleted, flows } = applied;
    terminal.print(`${created} created, ${updated} updated, ${unchanged} unchanged, ${deleted} deleted`);
    for (const { slug, version } of flows) terminal.print(`flow ${slug} is now version ${version}`);
  },
};

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new DoorwardError(
      'blueprint',
      `${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
