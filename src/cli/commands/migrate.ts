import type { Command } from '../command.ts';
import { withApp } from '../open.ts';

export const migrate: Command = {
  name: 'migrate',
  summary: 'bring the database to this version and stop',
  usage: '',
  options: {},
  operands: { min: 0, max: 0 },
  notes: 'serve does this at start as well, under a lock; run it by itself before a roll-out.',
  async run({ options, terminal }) {
    const applied = await withApp(terminal.env, async (app) => app.store.migrations);
    if (options.json === true) return terminal.print(JSON.stringify({ applied }));
    terminal.print(applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}`);
  },
};
