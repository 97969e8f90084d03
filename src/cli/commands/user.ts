import type { App } from '../../app/app.ts';
import type { User } from '../../engine/user.ts';
import { DoorwardError } from '../../kernel/errors.ts';
import { isEmail } from '../../stages/prompt/formats.ts';
import type { Call, Command, Terminal } from '../command.ts';
import { printable, UsageError } from '../command.ts';
import { withApp } from '../open.ts';

const actor = { via: 'cli' } as const;

/** The user of that name. @throws DoorwardError `not_found` */
export async function userNamed({ users }: Pick<App, 'users'>, username: string): Promise<User> {
  const user = await users.get({ username });
  if (user === null) throw new DoorwardError('not_found', `there is no user "${username}"; see doorward user list`);
  return user;
}

/** What is printed of a user as JSON. */
function publicUser(user: User): object {
  const { id, uuid, username, name, email, emailVerifiedAt, type, path, isActive, dateJoined, lastLogin } = user;
  return {
    pk: id,
    uuid,
    username,
    name,
    email,
    email_verified: emailVerifiedAt !== null,
    type,
    path,
    is_active: isActive,
    date_joined: iso(dateJoined),
    last_login: iso(lastLogin),
  };
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

/** Typed twice on a terminal, read once from standard input otherwise. */
async function newPassword(terminal: Terminal): Promise<string> {
  const password = await terminal.secret('New password: ');
  if (terminal.interactive && (await terminal.secret('Once more: ')) !== password)
    throw new DoorwardError('invalid_request', 'the two passwords are not the same');
  return password;
}

export const userCreate: Command = {
  name: 'user create',
  summary: 'make a user',
  usage: 'USERNAME [--name NAME] [--email ADDRESS [--email-verified]] [--group GROUP] [--no-password] [--admin]',
  options: {
    name: { type: 'string', value: 'NAME', description: 'full name' },
    email: { type: 'string', value: 'ADDRESS', description: 'e-mail address' },
    'email-verified': { type: 'boolean', description: 'the address is known to be theirs' },
    group: { type: 'string', value: 'GROUP', description: 'name of a group to join' },
    admin: { type: 'boolean', description: 'make an administrator (joins "Doorward Admins")' },
    'no-password': { type: 'boolean', description: 'without a password: no sign-in by password' },
  },
  operands: { min: 1, max: 1 },
  notes: 'The password is asked for on a terminal, and read from the first line of standard input otherwise.',
  async run({ operands: [username = ''], options, terminal }) {
    checkAddress(options);
    const password = options['no-password'] === true ? undefined : await newPassword(terminal);
    const groups = [options.group, options.admin === true ? 'Doorward Admins' : undefined].filter(
      (name) => typeof name === 'string',
    );
    const user = await withApp(terminal.env, (app) =>
      app.users.create(
        {
          username,
          groups,
          ...(typeof options.name === 'string' ? { name: options.name } : {}),
          ...(typeof options.email === 'string' ? { email: options.email } : {}),
          ...(options['email-verified'] === true ? { emailVerified: true } : {}),
          ...(password === undefined ? {} : { password }),
        },
        actor,
      ),
    );
    terminal.print(options.json === true ? JSON.stringify(publicUser(user)) : `Made ${user.username} (pk ${user.id})`);
  },
};

function checkAddress({ email, 'email-verified': isVerified }: Call['options']): void {
  if (typeof email === 'string' && !isEmail(email)) throw new UsageError('--email must be an e-mail address');
  if (isVerified === true && email === undefined)
    throw new UsageError('--email-verified is about an address: give it with --email');
}

export const userList: Command = {
  name: 'user list',
  summary: 'list users',
  usage: '[--search TEXT] [--inactive] [--page N]',
  options: {
    search: { type: 'string', value: 'TEXT', description: 'in username, name or e-mail address' },
    inactive: { type: 'boolean', description: 'only deactivated ones' },
    page: { type: 'string', value: 'N', description: 'page of 100 users, from 1' },
  },
  operands: { min: 0, max: 0 },
  async run({ options, terminal }) {
    const page = Number(options.page ?? '1');
    if (!Number.isInteger(page) || page < 1) throw new UsageError('--page takes a whole number from 1');
    const filter = {
      ...(typeof options.search === 'string' ? { search: options.search } : {}),
      ...(options.inactive === true ? { isActive: false } : {}),
    };
    const { users, total } = await withApp(terminal.env, (app) =>
      app.store.accounts.listUsers({ ...filter, page, pageSize: 100 }),
    );
    if (options.json === true) return terminal.print(JSON.stringify({ total, users: users.map(publicUser) }));
    if (users.length === 0) return terminal.note(total === 0 ? 'There are no such users.' : `Page ${page} is empty.`);
    const width = Math.max(...users.map(({ username }) => username.length));
    for (const user of users)
      terminal.print(
        printable(
          [String(user.id).padStart(6), user.username.padEnd(width), user.isActive ? ' ' : 'x', user.email, user.name]
            .join('  ')
            .trimEnd(),
        ),
      );
    terminal.note(`${users.length} of ${total}${users.some(({ isActive }) => !isActive) ? '; x = deactivated' : ''}`);
  },
};

export const userSetPassword: Command = {
  name: 'user set-password',
  summary: "set a user's password and end their sessions",
  usage: 'USERNAME',
  options: {},
  operands: { min: 1, max: 1 },
  notes: 'The password is asked for on a terminal, and read from the first line of standard input otherwise.',
  async run({ operands: [username = ''], options, terminal }) {
    const password = await newPassword(terminal);
    await withApp(terminal.env, async (app) =>
      app.users.setPassword((await userNamed(app, username)).id, password, actor),
    );
    terminal.print(
      options.json === true
        ? JSON.stringify({ username })
        : `The password of ${username} is set; all their sessions have ended`,
    );
  },
};

export const userRemoveAuthenticators: Command = {
  name: 'user remove-authenticators',
  summary: 'let a user who lost their authenticators sign in by password alone',
  usage: 'USERNAME --yes',
  options: { yes: { type: 'boolean', description: 'really; make sure first that it is them who ask for it' } },
  operands: { min: 1, max: 1 },
  notes: 'Apps, passkeys and recovery codes go; all sessions end, and the user is told by mail.',
  async run({ operands: [username = ''], options, terminal }) {
    if (options.yes !== true)
      throw new UsageError('whoever knows the password gets in then; add --yes if it is the user who asks for it');
    const removed = await withApp(terminal.env, async (app) =>
      app.users.removeAuthenticators((await userNamed(app, username)).id, actor),
    );
    const said = removed === 0 ? `${username} has no authenticators` : `Removed ${removed} of ${username}`;
    terminal.print(options.json === true ? JSON.stringify({ username, removed }) : said);
  },
};

export const userShow: Command = {
  name: 'user show',
  summary: 'show a user, with groups, authenticators and sessions',
  usage: 'USERNAME',
  options: {},
  operands: { min: 1, max: 1 },
  async run({ operands: [username = ''], options, terminal }) {
    const shown = await withApp(terminal.env, async ({ users, store }) => {
      const user = await userNamed({ users }, username);
      const [groups, authenticators, sessions] = await Promise.all([
        store.read.groupsOf(user.id),
        store.read.authenticatorsOf(user.id),
        store.read.sessionsOf(user.id),
      ]);
      return {
        ...publicUser(user),
        groups: groups.map(({ name }) => name),
        is_superuser: groups.some(({ isSuperuser }) => isSuperuser),
        authenticators: authenticators.map(({ kind, name }) => ({ kind, name })),
        sessions: sessions.length,
      };
    });
    if (options.json === true) return terminal.print(JSON.stringify(shown));
    for (const [field, value] of Object.entries(shown))
      terminal.print(printable(`${field.padEnd(15)} ${cell(value)}`.trimEnd()));
  },
};

/** A value in a line; nothing for what is not there. */
function cell(value: unknown): string {
  if (!Array.isArray(value)) return value === true ? 'yes' : value === false ? 'no' : String(value ?? '');
  return value.map((one) => (typeof one === 'string' ? one : `${one.name} (${one.kind})`)).join(', ');
}

export const userActivate: Command = {
  name: 'user activate',
  summary: 'let a deactivated user sign in again',
  usage: 'USERNAME',
  options: {},
  operands: { min: 1, max: 1 },
  async run({ operands: [username = ''], options, terminal }) {
    await withApp(terminal.env, async (app) =>
      app.users.update((await userNamed(app, username)).id, { isActive: true }, actor),
    );
    terminal.print(
      options.json === true ? JSON.stringify({ username, is_active: true }) : `${username} can sign in again`,
    );
  },
};

export const userDeactivate: Command = {
  name: 'user deactivate',
  summary: 'lock a user out and end their sessions',
  usage: 'USERNAME',
  options: {},
  operands: { min: 1, max: 1 },
  async run({ operands: [username = ''], options, terminal }) {
    await withApp(terminal.env, async (app) => app.users.deactivate((await userNamed(app, username)).id, actor));
    terminal.print(
      options.json === true ? JSON.stringify({ username, is_active: false }) : `${username} can no longer sign in`,
    );
  },
};

export const userDelete: Command = {
  name: 'user delete',
  summary: 'delete a user for good',
  usage: 'USERNAME --yes',
  options: { yes: { type: 'boolean', description: 'really; there is no way back' } },
  operands: { min: 1, max: 1 },
  async run({ operands: [username = ''], options, terminal }) {
    if (options.yes !== true) throw new UsageError('deleting is for good; add --yes (or use doorward user deactivate)');
    await withApp(terminal.env, async (app) => app.users.delete((await userNamed(app, username)).id, actor));
    terminal.print(options.json === true ? JSON.stringify({ username, deleted: true }) : `Deleted ${username}`);
  },
};
