/** Requests for approval for programs and operators: what waits, and the word of a user who may decide. */
import type { ApprovalFile, NewWord } from '../engine/approval.ts';
import type { User } from '../engine/user.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { isStorable } from '../kernel/text.ts';
import type { Locale } from '../protocol/localize.ts';
import { localize } from '../protocol/localize.ts';
import type { OpenStore } from '../store/open.ts';
import type { Approvals, Heard } from './approvals.ts';
import type { UserReference } from './execute.ts';

/** Somebody who waits to be approved. Times are milliseconds since the epoch. */
export interface ApprovalRequest {
  readonly id: string;
  /** Slug of the flow that waits. */
  readonly flow: string;
  /** pk of the group whose members decide. */
  readonly group: string;
  /** So many different people must approve. */
  readonly required: number;
  /** `void`: the run went elsewhere. */
  readonly status: 'waiting' | 'approved' | 'denied' | 'void';
  /** What approvers are asked; '' where the flow says nothing of its own. */
  readonly message: string;
  /** What was filled in: nothing that was typed in confidence. */
  readonly facts: readonly { readonly key: string; readonly label: string; readonly value: string }[];
  /** The applicant's browser and address. */
  readonly agent: string;
  readonly address: string;
  readonly createdAt: number;
  readonly deadlineAt: number;
  readonly decisions: readonly {
    /** pk */
    readonly user: number;
    readonly verdict: 'approve' | 'deny';
    readonly reason: string;
    readonly at: number;
  }[];
}

/** A user's word. */
export interface ApprovalWordOf {
  /** Who says so: a member of the group, or an administrator, and never the applicant. */
  readonly by: UserReference;
  readonly reason?: string;
  readonly address?: string;
  readonly requestId?: string;
}

/** Requests for approval for programs; the flow goes on as it does by a link or a page. */
export interface ApprovalRequests {
  /** What waits, the ones that end first first, a hundred at most; with `for` what waits for that user's word. */
  list(which?: { readonly for?: UserReference }): Promise<readonly ApprovalRequest[]>;
  /** null when it is gone with its run. */
  get(id: string): Promise<ApprovalRequest | null>;
  /**
   * @returns the request with that word; its status tells whether more are needed
   * @throws DoorwardError `not_found`, `forbidden` for who may not decide it, `refused` when it takes no word any more
   */
  approve(id: string, word: ApprovalWordOf): Promise<ApprovalRequest>;
  /** The applicant reads the reason. @throws DoorwardError `invalid_request` without one, and as `approve` */
  deny(id: string, word: ApprovalWordOf & { readonly reason: string }): Promise<ApprovalRequest>;
}

interface Parts {
  readonly approvals: Approvals;
  readonly store: OpenStore;
  now(): number;
}

export function approvalRequests({ approvals, store, now }: Parts): ApprovalRequests {
  const find = async (reference: UserReference): Promise<User> => {
    const user = await ('pk' in reference ? store.read.user(reference.pk) : store.accounts.findUser(reference));
    const called = 'pk' in reference ? `with the pk ${reference.pk}` : `"${reference.username}"`;
    if (user === null) throw new DoorwardError('not_found', `there is no user ${called}`);
    return user;
  };
  const get = async (id: string): Promise<ApprovalRequest | null> => {
    const file = await store.approval(id);
    return file === null ? null : approvalRequest(file);
  };
  const say = async (id: string, verdict: 'approve' | 'deny', word: ApprovalWordOf): Promise<ApprovalRequest> => {
    const { reason = '', address = '', requestId = '' } = word;
    checkReason(verdict, reason);
    const by = await find(word.by);
    checkHeard(await approvals.decide(id, { verdict, by, reason, address, requestId }), id, by);
    const said = await get(id);
    if (said === null) throw gone(id);
    return said;
  };
  return {
    async list({ for: reference } = {}) {
      if (reference !== undefined)
        return (await approvals.list(await find(reference))).map((file) => approvalRequest(file));
      const waiting = await store.accounts.listApprovals({ openAt: now() });
      return (await Promise.all(waiting.map(({ uuid }) => get(uuid)))).filter((request) => request !== null);
    },
    get,
    approve: (id, word) => say(id, 'approve', word),
    deny: (id, word) => say(id, 'deny', word),
  };
}

/** A request as others than the engine see it. */
export function approvalRequest({ approval, words }: ApprovalFile, locale: Locale = 'en'): ApprovalRequest {
  const { uuid, flow, group, required, status, asked, createdAt, deadlineAt } = approval;
  return {
    ...{ id: uuid, flow, group, required, status, message: asked.message },
    facts: asked.facts.map(([key, value, label]) => ({
      ...{ key, value },
      label: label === undefined ? key : localize(label, locale),
    })),
    ...{ agent: asked.agent, address: asked.address, createdAt, deadlineAt },
    decisions: words.map(({ userId, verdict, reason, at }) => ({ user: userId, verdict, reason, at })),
  };
}

/** @throws DoorwardError `invalid_request` */
export function checkReason(verdict: NewWord['verdict'], reason: string): void {
  if (!isStorable(reason)) throw new DoorwardError('invalid_request', 'reason: holds NUL or a broken character');
  if (verdict === 'deny' && reason.trim() === '')
    throw new DoorwardError('invalid_request', 'reason: say why it is denied; whoever asked reads it');
}

const unheard: Partial<Record<Heard, string>> = {
  repeated: 'this user said something before',
  decided: 'it is decided already',
  late: 'its time is over',
};

/** @throws DoorwardError `not_found`, `forbidden`, `refused` */
function checkHeard(heard: Heard, id: string, by: User): void {
  if (heard === 'gone') throw gone(id);
  if (heard === 'forbidden')
    throw new DoorwardError(
      'forbidden',
      `${by.username} does not decide this: only active members of its group and administrators do, and never about themselves`,
    );
  const why = unheard[heard];
  if (why !== undefined)
    throw new DoorwardError('refused', `the request ${id} takes no word of ${by.username}: ${why}`);
}

function gone(id: string): DoorwardError {
  return new DoorwardError('not_found', `no request ${id} waits; see doorward approvals list`);
}
