import { type Command, printable } from '../command.ts';
import { withApp } from '../open.ts';

export const blueprintsList: Command = {
  name: 'blueprints list',
  summary: 'what became of the files of the watched folder',
  usage: '',
  options: {},
  operands: { min: 0, max: 0 },
  notes:
    'A server with DOORWARD_BLUEPRINTS_DIR applies the files below that folder at start and when they change. An error leaves\nwhat the file had made before as it is. "off": the file says that it is not to be applied by itself.',
  async run({ options, terminal }) {
    const files = await withApp(terminal.env, ({ blueprints }) => blueprints.files());
    const shown = files.map(({ at, ...file }) => ({ ...file, at: new Date(at).toISOString() }));
    if (options.json === true) return terminal.print(JSON.stringify({ files: shown }));
    if (shown.length === 0) terminal.note('No file of a watched folder was applied yet.');
    for (const { path, name, status, at, message } of shown) {
      terminal.print(printable(`${status.padEnd(10)}  ${at}  ${path}${name === path ? '' : `  ${name}`}`));
      for (const line of message === '' ? [] : message.split('\n')) terminal.print(printable(`            ${line}`));
    }
  },
};
