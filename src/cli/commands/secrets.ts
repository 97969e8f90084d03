import { type Command, exitCodes } from '../command.ts';
import { withApp } from '../open.ts';
import { Progress } from '../progress.ts';

export const secretsReseal: Command = {
  name: 'secrets reseal',
  summary: 'seal anew what a former secret key sealed, so that it can be dropped',
  usage: '',
  options: {},
  operands: { min: 0, max: 0 },
  notes:
    'Give DOORWARD_SECRET_KEY as new,old, here and to every server first: they may go on serving meanwhile. Exit code 1\nmeans that something is left which none of the keys opens; run it again as often as you like.',
  async run({ options, terminal }) {
    const progress = new Progress(terminal);
    const kinds = await withApp(terminal.env, (app) =>
      app.store.reseal((records) => progress.update({ records, refused: 0, bytes: 0, size: null })),
    );
    progress.clear();
    const unreadable = kinds.reduce((sum, kind) => sum + kind.unreadable, 0);
    if (options.json === true) terminal.print(JSON.stringify({ kinds }));
    else
      for (const { kind, resealed, already, unreadable: closed } of kinds)
        terminal.print(
          `${kind.padEnd(15)} ${resealed} sealed anew, ${already} already were${closed === 0 ? '' : `, ${closed} cannot be read`}`,
        );
    if (unreadable > 0)
      terminal.note('What cannot be read was sealed with a key that is not given: add it to DOORWARD_SECRET_KEY.');
    return unreadable > 0 ? exitCodes.refused : exitCodes.done;
  },
};
