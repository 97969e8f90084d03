import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '../../app/app.ts';
import { isPlainObject, type Json, type JsonObject } from '../../kernel/json.ts';
import type { EventFilter, StoredEvent } from '../../store/events.ts';
import { type Call, type Command, printable, wholeOption } from '../command.ts';
import { withApp } from '../open.ts';
import { userNamed } from './user.ts';

const pollMs = 1_000;
/** A commit under way may hold a smaller id than one that is read already, so each look goes back by so many. */
const lookBack = 200;
const atOnce = 2_000;

export const events: Command = {
  name: 'events',
  summary: 'show the audit record, the newest last',
  usage: '[--follow] [--action ACTION] [--user USERNAME] [--limit N]',
  options: {
    follow: { type: 'boolean', description: 'go on with what happens, until interrupted' },
    action: { type: 'string', value: 'ACTION', description: 'only these: user_write, login, …' },
    user: { type: 'string', value: 'USERNAME', description: 'only by, about or on behalf of this user (or a pk)' },
    limit: { type: 'string', value: 'N', description: 'how many of the past (100)' },
  },
  operands: { min: 0, max: 0 },
  notes: 'With --json each event is one line of JSON. Values of secrets are masked when an event is written.',
  async run(call) {
    const limit = wholeOption(call, 'limit', { usual: 100, most: 10_000 });
    await withApp(call.terminal.env, async (app) => {
      const filter = await filterOf(app, call);
      const past = await app.store.accounts.listEvents({ ...filter, limit: Math.max(limit, lookBack) });
      for (const event of past.slice(0, limit).toReversed()) show(call, event);
      if (call.options.follow === true) await follow(app, call, filter, past);
      else if (past.length === 0 && call.options.json !== true) call.terminal.note('There are no such events.');
    });
  },
};

async function filterOf(app: App, { options: { action, user } }: Call): Promise<EventFilter> {
  return {
    ...(typeof action === 'string' ? { action } : {}),
    ...(typeof user === 'string' ? { userId: await idOf(app, user) } : {}),
  };
}

/** A deleted user is known by pk alone. */
async function idOf(app: App, user: string): Promise<number> {
  const known = /^\d{1,15}$/.test(user) ? await app.users.get({ username: user }) : await userNamed(app, user);
  return known?.id ?? Number(user);
}

async function follow(app: App, call: Call, filter: EventFilter, past: readonly StoredEvent[]): Promise<void> {
  const { stopped } = call.terminal;
  let newest = past[0]?.id ?? 0;
  let shown = new Set(past.map(({ id }) => id));
  while (!stopped.aborted) {
    const found = await after(app, filter, newest - lookBack);
    for (const event of found.toReversed()) if (!shown.has(event.id)) show(call, event);
    newest = Math.max(newest, found[0]?.id ?? 0);
    shown = new Set(found.map(({ id }) => id));
    await sleep(pollMs, undefined, { signal: stopped }).catch(() => undefined);
  }
}

/** All events with a greater id, the newest first. */
async function after(app: App, filter: EventFilter, id: number): Promise<readonly StoredEvent[]> {
  const found: StoredEvent[] = [];
  for (;;) {
    const page = { ...filter, after: id, limit: atOnce, offset: found.length };
    const events = await app.store.accounts.listEvents(page);
    found.push(...events);
    if (events.length < atOnce) return found;
  }
}

function show({ options, terminal }: Call, event: StoredEvent): void {
  terminal.print(options.json === true ? JSON.stringify(jsonOf(event)) : printable(lineOf(event)));
}

function jsonOf({ at, onBehalfOf, requestId, ...event }: StoredEvent): object {
  return { ...event, on_behalf_of: onBehalfOf ?? null, request_id: requestId, created: new Date(at).toISOString() };
}

function lineOf({ at, action, user, onBehalfOf, flow, address, context }: StoredEvent): string {
  const who = user === null ? '-' : `${user.username} (${user.pk})`;
  return [
    new Date(at).toISOString(),
    action.padEnd(22),
    onBehalfOf === undefined ? who : `${who} as ${onBehalfOf.username} (${onBehalfOf.pk})`,
    ...(flow === null ? [] : [`flow ${flow}`]),
    ...(address === '' ? [] : [`from ${address}`]),
    ...(action === 'user_write' ? written(context) : []),
    ...(typeof context.reason === 'string' ? [`reason: ${context.reason}`] : []),
  ].join('  ');
}

/** What a write wrote, with its masked values, and what it discarded and why. */
function written({ created, written: keys, discarded, data }: JsonObject): readonly string[] {
  const values = isPlainObject(data) ? (data as JsonObject) : {};
  const shown = list(keys).map((key) => {
    const name = isPlainObject(key) ? String(key.key) : String(key);
    return Object.hasOwn(values, name) ? `${name}=${JSON.stringify(values[name])}` : name;
  });
  const dropped = list(discarded).map((item) => (isPlainObject(item) ? `${item.key} (${item.reason})` : String(item)));
  return [
    `${created === true ? 'created' : 'wrote'} ${shown.join(' ')}`.trimEnd(),
    ...(dropped.length === 0 ? [] : [`discarded ${dropped.join(', ')}`]),
  ];
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
