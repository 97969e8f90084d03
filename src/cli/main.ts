import { didYouMean } from '../blueprints/place.ts';
import { isDoorwardError } from '../kernel/errors.ts';
import { type Command, exitCodes, helpOf, parseCall, UsageError } from './command.ts';
import { apply } from './commands/apply.ts';
import { approvalsApprove, approvalsDeny, approvalsList, approvalsShow } from './commands/approvals.ts';
import { backup } from './commands/backup.ts';
import { blueprintsList } from './commands/blueprints.ts';
import { check } from './commands/check.ts';
import { diagram } from './commands/diagram.ts';
import { events } from './commands/events.ts';
import { exportFlow } from './commands/export.ts';
import { flowDiff, flowList, flowRollback, flowVersions } from './commands/flow-versions.ts';
import { groupAdd, groupCreate, groupList, groupRemove } from './commands/group.ts';
import { inviteCreate, inviteList, inviteRevoke } from './commands/invite.ts';
import { mailList, mailPreview, mailShow } from './commands/mail.ts';
import { migrate } from './commands/migrate.ts';
import { outboxList, outboxRetry } from './commands/outbox.ts';
import { userRecoveryLink } from './commands/recovery-link.ts';
import { runFlow } from './commands/run.ts';
import { secretsReseal } from './commands/secrets.ts';
import { serve } from './commands/serve.ts';
import { tokenCreate, tokenList, tokenRevoke } from './commands/token.ts';
import {
  userActivate,
  userCreate,
  userDeactivate,
  userDelete,
  userList,
  userRemoveAuthenticators,
  userSetPassword,
  userShow,
} from './commands/user.ts';
import { processTerminal } from './terminal.ts';
import { version } from './version.ts';

/** All commands, in the order of the help. */
const commands: readonly Command[] = [
  serve,
  apply,
  check,
  exportFlow,
  blueprintsList,
  flowList,
  flowVersions,
  flowDiff,
  flowRollback,
  diagram,
  runFlow,
  migrate,
  userCreate,
  userList,
  userShow,
  userSetPassword,
  userRecoveryLink,
  userRemoveAuthenticators,
  userDeactivate,
  userActivate,
  userDelete,
  groupCreate,
  groupList,
  groupAdd,
  groupRemove,
  inviteCreate,
  inviteList,
  inviteRevoke,
  approvalsList,
  approvalsShow,
  approvalsApprove,
  approvalsDeny,
  tokenCreate,
  tokenList,
  tokenRevoke,
  events,
  mailList,
  mailShow,
  mailPreview,
  outboxList,
  outboxRetry,
  secretsReseal,
  backup,
];

function overview(): string {
  return ['Doorward, an identity flow engine.', '', 'Usage: doorward COMMAND', '', listOf(commands)].join('\n');
}

function listOf(shown: readonly Command[]): string {
  const width = Math.max(...shown.map(({ name }) => name.length));
  const rows = shown.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return [...rows, '', 'doorward COMMAND --help tells more.'].join('\n');
}

/** `user` of `user create`, and the like. */
function familyOf(word: string): readonly Command[] {
  return commands.filter(({ name }) => name.startsWith(`${word} `));
}

/** The command that the words begin with (two words beat one), and what is left. */
function find(args: readonly string[]): { command: Command; rest: readonly string[] } | null {
  for (const words of [2, 1]) {
    const command = commands.find(({ name }) => name === args.slice(0, words).join(' '));
    if (command !== undefined) return { command, rest: args.slice(words) };
  }
  return null;
}

async function run(args: readonly string[]): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  const terminal = processTerminal(stop.signal);
  const [first] = args;
  if (first === undefined || ['--help', '-h', 'help'].includes(first)) {
    terminal.print(overview());
    return first === undefined ? exitCodes.usage : exitCodes.done;
  }
  if (first === '--version') {
    terminal.print(version);
    return exitCodes.done;
  }
  const found = find(args);
  if (found === null) {
    const family = familyOf(first);
    if (family.length > 0 && ['--help', '-h'].includes(args[1] ?? '')) {
      terminal.print(listOf(family));
      return exitCodes.done;
    }
    terminal.note(
      family.length > 0
        ? `doorward: say which: ${family.map(({ name }) => `doorward ${name}`).join(', ')}`
        : `doorward: there is no command "${first}"${nearest(first)}; see doorward --help`,
    );
    return exitCodes.usage;
  }
  try {
    const call = parseCall(found.command, found.rest, terminal);
    if (call.options.help !== true) return (await found.command.run(call)) ?? exitCodes.done;
    terminal.print(helpOf(found.command));
    return exitCodes.done;
  } catch (error) {
    return explain(error, found.command, args.includes('--json'), terminal);
  }
}

function nearest(word: string): string {
  return didYouMean(word, new Set(commands.map(({ name }) => name.split(' ')[0] ?? '')));
}

function explain(
  error: unknown,
  command: Command,
  json: boolean,
  terminal: ReturnType<typeof processTerminal>,
): number {
  if (error instanceof UsageError) {
    terminal.note(`doorward ${command.name}: ${error.message}; see doorward ${command.name} --help`);
    return exitCodes.usage;
  }
  const code = isDoorwardError(error) ? error.code : 'internal';
  const detail = isDoorwardError(error)
    ? error.detail
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error);
  if (json) terminal.print(JSON.stringify({ error: { code, detail } }));
  else terminal.note(`doorward ${command.name}: ${detail}`);
  if (code === 'store_unavailable') return exitCodes.unavailable;
  return code === 'configuration' ? exitCodes.usage : exitCodes.refused;
}

process.exitCode = await run(process.argv.slice(2));
