import { writeFileSync } from 'node:fs';
import { DoorwardError } from '../../kernel/errors.ts';
import type { Command } from '../command.ts';
import { withApp } from '../open.ts';

export const exportFlow: Command = {
  name: 'export',
  summary: 'write a flow as a blueprint for another installation',
  usage: 'FLOW [--out FILE]',
  options: { out: { type: 'string', value: 'FILE', description: 'write there instead of to standard output' } },
  operands: { min: 1, max: 1 },
  notes:
    'The file holds the flow with its stages, prompts, policies and bindings. Groups, users and other flows that it refers\nto are looked up by name where it is applied. Secrets are left out; a comment says which. An existing FILE is replaced.',
  async run({ operands, options, terminal }) {
    const [slug = ''] = operands;
    const yaml = await withApp(terminal.env, ({ blueprints }) => blueprints.export(slug));
    if (typeof options.out === 'string') write(options.out, yaml);
    if (options.json === true)
      terminal.print(
        JSON.stringify(typeof options.out === 'string' ? { flow: slug, file: options.out } : { flow: slug, yaml }),
      );
    else if (typeof options.out === 'string') terminal.print(`Wrote ${options.out}`);
    else terminal.print(yaml.trimEnd());
  },
};

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new DoorwardError(
      'refused',
      `${file}: cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
