import { accessLasts } from '../../app/tokens.ts';
import { type Command, printable, wholeOption } from '../command.ts';
import { withApp } from '../open.ts';
import { userNamed } from './user.ts';

const actor = { via: 'cli' } as const;

export const tokenCreate: Command = {
  name: 'token create',
  summary: "let a program use the REST API with a user's rights",
  usage: 'USERNAME [--description TEXT] [--days N]',
  options: {
    description: { type: 'string', value: 'TEXT', description: 'what it is for' },
    days: { type: 'string', value: 'N', description: `how long it is good for (${accessLasts.usual})` },
  },
  operands: { min: 1, max: 1 },
  notes: 'The token is shown once and stored as its hash. Programs send it as Authorization: Bearer TOKEN.',
  async run(call) {
    const { operands, options, terminal } = call;
    const [username = ''] = operands;
    const days = wholeOption(call, 'days', accessLasts);
    const description = typeof options.description === 'string' ? options.description : '';
    const { secret, uuid, expiresAt } = await withApp(terminal.env, async (app) =>
      app.tokens.create((await userNamed(app, username)).id, { description, days }, actor),
    );
    const expires = new Date(expiresAt).toISOString();
    if (options.json === true)
      return terminal.print(JSON.stringify({ id: uuid, username, token: secret, description, expires }));
    terminal.print(secret);
    terminal.note(`Token ${uuid} of ${username}, until ${expires}. It is not shown again.`);
  },
};

export const tokenList: Command = {
  name: 'token list',
  summary: 'list the tokens of programs',
  usage: '',
  options: {},
  operands: { min: 0, max: 0 },
  async run({ options, terminal }) {
    const [tokens, now] = await withApp(terminal.env, async (app) => [await app.tokens.list(), app.now()] as const);
    const rows = tokens.map(({ uuid, username, description, createdAt, expiresAt }) => ({
      ...{ id: uuid, username, description, created: new Date(createdAt).toISOString() },
      ...{ expires: new Date(expiresAt).toISOString(), expired: expiresAt <= now },
    }));
    if (options.json === true) return terminal.print(JSON.stringify({ tokens: rows }));
    if (rows.length === 0) return terminal.note('There are no tokens.');
    const width = Math.max(...rows.map(({ username }) => username.length));
    for (const { id, username, expires, expired, description } of rows)
      terminal.print(
        printable(
          [id, username.padEnd(width), `${expired ? 'expired' : 'until'} ${expires}`, description].join('  ').trimEnd(),
        ),
      );
  },
};

export const tokenRevoke: Command = {
  name: 'token revoke',
  summary: 'make a token void',
  usage: 'ID',
  options: {},
  operands: { min: 1, max: 1 },
  notes: 'doorward token list shows the ids.',
  async run({ operands: [id = ''], options, terminal }) {
    await withApp(terminal.env, (app) => app.tokens.revoke(id, actor));
    terminal.print(options.json === true ? JSON.stringify({ id, revoked: true }) : `The token ${id} is void`);
  },
};
