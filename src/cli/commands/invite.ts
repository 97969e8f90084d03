import { invitationLasts } from '../../app/invitations.ts';
import { parseDuration } from '../../kernel/duration.ts';
import { isPlainObject, type Json, type JsonObject } from '../../kernel/json.ts';
import { isLocale, locales } from '../../protocol/localize.ts';
import { type Call, type Command, printable, UsageError, wholeOption } from '../command.ts';
import { withApp } from '../open.ts';

const actor = { via: 'cli' } as const;

export const inviteCreate: Command = {
  name: 'invite create',
  summary: 'invite somebody into a flow',
  usage: '--name NAME [--flow FLOW] [--data KEY=VALUE…] [--single-use] [--expires DURATION] [--mail ADDRESS]',
  options: {
    name: { type: 'string', value: 'NAME', description: 'letters, digits, hyphens and underscores' },
    flow: { type: 'string', value: 'FLOW', description: 'the one flow that it opens; any by default' },
    data: {
      ...{ type: 'string', value: 'KEY=VALUE', multiple: true },
      description: 'what they cannot change, such as email=ada@example.com; several times, or once as JSON',
    },
    'single-use': { type: 'boolean', description: 'good for one user; always so with --mail' },
    expires: { type: 'string', value: 'DURATION', description: 'how long it is good for, such as hours=12 (days=7)' },
    mail: { type: 'string', value: 'ADDRESS', description: 'send it there' },
    locale: { type: 'string', value: 'LOCALE', description: `of that mail: ${Object.keys(locales).join(', ')} (en)` },
  },
  operands: { min: 0, max: 0 },
  notes:
    'The address is shown once; the secret in it is stored as its hash. Opening it does not use it up: writing the user\ndoes.',
  async run(call) {
    const { options, terminal } = call;
    const { name, flow, mail, locale } = options;
    if (typeof name !== 'string') throw new UsageError('--name is missing');
    if (locale !== undefined && (typeof locale !== 'string' || !isLocale(locale)))
      throw new UsageError(`--locale is one of ${Object.keys(locales).join(', ')}`);
    const lasts = options.expires === undefined ? invitationLasts.usual : durationOf(options.expires);
    const given = {
      ...{ name, fixedData: dataOf(options.data) },
      ...(typeof flow === 'string' ? { flow } : {}),
      ...(options['single-use'] === true ? { singleUse: true } : {}),
      ...(typeof mail === 'string' ? { mail } : {}),
      ...(locale === undefined ? {} : { locale }),
    };
    const made = await withApp(terminal.env, (app) =>
      app.invitations.create({ ...given, expiresAt: app.now() + lasts }, actor),
    );
    const { invitation, address, secret } = made;
    const expires = new Date(invitation.expiresAt).toISOString();
    if (options.json === true)
      return terminal.print(JSON.stringify({ id: invitation.uuid, name, address, itoken: secret, expires }));
    terminal.print(address ?? secret);
    if (address === null) terminal.note('Put ?itoken= and this behind the address of a flow with an invitation stage.');
    const often = invitation.singleUse ? 'for one user' : 'for any number of users';
    terminal.note(`Invitation ${invitation.uuid}, ${often}, until ${expires}. It is not shown again.`);
  },
};

export const inviteList: Command = {
  name: 'invite list',
  summary: 'list invitations',
  usage: '[--search TEXT] [--page N]',
  options: {
    search: { type: 'string', value: 'TEXT', description: 'in the name' },
    page: { type: 'string', value: 'N', description: 'page of 100 invitations, from 1' },
  },
  operands: { min: 0, max: 0 },
  async run(call) {
    const { options, terminal } = call;
    const page = wholeOption(call, 'page', { usual: 1, most: 1_000_000 });
    const search = typeof options.search === 'string' ? options.search : '';
    const { invitations, total } = await withApp(terminal.env, (app) => app.invitations.list({ search, page }));
    const rows = invitations.map(({ uuid: id, name, flow, singleUse, uses, expiresAt }) => {
      return { id, name, flow, single_use: singleUse, uses, expires: new Date(expiresAt).toISOString() };
    });
    if (options.json === true) return terminal.print(JSON.stringify({ total, invitations: rows }));
    if (rows.length === 0) return terminal.note('There are no such invitations.');
    const width = Math.max(...rows.map(({ name }) => name.length));
    for (const { id, name, flow, single_use: once, uses, expires } of rows)
      terminal.print(
        printable(
          [id, name.padEnd(width), `used ${uses}${once ? ' of 1' : ''}`, `until ${expires}`, flow ?? '']
            .join('  ')
            .trimEnd(),
        ),
      );
  },
};

export const inviteRevoke: Command = {
  name: 'invite revoke',
  summary: 'make an invitation void',
  usage: 'ID',
  options: {},
  operands: { min: 1, max: 1 },
  notes: 'Also for who is under way with it. doorward invite list shows the ids.',
  async run({ operands: [id = ''], options, terminal }) {
    await withApp(terminal.env, (app) => app.invitations.revoke(id, actor));
    terminal.print(options.json === true ? JSON.stringify({ id, revoked: true }) : `The invitation ${id} is void`);
  },
};

function durationOf(given: Call['options'][string]): number {
  try {
    return parseDuration(String(given));
  } catch {
    throw new UsageError('--expires takes a duration such as days=3 or hours=12');
  }
}

/** `KEY=VALUE` is text; what begins with `{` is JSON. */
function dataOf(given: Call['options'][string]): JsonObject {
  const entries = (Array.isArray(given) ? given : []).flatMap((one: string): [string, Json][] => {
    if (one.startsWith('{')) return Object.entries(jsonOf(one));
    const at = one.indexOf('=');
    if (at < 1) throw new UsageError('--data takes KEY=VALUE, or an object as JSON');
    return [[one.slice(0, at), one.slice(at + 1)]];
  });
  return Object.fromEntries(entries);
}

function jsonOf(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (isPlainObject(value)) return value as JsonObject;
  } catch {}
  throw new UsageError('--data: this is not a JSON object');
}
