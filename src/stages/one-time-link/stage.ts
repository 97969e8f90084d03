/**
 * Lets the holder of a one-time link act for the user that it was made for. It stands in its flow twice: before
 * anything is asked it is the gate, which opens to the link and makes its user the pending one; right after the write
 * it uses the link up, in the same commit. So opening the link changes nothing, and of many who hold it one wins.
 */
import * as z from 'zod';
import { type Desk, defineStage, type Outcome } from '../../engine/stage.ts';
import type { Token } from '../../engine/user.ts';
import { hashToken } from '../../kernel/ids.ts';
import { text } from '../../protocol/text.ts';

const config = z.object({
  purpose: z.string().min(1).default('recovery').describe('What the link must have been made for.'),
});
type LinkDesk = Desk<z.infer<typeof config>>;

/** Plan context: the hash of the link that opened the gate. */
const linkKey = 'doorward/one_time_link';

/** Used, expired, made up, or of another flow: one answer for all. What this very request wrote is taken back. */
const invalid: Outcome = { kind: 'deny', message: text('one_time_link.invalid'), undo: true };

/** The one-time link stage. */
export const oneTimeLink = defineStage({
  kind: 'one_time_link',
  model: 'doorward_stages_one_time_link.onetimelinkstage',
  component: 'doorward-stage-one-time-link-form',
  description: 'Lets the holder of a one-time link act for its user: the gate before the questions, and again after.',
  config,
  needs: [],
  opensByLink: true,
  gives: ['pending_user', 'auth_method'],
  proof: () => ({ gate: true, identifies: 'holder', proves: ['one_time_link'] }),
  enter: (desk) => (desk.context[linkKey] === undefined ? openGate(desk) : useUp(desk)),
  async refused(_desk, refusal) {
    return refusal.effect === 'token.claim'
      ? invalid
      : { kind: 'deny', message: text('user_write.failed'), undo: true };
  },
});

async function openGate(desk: LinkDesk): Promise<Outcome> {
  // Plain, as for every token: a link outlives a change of the secret key.
  const hash = hashToken(desk.query.flow_token ?? '');
  const token = await validToken(desk, hash);
  if (token === null) return invalid;
  return { kind: 'pass', context: { [linkKey]: hash, pending_user: { ref: token.userId } } };
}

async function useUp(desk: LinkDesk): Promise<Outcome> {
  const { context, tools } = desk;
  const hash = context[linkKey];
  const token = typeof hash === 'string' ? await validToken(desk, hash) : null;
  const pending = context.pending_user;
  // The link is good for its own user alone, whomever a stage in between made the pending one.
  if (token === null || pending === undefined || !('ref' in pending) || pending.ref !== token.userId) return invalid;
  return {
    kind: 'pass',
    context: { [linkKey]: undefined, auth_method: 'one_time_link' },
    effects: [{ kind: 'token.claim', hash: token.hash, at: tools.now() }],
  };
}

/**
 * The token, if it may be used here and now: of this purpose and flow, unexpired, its user active. Who set a new
 * password since wants no older way in left open.
 */
async function validToken({ config, flow, read, tools }: LinkDesk, hash: string): Promise<Token | null> {
  const token = await read.token(hash);
  if (token === null || token.purpose !== config.purpose || token.flow !== flow.slug) return null;
  if (token.expiresAt <= tools.now()) return null;
  const user = await read.user(token.userId);
  return user?.isActive === true && (user.passwordChangedAt ?? 0) <= token.createdAt ? token : null;
}
