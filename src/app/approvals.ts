/** Requests that wait for people in charge: who may see and decide them, reminders and deadlines, and the way back. */
import {
  type Approval,
  type ApprovalFile,
  isApplicant,
  linkText,
  type NewWord,
  wayBackText,
} from '../engine/approval.ts';
import type { CompiledFlow } from '../engine/flow.ts';
import { type Heard, heedApproval, mayDecide } from '../engine/heed-approval.ts';
import type { Loaded } from '../engine/ports.ts';
import type { Run } from '../engine/run.ts';
import { flowPath } from '../engine/run-writes.ts';
import type { Group, User } from '../engine/user.ts';
import type { World } from '../engine/world.ts';
import { hashToken, newUuid } from '../kernel/ids.ts';
import { type Keyring, sameText } from '../kernel/secrets.ts';
import { requestLetters } from '../stages/approval/letters.ts';
import type { OpenStore } from '../store/open.ts';
import type { FlowCache } from './flow-cache.ts';
import type { Log } from './options.ts';

export type { Approval, ApprovalFile } from '../engine/approval.ts';
export type { Heard } from '../engine/heed-approval.ts';

/** Longer ones are cut. */
const longestReason = 1_000;

/** Who asks to come back into a run, and under which session they would. */
export interface Returning {
  /** null for an anonymous browser. */
  readonly signedIn: Loaded['signedIn'];
  /** Minted for an anonymous browser, to go on with. */
  readonly freshToken: string;
}

/** `back`: the run is this browser's now, under the fresh token where nobody is signed in. */
export type WayBack =
  | { readonly kind: 'back'; readonly path: string; readonly anonymous: boolean }
  | { readonly kind: 'gone' | 'sign_in' | 'sign_out' | 'open' };

export interface Approvals {
  /** What waits for this user's decision. */
  list(user: User): Promise<readonly ApprovalFile[]>;
  /** Whether this user decides anywhere, and how much waits; null for everybody else. */
  desk(user: User): Promise<{ readonly waiting: number } | null>;
  /** null for what is not this user's to see. */
  show(uuid: string, user: User): Promise<ApprovalFile | null>;
  /** Whose personal link this is; null for a made-up one, and where nobody active holds it any more. */
  holder(uuid: string, key: string): Promise<User | null>;
  decide(uuid: string, word: NewWord & { readonly by: User }): Promise<Heard>;
  /** Where the way back leads; with `go` it is taken. */
  wayBack(uuid: string, key: string, returning: Returning, go: boolean): Promise<WayBack>;
  /** Denies what nobody decided in time, and reminds. What fails is tried again the next time. */
  work(): Promise<void>;
}

interface ApprovalParts {
  readonly world: World;
  readonly store: OpenStore;
  readonly keyring: Keyring;
  readonly linkBase: string;
  readonly origin: string;
  readonly log: Log;
  readonly flows: Pick<FlowCache, 'all'>;
  now(): number;
}

export function createApprovals(parts: ApprovalParts): Approvals {
  const { world, store, keyring, origin } = parts;
  const fits = (key: string, text: string) => keyring.digests('lookup', text).some((known) => sameText(known, key));
  return {
    list: (user) => list(parts, user),
    desk: (user) => deskOf(parts, user),
    async show(uuid, user) {
      const file = await store.approval(uuid);
      return file !== null && (await mayDecide(world, file.approval, user)) ? file : null;
    },
    async holder(uuid, key) {
      const [id = '', digest = ''] = key.split('.', 2);
      if (!/^\d{1,15}$/.test(id) || !fits(digest, linkText(uuid, Number(id)))) return null;
      const user = await store.read.user(Number(id));
      return user?.isActive === true ? user : null;
    },
    decide: (uuid, word) =>
      heedApproval(world, uuid, { ...word, reason: [...word.reason.trim()].slice(0, longestReason).join('') }, origin),
    async wayBack(uuid, key, returning, go) {
      return fits(key, wayBackText(uuid)) ? wayBack(parts, uuid, returning, go) : { kind: 'gone' };
    },
    work: () => work(parts),
  };
}

async function list(parts: ApprovalParts, user: User): Promise<readonly ApprovalFile[]> {
  const files: ApprovalFile[] = [];
  for (const { uuid } of await waitingFor(parts, user, await parts.store.read.groupsOf(user.id))) {
    const file = await parts.store.approval(uuid);
    if (file !== null) files.push(file);
  }
  return files;
}

/** Whose word is still missing. */
async function waitingFor(
  { store, now }: ApprovalParts,
  user: User,
  groups: readonly Group[],
): Promise<readonly Approval[]> {
  const all = groups.some(({ isSuperuser }) => isSuperuser);
  const mine = all ? {} : { groups: groups.map(({ pk }) => pk) };
  const waiting = await store.accounts.listApprovals({ openAt: now(), silent: user.id, ...mine });
  return waiting.filter((one) => !isApplicant(one, user));
}

async function deskOf(parts: ApprovalParts, user: User): Promise<{ readonly waiting: number } | null> {
  const groups = await parts.store.read.groupsOf(user.id);
  const waiting = (await waitingFor(parts, user, groups)).length;
  if (waiting > 0) return { waiting };
  const deciding = decidingGroups(await parts.flows.all());
  const decides = deciding.size > 0 && groups.some(({ pk, isSuperuser }) => isSuperuser || deciding.has(pk));
  return decides ? { waiting } : null;
}

/** pks of the groups that approve in some flow. */
function decidingGroups(flows: readonly CompiledFlow[]): ReadonlySet<unknown> {
  const stages = flows.flatMap(({ bindings }) => bindings.map(({ stage }) => stage));
  return new Set(stages.filter(({ kind }) => kind === 'approval').map(({ config }) => config.approvers_group));
}

/** Whoever holds the link has proven the applicant's address; a run of somebody signed in needs that account, too. */
async function wayBack(parts: ApprovalParts, uuid: string, returning: Returning, go: boolean): Promise<WayBack> {
  const { store, now, world } = parts;
  const file = await store.approval(uuid);
  if (file === null || file.approval.status !== 'approved' || file.approval.asked.mail?.proven !== true)
    return { kind: 'gone' };
  const { run, approval } = file;
  const isThere = run.ended === null && run.expiresAt > now() && (await world.currentFlow(run.flow)) !== null;
  if (!isThere) return { kind: 'gone' };
  const { signedIn, freshToken } = returning;
  if (run.userId === null && signedIn !== null) return { kind: 'sign_out' };
  const isTheirs = run.userId === (signedIn?.user.id ?? null) && run.impersonatorId === null;
  if (!isTheirs || (signedIn !== null && signedIn.impersonator !== null)) return { kind: 'sign_in' };
  if (!go) return { kind: 'open' };
  const session = signedIn?.session.tokenHash ?? hashToken(freshToken);
  if (session !== run.session && !(await moved(parts, run, session))) return { kind: 'gone' };
  return { kind: 'back', path: flowPath(run.flow, approval.asked.query), anonymous: signedIn === null };
}

/** The run goes on in another browser; one of the same flow that was under way there gives way. */
async function moved({ store, now }: ApprovalParts, run: Run, session: string): Promise<boolean> {
  const there = await store.load({ sessionHash: session, flow: run.flow, variant: run.variant, now: now() });
  const replaced = there.run !== null && there.run.ended === null ? { replaces: there.run.id } : {};
  const here = { ...run, session, originSession: null, seq: run.seq + 1 };
  const answer = await store.commit({ id: newUuid(), effects: [], runs: [{ mode: 'update', run: here, ...replaced }] });
  return answer.status === 'done';
}

/** Every node does this: what one has done the others find done. */
async function work(parts: ApprovalParts): Promise<void> {
  const { store, world, origin, log, now } = parts;
  for (const { uuid } of await store.accounts.listApprovals({ dueAt: now() })) {
    const word: NewWord = { verdict: 'deadline', by: null, reason: '', address: '', requestId: '' };
    const heard = await heedApproval(world, uuid, word, origin).catch((error: unknown) => {
      log('warn', 'an approval whose time is over could not be denied', { approval: uuid, error: String(error) });
      return null;
    });
    // Its run, or its flow, is not there any more.
    if (heard === 'gone')
      await store.commit({
        ...{ id: newUuid(), runs: [] },
        effects: [{ kind: 'approval.close', approval: uuid, status: 'void' }],
      });
  }
  for (const approval of await store.accounts.listApprovals({ remindAt: now(), openAt: now() }))
    await remind(parts, approval);
}

/** Those who said something are not asked again. */
async function remind({ store, keyring, linkBase, now }: ApprovalParts, approval: Approval): Promise<void> {
  const file = await store.approval(approval.uuid);
  const heard = new Set(file?.words.map(({ userId }) => userId));
  const members = await store.read.membersWithin(approval.group);
  const silent = members.filter(({ id }) => !heard.has(id));
  const digest = (text: string) => keyring.digest('lookup', text);
  const letters = requestLetters(approval, silent, { linkBase, digest, at: now(), again: true });
  await store.commit({
    ...{ id: newUuid(), runs: [] },
    effects: [{ kind: 'approval.remind', approval: approval.uuid }, ...letters],
  });
}
