import type { App } from '../../app/app.ts';
import { createApp } from '../../app/create.ts';
import type { DoorwardOptions, Log } from '../../app/options.ts';
import type { Handler } from '../../http/exchange.ts';
import { createHandler } from '../../http/handler.ts';
import { listen } from '../../http/server.ts';
import { DoorwardError } from '../../kernel/errors.ts';
import type { Command } from '../command.ts';
import { type Environment, readEnvironment, type Settings, variables } from '../environment.ts';
import { isLoopbackHost, optionsOf } from '../open.ts';

export const serve: Command = {
  name: 'serve',
  summary: 'run the server',
  usage: '',
  options: {},
  operands: { min: 0, max: 0 },
  notes: [
    'Environment:',
    ...variables.map(
      ({ name, fallback, meaning }) => `  ${name.padEnd(26)} ${meaning}${fallback === '' ? '' : ` (${fallback})`}`,
    ),
  ].join('\n'),
  async run({ terminal }) {
    const settings = readEnvironment(terminal.env);
    const log = await createLog(settings.logLevel);
    let handler: Handler = async () => new Response(null, { status: 503, headers: { 'retry-after': '1' } });
    const server = await listen((request, info) => handler(request, info), settings);
    let app: App | null = null;
    try {
      app = await createApp({
        ...optionsOf({ ...settings, port: server.port }, log),
        ...watched(settings, terminal.env),
      });
      handler = createHandler(app);
      terminal.print(`Doorward ready at ${app.origin}/`);
      const address = await app.setupAddress();
      if (address !== null) {
        terminal.print('There is no administrator yet. Make the first one here (the address works once):');
        terminal.print(`  ${address}`);
      }
      if (app.mailboxKey !== null) {
        terminal.print('No mail server is set. Messages are kept, and can be read here (the address works once):');
        terminal.print(`  ${app.origin}/if/mail/?secret=${app.mailboxKey.secret()}`);
      }
      warnAboutOrigin(settings, log);
      await new Promise<void>((resolve) => {
        if (terminal.stopped.aborted) resolve();
        else terminal.stopped.addEventListener('abort', () => resolve(), { once: true });
      });
      log('info', 'stopping: answering what is under way');
    } finally {
      await server.close();
      await app?.close();
    }
  },
};

/** The administrator's own folder may read the environment, as their `doorward apply` may. */
function watched({ blueprintsDir }: Settings, env: Environment): Pick<DoorwardOptions, 'blueprintsDir'> {
  return blueprintsDir === null ? {} : { blueprintsDir: { path: blueprintsDir, env } };
}

function warnAboutOrigin({ host, publicUrl }: Settings, log: Log): void {
  if (!isLoopbackHost(host) && publicUrl === null)
    log(
      'warn',
      'listening beyond this machine without DOORWARD_PUBLIC_URL: only http://localhost is accepted as origin, and flows that send mail are refused',
    );
}

/** JSON lines on standard error; nothing is written for `silent`. */
async function createLog(level: Settings['logLevel']): Promise<Log> {
  if (level === 'silent') return () => {};
  const { pino, destination } = await import('pino').catch((error: unknown) => {
    throw new DoorwardError('configuration', `the logger is not installed: ${String(error)}`);
  });
  const logger = pino({ level, base: null }, destination({ fd: 2, sync: true }));
  return (at, message, fields = {}) => logger[at](fields, message);
}
