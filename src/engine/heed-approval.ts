/**
 * A word of somebody in charge moves a waiting run on, up to what only its owner's browser may be brought to. Every word
 * moves the run, so two at the same time come one after the other, and each is counted with what was said before.
 */
import { isLocale } from '../protocol/localize.ts';
import { type Approval, type ApprovalFile, isApplicant, type NewWord } from './approval.ts';
import { Chain } from './chain.ts';
import { commitChain } from './commit-chain.ts';
import type { CompiledFlow } from './flow.ts';
import type { Run } from './run.ts';
import { runWrites } from './run-writes.ts';
import { isPinnedTo, type Scene } from './scene.ts';
import { leftForOwner, stateOf } from './signal.ts';
import type { User } from './user.ts';
import type { Visitor } from './visitor.ts';
import type { World } from './world.ts';

/**
 * What became of a word. `counted`: more are needed. `repeated`: this user said something before. `decided`: it is
 * over. `late`: its time is over. `gone`: nothing waits there any more. `forbidden`: it is not theirs to say.
 */
export type Heard = 'approved' | 'denied' | 'counted' | 'repeated' | 'decided' | 'late' | 'gone' | 'forbidden';

/** Each loss means that somebody else's word was counted. */
const raceLimit = 100;

/** @param origin that links are made with */
export async function heedApproval(world: World, uuid: string, word: NewWord, origin: string): Promise<Heard> {
  for (let race = 0; race < raceLimit; race += 1) {
    const waiting = await world.store.approval(uuid);
    if (waiting === null) return 'gone';
    const refused = await whyNot(world, waiting, word);
    if (refused !== null) return refused;
    const heard = await move(world, waiting, word, origin);
    if (heard !== 'lost') return heard;
  }
  return 'gone';
}

/** Whether this user is one of those who decide: a member of the group, or an administrator, and not the applicant. */
export async function mayDecide(world: World, approval: Approval, user: User): Promise<boolean> {
  if (!user.isActive || isApplicant(approval, user)) return false;
  const groups = await world.store.read.groupsOf(user.id);
  return groups.some(({ pk, isSuperuser }) => pk === approval.group || isSuperuser);
}

async function whyNot(
  world: World,
  { approval, words }: ApprovalFile,
  { by, verdict }: NewWord,
): Promise<Heard | null> {
  if (verdict !== 'deadline' && (by === null || !(await mayDecide(world, approval, by)))) return 'forbidden';
  if (words.some(({ userId }) => userId === by?.id)) return 'repeated';
  if (approval.status === 'void') return 'gone';
  if (approval.status !== 'waiting') return 'decided';
  const isOver = approval.deadlineAt <= world.tools.now();
  if (verdict === 'deadline') return isOver ? null : 'counted';
  return isOver ? 'late' : null;
}

async function move(
  world: World,
  { run, ...file }: ApprovalFile & { readonly run: Run },
  word: NewWord,
  origin: string,
): Promise<Heard | 'lost'> {
  const { approval } = file;
  const flow = await flowOf(world, approval, run);
  const owner = flow === null ? null : await ownerOf(world, run, approval, { ...word, origin });
  if (flow === null || owner === null) return 'gone';
  const { query } = approval.asked;
  const setting = { world, flow, query, next: run.state.next, origin, run: run.id };
  const chain = new Chain({ ...setting, unattended: false, dryRun: false, forOwner: false }, stateOf(run, owner));
  await chain.signal({ kind: 'approval', file, word });
  const committed = await commitChain(world, chain, async () => {
    chain.state = leftForOwner(chain.state);
    return (
      (await runWrites(world, sceneOf(world, run, owner, { flow, approval, word, origin }), run, chain))?.writes ?? null
    );
  });
  if (committed === 'lost') return 'lost';
  const closed = chain.state.effects.find((effect) => effect.kind === 'approval.close');
  if (closed?.kind === 'approval.close') return closed.status === 'approved' ? 'approved' : 'denied';
  return chain.state.effects.some(({ kind }) => kind === 'approval.say') ? 'counted' : 'decided';
}

/** The run must still stand at the step that asked, in a flow that is there. */
async function flowOf(world: World, { binding }: Approval, run: Run): Promise<CompiledFlow | null> {
  const stands = run.ended === null && run.expiresAt > world.tools.now() && run.state.plan[0]?.binding === binding;
  if (!stands || run.state.challenge?.component !== 'ak-stage-approval') return null;
  return (await world.currentFlow(run.flow)) === null ? null : world.flow(run.flow, run.version);
}

/** Who the run belongs to; their session may be over, but they must be who they were, and active. */
async function ownerOf(
  world: World,
  run: Run,
  { asked }: Approval,
  { origin, requestId }: { readonly origin: string; readonly requestId: string },
): Promise<Visitor | null> {
  const person = async (id: number | null) => {
    const user = id === null ? null : await world.store.read.user(id);
    return user?.isActive === true ? user : null;
  };
  const [user, impersonator] = [await person(run.userId), await person(run.impersonatorId)];
  const loaded = await world.store.load({ sessionHash: run.session, flow: '', variant: '', now: world.tools.now() });
  const session = loaded.signedIn?.session.userId === user?.id ? (loaded.signedIn?.session ?? null) : null;
  const { agent, address, locale } = asked;
  const visitor: Visitor = { user, impersonator, session, agent, address, locale, origin, requestId };
  return isPinnedTo(run, visitor) ? visitor : null;
}

interface Word {
  readonly flow: CompiledFlow;
  readonly approval: Approval;
  readonly word: NewWord;
  readonly origin: string;
}

/** The owner's place, as if they had come themselves. */
function sceneOf(world: World, run: Run, visitor: Visitor, { flow, approval, word, origin }: Word): Scene {
  const { query, agent, address, locale } = approval.asked;
  return {
    input: {
      ...{ slug: run.flow, sessionToken: '', newcomer: false, query, answer: null, cautious: false, address, agent },
      ...{ acceptLanguage: null, origin, requestId: word.requestId },
    },
    ...{ now: world.tools.now(), visitor, locale: isLocale(locale) ? locale : 'en', sessionHash: run.session },
    ...{ sessionGone: false, variant: run.variant, flow, flowGone: false, run, previous: run.id, replaces: null },
    ...{ movedOn: null, ended: null },
  };
}
