import type { Command } from '../command.ts';
import { withApp } from '../open.ts';
import { userNamed } from './user.ts';

export const groupCreate: Command = {
  name: 'group create',
  summary: 'make a group',
  usage: 'NAME [--superuser] [--parent GROUP]',
  options: {
    superuser: { type: 'boolean', description: 'its members are administrators' },
    parent: { type: 'string', value: 'GROUP', description: 'members count as members of that group too' },
  },
  operands: { min: 1, max: 1 },
  async run({ operands: [name = ''], options, terminal }) {
    const pk = await withApp(terminal.env, async (app) => {
      const parent = typeof options.parent === 'string' ? options.parent : null;
      const group = { name, isSuperuser: options.superuser === true, parent };
      return (await app.groups.create(group, { via: 'cli' })).pk;
    });
    terminal.print(options.json === true ? JSON.stringify({ pk, name }) : `Made the group ${name}`);
  },
};

export const groupAdd: Command = {
  name: 'group add',
  summary: 'add a user to a group',
  usage: 'GROUP USERNAME',
  options: {},
  operands: { min: 2, max: 2 },
  async run({ operands: [group = '', username = ''], options, terminal }) {
    await withApp(terminal.env, async (app) => {
      const user = await userNamed(app, username);
      await app.users.join(user.id, group, { via: 'cli' });
    });
    terminal.print(options.json === true ? JSON.stringify({ group, username }) : `${username} is a member of ${group}`);
  },
};
