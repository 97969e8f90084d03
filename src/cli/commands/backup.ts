import { resolve } from 'node:path';
import type { Command } from '../command.ts';
import { withApp } from '../open.ts';

export const backup: Command = {
  name: 'backup',
  summary: 'write a consistent copy of the SQLite database',
  usage: 'FILE',
  options: {},
  operands: { min: 1, max: 1 },
  notes:
    'The server may go on meanwhile. Keep secret.key of the data folder with it: sealed values need that key.\nFor PostgreSQL use pg_dump.',
  async run({ operands: [file = ''], options, terminal }) {
    const path = resolve(file);
    await withApp(terminal.env, (app) => app.store.backup(path));
    terminal.print(options.json === true ? JSON.stringify({ file: path }) : `Wrote ${path}`);
  },
};
