/**
 * Makes the first administrator, once. It stands in its flow twice: before anything is asked it is the gate, which the
 * one-time secret of the setup link opens; after the user was written it gives them the administrators' group. The
 * commit uses the secret up, so of two who hold it one wins.
 */
import * as z from 'zod';
import { type Desk, defineStage, type Outcome } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';
import { sameText } from '../../kernel/secrets.ts';
import { text } from '../../protocol/text.ts';

const config = z.object({ group: z.string().describe('The group of administrators that the first user joins.') });
type SetupDesk = Desk<z.infer<typeof config>>;

/** Plan context: the hash of the secret that opened the gate. */
const setupKey = 'doorward/setup';

/** Who may not become the administrator is not made at all: the write of this very request is taken back. */
const refused = (key: 'administrator_exists' | 'wrong_secret' | 'not_an_administrators_group'): Outcome => ({
  kind: 'deny',
  message: text(`initial_setup.${key}`),
  undo: true,
});
const administratorExists = refused('administrator_exists');
const wrongSecret = refused('wrong_secret');

/** The initial setup stage. */
export const initialSetup = defineStage({
  kind: 'initial_setup',
  model: 'doorward_stages_initial_setup.initialsetupstage',
  component: 'doorward-stage-initial-setup-form',
  description: 'Lets the holder of the setup link make the first administrator.',
  config,
  references: { group: 'group' },
  needs: [],
  gives: [],
  proof: () => ({ gate: true, proves: ['setup_secret'] }),
  enter: (desk) => (desk.context.pending_user === undefined ? openGate(desk) : promote(desk)),
  async refused(_desk, refusal) {
    return refusal.effect === 'setup.claim'
      ? administratorExists
      : { kind: 'deny', message: text('user_write.failed') };
  },
});

async function openGate({ query, read, tools }: SetupDesk): Promise<Outcome> {
  const expected = await read.setupSecret();
  if (expected === null) return administratorExists;
  const secretHash = tools.hashToken(query.setup ?? '');
  return sameText(secretHash, expected) ? { kind: 'pass', context: { [setupKey]: secretHash } } : wrongSecret;
}

async function promote(desk: SetupDesk): Promise<Outcome> {
  const { config, context, read } = desk;
  const secretHash = context[setupKey];
  const pending = context.pending_user;
  if (typeof secretHash !== 'string' || pending === undefined || 'decoy' in pending) return wrongSecret;
  const user = await read.user(pending.ref);
  if (user === null) return wrongSecret;
  const [group = null] = await read.groups([config.group]);
  if (group === null || !group.isSuperuser) return refused('not_an_administrators_group');
  return {
    kind: 'pass',
    context: { [setupKey]: undefined },
    effects: [
      { kind: 'setup.claim', secretHash },
      { kind: 'group.join', group: group.pk, userId: user.id },
      { kind: 'event', event: setupEvent(desk, user, group.name) },
    ],
  };
}

function setupEvent({ visitor, stage, flow, tools }: SetupDesk, user: User, group: string) {
  return {
    action: 'initial_setup',
    user: { pk: user.id, username: user.username },
    context: { group, stage: { pk: stage.pk, name: stage.name } },
    address: visitor.address,
    requestId: visitor.requestId,
    flow: flow.slug,
    at: tools.now(),
  };
}
