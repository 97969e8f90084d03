/**
 * Waits until people in charge approve: nothing behind it happens before. It gets the applicant from the plan context,
 * and gives nothing but the way on; who may say something was found out before a word comes here (heed-approval.ts).
 */
import { eventActor } from '../../engine/acting.ts';
import type { Approval, ApprovalFile, NewWord } from '../../engine/approval.ts';
import type { Effect } from '../../engine/effects.ts';
import { type Desk, defineStage, type Outcome } from '../../engine/stage.ts';
import type { Visitor } from '../../engine/visitor.ts';
import { parseDuration } from '../../kernel/duration.ts';
import { newUuid } from '../../kernel/ids.ts';
import { isPlainObject, type JsonObject } from '../../kernel/json.ts';
import { networkOf } from '../../kernel/network.ts';
import type { ApprovalChallenge } from '../../protocol/challenge.ts';
import { text } from '../../protocol/text.ts';
import { askedAt } from './asked.ts';
import { type ApprovalConfig, approvalConfig } from './config.ts';
import { outcomeLetter, requestLetters, wayBackMs } from './letters.ts';

type ApprovalDesk = Desk<ApprovalConfig>;

/** From one client: each request writes to a whole group. */
const perClient = { limit: 20, windowMs: 3_600_000 } as const;
/** The run outlives its deadline, so that the applicant can read what became of it. */
const afterwardsMs = 86_400_000;

/** The approval stage. */
export const approval = defineStage({
  kind: 'approval',
  model: 'doorward_stages_approval.approvalstage',
  component: 'doorward-stage-approval-form',
  description: 'Waits until people in charge approve; nothing behind it happens before.',
  config: approvalConfig,
  references: { approvers_group: 'group' },
  needs: [],
  gives: [],
  proof: () => ({ asks: true, proves: ['approval'] }),
  enter,
  // There is nothing to answer: whatever comes is shown the same page.
  answer: async ({ memo }) => waiting(memo),
  signal: async (desk, signal) =>
    signal.kind === 'approval' ? heard(desk, signal.file, signal.word) : { kind: 'deny', message: null },
  async refused({ memo }, { reason, effect }) {
    // An approver who is gone meanwhile said nothing.
    if (effect === 'approval.say' || effect === 'approval.close') return waiting(memo);
    return { kind: 'deny', message: text(reason === 'limited' ? 'approval.too_many' : 'user_write.failed') };
  },
});

async function enter(desk: ApprovalDesk): Promise<Outcome> {
  const { config, tools, read, stage, visitor } = desk;
  const at = tools.now();
  const deadlineAt = at + parseDuration(config.deadline);
  const challenge = challengeOf(deadlineAt);
  // Nobody would come back to it.
  if (desk.unattended) return { kind: 'ask', challenge };
  const [group = null] = await read.groups([config.approvers_group]);
  const refused = group === null ? 'its group of approvers is gone' : tools.mail.refused;
  if (group === null || refused !== null) {
    tools.log('warn', 'a flow that needs an approval was refused', { stage: stage.name, why: refused });
    return { kind: 'deny', message: text('email.refused'), undo: true };
  }
  tools.limits.spend('messages', visitor);
  const asked = await approvalOf(desk, { group: group.pk, at, deadlineAt });
  const members = await read.membersWithin(group.pk);
  const letters = requestLetters(asked, members, { ...linksOf(desk), at, again: false });
  if (letters.length < config.required)
    tools.log('warn', 'an approval waits, and too few approvers have an address', { stage: stage.name });
  const context = { approvers: group.name, required: config.required };
  return {
    kind: 'ask',
    challenge,
    memo: { approval: asked.uuid, deadline: deadlineAt },
    keepUntil: deadlineAt + afterwardsMs,
    effects: [
      { kind: 'attempt.fail', bucket: `approval@${networkOf(visitor.address)}`, ...perClient, at },
      { kind: 'approval.ask', approval: asked },
      ...letters,
      eventOf(desk, 'approval_requested', visitorOf(visitor), context),
    ],
  };
}

async function approvalOf(
  desk: ApprovalDesk,
  { group, at, deadlineAt }: { readonly group: string; readonly at: number; readonly deadlineAt: number },
): Promise<Approval> {
  const { config, run, flow, binding } = desk;
  const remindAt = config.reminder === '' ? null : at + parseDuration(config.reminder);
  return {
    ...{ uuid: newUuid(), run: run.id, flow: flow.slug, binding, group, required: config.required },
    ...{ asked: await askedAt(desk), createdAt: at, deadlineAt, status: 'waiting' },
    remindAt: remindAt !== null && remindAt < deadlineAt ? remindAt : null,
  };
}

/** One denial denies, and so does time; approvals count when there are enough of them. */
function heard(desk: ApprovalDesk, { approval: asked, words }: ApprovalFile, word: NewWord): Outcome {
  const { verdict, by, reason } = word;
  const { uuid, required } = asked;
  const at = desk.tools.now();
  const approvals = words.filter((said) => said.verdict === 'approve').length + (verdict === 'approve' ? 1 : 0);
  const said: readonly Effect[] =
    by === null || verdict === 'deadline'
      ? []
      : [{ kind: 'approval.say', approval: uuid, word: { userId: by.id, verdict, reason, at } }];
  const status = verdict !== 'approve' ? 'denied' : approvals >= required ? 'approved' : 'waiting';
  const context = { approvals, required, ...(verdict === 'deadline' ? { reason: 'deadline' } : { reason }) };
  const actor = {
    ...eventActor({ user: by, impersonator: null }, by),
    address: word.address,
    requestId: word.requestId,
  };
  const event = eventOf(desk, verdict === 'approve' ? 'approval_approved' : 'approval_denied', actor, context);
  if (status === 'waiting') {
    const effects = [...said, event];
    return {
      kind: 'ask',
      challenge: challengeOf(asked.deadlineAt),
      effects,
      keepUntil: asked.deadlineAt + afterwardsMs,
    };
  }
  const effects: readonly Effect[] = [
    ...said,
    { kind: 'approval.close', approval: uuid, status },
    ...outcomeLetter(asked, { status, reason, at }, linksOf(desk)),
    event,
  ];
  if (status === 'approved') return { kind: 'pass', effects, keepUntil: at + wayBackMs };
  const message = verdict === 'deadline' ? text('approval.too_late') : text('approval.denied', { reason });
  return { kind: 'deny', message, effects };
}

function waiting(memo: Desk['memo']): Outcome {
  const deadline = isPlainObject(memo) ? Number(memo.deadline) : 0;
  return { kind: 'ask', challenge: challengeOf(deadline), keepUntil: deadline + afterwardsMs };
}

function challengeOf(deadline: number): ApprovalChallenge {
  return { component: 'ak-stage-approval', deadline: new Date(deadline).toISOString() };
}

function linksOf({ tools }: ApprovalDesk) {
  return { linkBase: tools.mail.linkBase, digest: (text: string) => tools.hashToken(text) };
}

function visitorOf(visitor: Visitor): Actor {
  const { address, requestId } = visitor;
  return { ...eventActor(visitor, visitor.user), address, requestId };
}

type Actor = ReturnType<typeof eventActor> & { readonly address: string; readonly requestId: string };

function eventOf({ stage, flow, tools }: ApprovalDesk, action: string, actor: Actor, more: JsonObject): Effect {
  const { user, onBehalfOf, address, requestId } = actor;
  const context = { ...more, stage: { pk: stage.pk, name: stage.name } };
  return {
    kind: 'event',
    event: {
      ...{ action, user, ...(onBehalfOf === undefined ? {} : { onBehalfOf }), context, flow: flow.slug },
      ...{ address, requestId, at: tools.now() },
    },
  };
}
