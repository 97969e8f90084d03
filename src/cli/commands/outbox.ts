import { type OutboxEntry, outboxDesk } from '../../app/outbox.ts';
import type { Command } from '../command.ts';
import { UsageError } from '../command.ts';
import { withApp } from '../open.ts';

export const outboxList: Command = {
  name: 'outbox list',
  summary: 'list webhooks and mail that were not delivered yet',
  usage: '',
  options: {},
  operands: { min: 0, max: 0 },
  notes: 'The oldest 1,000. A message that is set aside waits for: doorward outbox retry',
  async run({ options, terminal }) {
    const entries = await withApp(terminal.env, (app) => outboxDesk(app.store.outbox).list());
    if (options.json === true) return terminal.print(JSON.stringify({ messages: entries.map(publicEntry) }));
    if (entries.length === 0) return terminal.note('Everything was delivered.');
    for (const { id, state, kind, to, user, tries, lastError, dueAt } of entries)
      terminal.print(
        [
          ...[
            id,
            state.padEnd(9),
            kind.padEnd(7),
            `user ${user ?? '-'}`,
            `${tries} ${tries === 1 ? 'try' : 'tries'}`,
            to ?? 'unreadable',
          ],
          ...(state === 'waiting' ? [`next ${iso(dueAt)}`] : []),
          ...(lastError === null ? [] : [`(${lastError})`]),
        ].join('  '),
      );
    const aside = entries.filter(({ state }) => state === 'set_aside').length;
    if (aside > 0) terminal.note(`${aside} set aside; doorward outbox retry --all tries them again`);
  },
};

export const outboxRetry: Command = {
  name: 'outbox retry',
  summary: 'try messages again that were set aside',
  usage: '[ID…|--all]',
  options: { all: { type: 'boolean', description: 'all that were set aside' } },
  operands: { min: 0, max: 1_000 },
  notes: 'A running server delivers them within a second.',
  async run({ operands, options, terminal }) {
    if (operands.length > 0 === (options.all === true)) throw new UsageError('name messages, or use --all');
    const which = options.all === true ? 'all' : operands;
    const retried = await withApp(terminal.env, (app) => outboxDesk(app.store.outbox).retry(which));
    terminal.print(
      options.json === true ? JSON.stringify({ retried }) : `${retried} will be tried again by a running server`,
    );
  },
};

function publicEntry({ id, kind, state, to, user, tries, lastError, createdAt, dueAt }: OutboxEntry): object {
  return {
    ...{ id, kind, state, to, user, tries, last_error: lastError },
    ...{ created: iso(createdAt), due: iso(dueAt) },
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
