import { isLocale, locales } from '../../protocol/localize.ts';
import { type Command, printable, UsageError } from '../command.ts';
import { withApp } from '../open.ts';

export const mailList: Command = {
  name: 'mail list',
  summary: 'list mail that was not delivered yet',
  usage: '',
  options: {},
  operands: { min: 0, max: 0 },
  notes:
    'The newest first. Without DOORWARD_SMTP_URL no mail is delivered: it is kept, and read with doorward mail show.',
  async run({ options, terminal }) {
    const messages = await withApp(terminal.env, (app) => app.mailbox.list());
    if (options.json === true) {
      const entries = messages.map(({ createdAt, ...entry }) => ({ ...entry, created: iso(createdAt) }));
      return terminal.print(JSON.stringify({ messages: entries }));
    }
    if (messages.length === 0) return terminal.note('No mail waits here.');
    for (const { id, to, subject, state, createdAt } of messages)
      terminal.print(printable([id, iso(createdAt), state.padEnd(9), to, subject].join('  ')));
  },
};

export const mailShow: Command = {
  name: 'mail show',
  summary: 'show one message that was not delivered yet',
  usage: 'ID [--html]',
  options: { html: { type: 'boolean', description: 'as HTML' } },
  operands: { min: 1, max: 1 },
  async run({ operands, options, terminal }) {
    const message = await withApp(terminal.env, (app) => app.mailbox.show(operands[0] ?? ''));
    if (options.json === true) return terminal.print(JSON.stringify(message));
    if (options.html === true) return terminal.print(message.html);
    for (const line of [`To: ${message.to}`, `Subject: ${message.subject}`, '', ...message.text.split('\n')])
      terminal.print(printable(line));
  },
};

export const mailPreview: Command = {
  name: 'mail preview',
  summary: 'show what a mail template makes, with made-up values',
  usage: '[TEMPLATE] [--locale LOCALE] [--html]',
  options: {
    locale: { type: 'string', value: 'LOCALE', description: `one of ${Object.keys(locales).join(', ')} (en)` },
    html: { type: 'boolean', description: 'as HTML' },
  },
  operands: { min: 0, max: 1 },
  notes: 'Without a template it lists them.',
  async run({ operands, options, terminal }) {
    const { locale = 'en' } = options;
    if (typeof locale !== 'string' || !isLocale(locale))
      throw new UsageError(`--locale is one of ${Object.keys(locales).join(', ')}`);
    const [template] = operands;
    if (template === undefined) {
      const names = await withApp(terminal.env, async (app) => app.mailbox.templates);
      return options.json === true
        ? terminal.print(JSON.stringify({ templates: names }))
        : names.forEach(terminal.print);
    }
    const made = await withApp(terminal.env, async (app) => app.mailbox.preview(template, locale));
    if (options.json === true) return terminal.print(JSON.stringify(made));
    terminal.print(options.html === true ? made.html : `Subject: ${made.subject}\n\n${made.text}`);
  },
};

function iso(time: number): string {
  return new Date(time).toISOString();
}
