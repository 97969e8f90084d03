/**
 * Deletes an account: the pending user's, or that of who is signed in. It asks for a click, ends the session, and tells
 * the owner by mail. Only an account that was proven in this run, or whose owner is signed in, is deleted.
 */
import * as z from 'zod';
import { endSessions, eventActor } from '../../engine/acting.ts';
import { notice } from '../../engine/mail.ts';
import { type Desk, defineStage, type Outcome } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';
import { text } from '../../protocol/text.ts';

const config = z.object({
  confirmation: z.boolean().default(true).describe('Asks for a click before the account is deleted.'),
});
type DeleteDesk = Desk<z.infer<typeof config>>;

/** The user delete stage (UD-1, UD-2). */
export const userDelete = defineStage({
  kind: 'user_delete',
  model: 'authentik_stages_user_delete.userdeletestage',
  component: 'ak-stage-user-delete-form',
  description: 'Deletes the account of who goes through the flow.',
  config,
  needs: [],
  gives: [],
  touchesBrowser: true,
  proof: ({ confirmation }) => ({ deletes: true, asks: confirmation }),
  async enter(desk) {
    const user = await whoLeaves(desk);
    if (user === null) return refused;
    return desk.config.confirmation && !desk.unattended
      ? { kind: 'ask', challenge: question(user) }
      : leave(desk, user);
  },
  async answer(desk) {
    const user = await whoLeaves(desk);
    return user === null ? refused : leave(desk, user);
  },
  async refused(_desk, { reason }) {
    const key = reason === 'last_administrator' ? 'error.last_administrator' : 'user_write.failed';
    return { kind: 'deny', message: text(key) };
  },
});

const refused: Outcome = { kind: 'deny', message: text('user_delete.nobody') };

function question({ username }: User) {
  const header_text = text('user_delete.confirm', { username });
  return {
    component: 'ak-stage-consent',
    header_text,
    permissions: [],
    additional_permissions: [],
    token: '',
    action: text('user_delete.action'),
  } as const;
}

/** Identification alone proves nothing, and nobody leaves in another's name. */
async function whoLeaves({ context, visitor, read, unattended }: DeleteDesk): Promise<User | null> {
  const pending = context.pending_user;
  const id = pending === undefined ? visitor.user?.id : 'ref' in pending ? pending.ref : undefined;
  if (id === undefined || visitor.impersonator !== null) return null;
  const isProven = id === visitor.user?.id || context.auth_method !== undefined || unattended;
  return isProven ? read.user(id) : null;
}

function leave(desk: DeleteDesk, user: User): Outcome {
  const { visitor, flow, stage, tools } = desk;
  const at = tools.now();
  const isVisitor = visitor.user?.id === user.id;
  const context = { model: 'user', stage: { pk: stage.pk, name: stage.name } };
  return {
    kind: 'pass',
    context: { pending_user: undefined },
    ...(isVisitor && visitor.session !== null ? { session: { kind: 'end' } } : {}),
    effects: [
      ...(isVisitor && visitor.session !== null ? endSessions(desk) : []),
      { kind: 'user.delete', id: user.id },
      ...notice('account_deleted', { user, visitor, at }),
      {
        kind: 'event',
        event: {
          ...{ action: 'model_deleted', ...eventActor(visitor, user), context, flow: flow.slug, at },
          ...{ address: visitor.address, requestId: visitor.requestId },
        },
      },
    ],
    report: { deleted: { pk: user.id, username: user.username } },
  };
}
