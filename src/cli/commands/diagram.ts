import { writeFileSync } from 'node:fs';
import { DoorwardError } from '../../kernel/errors.ts';
import { type Command, UsageError } from '../command.ts';
import { withApp } from '../open.ts';

export const diagram: Command = {
  name: 'diagram',
  summary: 'draw a flow: stages, conditions, ends',
  usage: 'FLOW [--format mermaid|svg] [--out FILE]',
  options: {
    format: { type: 'string', value: 'FORMAT', description: 'mermaid (default) or svg' },
    out: { type: 'string', value: 'FILE', description: 'write to a file; .svg or .mmd tells the format, too' },
  },
  operands: { min: 1, max: 1 },
  notes: 'Mermaid is what many wikis and code hosts draw from text. The SVG stands by itself, in light and dark.',
  async run({ operands: [slug = ''], options, terminal }) {
    const out = typeof options.out === 'string' ? options.out : null;
    const format = options.format ?? (out?.endsWith('.svg') ? 'svg' : 'mermaid');
    if (format !== 'mermaid' && format !== 'svg') throw new UsageError('--format takes mermaid or svg');
    const drawn = await withApp(terminal.env, (app) => app.diagram(slug, format));
    if (out === null)
      terminal.print(options.json === true ? JSON.stringify({ flow: slug, diagram: drawn }) : drawn.trimEnd());
    else {
      write(out, drawn);
      if (options.json === true) terminal.print(JSON.stringify({ flow: slug, file: out }));
      else terminal.note(`${out} is written`);
    }
  },
};

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new DoorwardError('configuration', `--out: cannot write ${file}: ${String(error)}`);
  }
}
