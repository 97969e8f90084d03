import type { App } from '../../app/app.ts';
import type { Group, User } from '../../engine/user.ts';
import { DoorwardError } from '../../kernel/errors.ts';
import { type Command, printable } from '../command.ts';
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

export const groupList: Command = {
  name: 'group list',
  summary: 'list groups, or the members of one',
  usage: '[GROUP]',
  options: {},
  operands: { min: 0, max: 1 },
  async run({ operands: [name], options, terminal }) {
    await withApp(terminal.env, async ({ groups }) => {
      const all = await groups.list();
      const group = all.find((known) => known.name === name);
      if (name !== undefined && group === undefined)
        throw new DoorwardError('not_found', `there is no group "${name}"; see doorward group list`);
      const members = group === undefined ? null : await groups.members(group.pk);
      if (options.json === true)
        return terminal.print(
          JSON.stringify(members === null ? all.map(publicGroup) : { name, members: members.map(memberOf) }),
        );
      if (members !== null) for (const { username } of members) terminal.print(printable(username));
      else for (const line of all.map((one) => lineOf(one, all))) terminal.print(printable(line));
      if ((members ?? all).length === 0)
        terminal.note(members === null ? 'There are no groups.' : 'It has no members.');
    });
  },
};

function publicGroup({ pk, name, isSuperuser, parent }: Group): object {
  return { pk, name, is_superuser: isSuperuser, parent };
}

function memberOf({ id, username }: User): object {
  return { pk: id, username };
}

function lineOf({ name, isSuperuser, parent }: Group, all: readonly Group[]): string {
  const above = all.find(({ pk }) => pk === parent);
  return [name, isSuperuser ? '(administrators)' : '', above === undefined ? '' : `below ${above.name}`]
    .filter((part) => part !== '')
    .join('  ');
}

export const groupAdd = membership('group add', 'add a user to a group', {
  change: (app, user, group) => app.users.join(user.id, group, { via: 'cli' }),
  said: (username, group) => `${username} is a member of ${group}`,
});

export const groupRemove = membership('group remove', 'take a user out of a group', {
  change: (app, user, group) => app.users.leave(user.id, group, { via: 'cli' }),
  said: (username, group) => `${username} is not a member of ${group}`,
});

function membership(
  name: string,
  summary: string,
  how: { change(app: App, user: User, group: string): Promise<void>; said(username: string, group: string): string },
): Command {
  return {
    ...{ name, summary, usage: 'GROUP USERNAME', options: {}, operands: { min: 2, max: 2 } },
    async run({ operands: [group = '', username = ''], options, terminal }) {
      await withApp(terminal.env, async (app) => how.change(app, await userNamed(app, username), group));
      terminal.print(options.json === true ? JSON.stringify({ group, username }) : how.said(username, group));
    },
  };
}
