import { recoveryLinkLasts } from '../../app/tokens.ts';
import { type Command, wholeOption } from '../command.ts';
import { withApp } from '../open.ts';
import { userNamed } from './user.ts';

export const userRecoveryLink: Command = {
  name: 'user recovery-link',
  summary: 'print a one-time address to set a new password with',
  usage: 'USERNAME [--minutes N]',
  options: {
    minutes: { type: 'string', value: 'N', description: `how long it is good for (${recoveryLinkLasts.usual})` },
  },
  operands: { min: 1, max: 1 },
  notes:
    'Whoever holds the address can set a new password and is signed in. Opening it does not use it up; setting the\npassword does, and ends all other sessions of the user. A new link makes older ones of the user void.',
  async run(call) {
    const { operands, options, terminal } = call;
    const [username = ''] = operands;
    const minutes = wholeOption(call, 'minutes', recoveryLinkLasts);
    const { address, expiresAt } = await withApp(terminal.env, async (app) =>
      app.tokens.recoveryLink((await userNamed(app, username)).id, { minutes }, { via: 'cli' }),
    );
    const expires = new Date(expiresAt).toISOString();
    if (options.json === true) return terminal.print(JSON.stringify({ username, address, expires }));
    terminal.print(address);
    terminal.note(`For ${username}, once, until ${expires}`);
  },
};
