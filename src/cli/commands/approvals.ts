import { type ApprovalRequest, approvalRequests } from '../../app/approval-requests.ts';
import type { UserReference } from '../../app/execute.ts';
import { DoorwardError } from '../../kernel/errors.ts';
import { deviceText } from '../../protocol/device.ts';
import { localize } from '../../protocol/localize.ts';
import { type Call, type Command, printable, UsageError } from '../command.ts';
import { withApp } from '../open.ts';

const by = {
  type: 'string',
  value: 'USERNAME',
  description: 'who decides: of the group, or an administrator',
} as const;

export const approvalsList: Command = {
  name: 'approvals list',
  summary: 'list requests that wait for approval',
  usage: '[--for USERNAME]',
  options: { for: { ...by, description: 'only what waits for the word of this user' } },
  operands: { min: 0, max: 0 },
  notes: 'The ones that end first come first, a hundred at most.',
  async run({ options, terminal }) {
    const which = typeof options.for === 'string' ? { for: { username: options.for } } : {};
    const requests = await withApp(terminal.env, (app) => approvalRequests(app).list(which));
    if (options.json === true) return terminal.print(JSON.stringify({ requests: requests.map(publicRequest) }));
    if (requests.length === 0) return terminal.note('Nothing waits for approval.');
    for (const { id, flow, facts, decisions, required, deadlineAt } of requests)
      terminal.print(
        printable(
          [
            ...[id, flow, `${decisions.length} of ${required}`, `until ${iso(deadlineAt)}`],
            facts.map(({ value }) => value).find((value) => value !== '') ?? '',
          ]
            .join('  ')
            .trimEnd(),
        ),
      );
    terminal.note('doorward approvals show ID tells more.');
  },
};

export const approvalsShow: Command = {
  name: 'approvals show',
  summary: 'show who asks to be approved, and what was said',
  usage: 'ID',
  options: {},
  operands: { min: 1, max: 1 },
  async run({ operands: [id = ''], options, terminal }) {
    const request = await withApp(terminal.env, (app) => approvalRequests(app).get(id));
    if (request === null)
      throw new DoorwardError('not_found', `there is no request ${id}; see doorward approvals list`);
    if (options.json === true) return terminal.print(JSON.stringify(publicRequest(request)));
    for (const line of described(request)) terminal.print(printable(line));
  },
};

export const approvalsApprove: Command = {
  name: 'approvals approve',
  summary: 'approve a request in the name of a user who may',
  usage: 'ID --by USERNAME [--reason TEXT]',
  options: { by, reason: { type: 'string', value: 'TEXT', description: 'for the audit record' } },
  operands: { min: 1, max: 1 },
  notes: 'The event names the user. Where more approvals are needed the request goes on waiting.',
  run: (call) => decide(call, 'approve'),
};

export const approvalsDeny: Command = {
  name: 'approvals deny',
  summary: 'deny a request in the name of a user who may',
  usage: 'ID --by USERNAME --reason TEXT',
  options: { by, reason: { type: 'string', value: 'TEXT', description: 'whoever asked reads it' } },
  operands: { min: 1, max: 1 },
  notes: 'The event names the user. One denial denies.',
  run: (call) => decide(call, 'deny'),
};

async function decide({ operands: [id = ''], options, terminal }: Call, verdict: 'approve' | 'deny'): Promise<void> {
  const { by: username, reason = '' } = options;
  if (typeof username !== 'string') throw new UsageError('--by is missing: in whose name?');
  if (typeof reason !== 'string' || (verdict === 'deny' && reason.trim() === ''))
    throw new UsageError('--reason is missing: whoever asked reads why');
  const who: UserReference = { username };
  const request = await withApp(terminal.env, (app) => approvalRequests(app)[verdict](id, { by: who, reason }));
  if (options.json === true) return terminal.print(JSON.stringify(publicRequest(request)));
  const approvals = request.decisions.filter((said) => said.verdict === 'approve').length;
  const more = request.status === 'waiting' ? `; ${approvals} of ${request.required} approvals are given` : '';
  terminal.print(`${verdict === 'approve' ? 'Approved' : 'Denied'} ${id} in the name of ${username}${more}`);
}

function described(request: ApprovalRequest): readonly string[] {
  const { id, flow, status, required, message, facts, agent, address, createdAt, deadlineAt, decisions } = request;
  const rows = [
    ...[
      ['Request', id],
      ['Flow', flow],
      ['Status', status],
      ['Needs', `${required} ${required === 1 ? 'approval' : 'approvals'}`],
    ],
    ...(message === '' ? [] : [['Question', message]]),
    ...[
      ['Asked', iso(createdAt)],
      ['Until', iso(deadlineAt)],
      ['From', `${localize(deviceText(agent), 'en')}, ${address}`],
    ],
    ...facts.map(({ label, value }) => [label, value]),
    ...decisions.map(({ user, verdict, reason, at }) => [
      `User ${user}`,
      [verdict === 'approve' ? 'approved' : 'denied', iso(at), reason].join('  ').trimEnd(),
    ]),
  ];
  const width = Math.max(...rows.map(([name = '']) => name.length));
  return rows.map(([name = '', value = '']) => `${name.padEnd(width)}  ${value}`);
}

function publicRequest(request: ApprovalRequest): object {
  const { id, flow, group, required, status, message, facts, agent, address, createdAt, deadlineAt, decisions } =
    request;
  return {
    ...{ id, flow, group, required, status, message, facts, agent, address },
    ...{ created: iso(createdAt), deadline: iso(deadlineAt) },
    decisions: decisions.map(({ at, ...said }) => ({ ...said, created: iso(at) })),
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
