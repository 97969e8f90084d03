import * as z from 'zod';
import type { Finding, PathStep, PolicyWord, Walker } from '../../src/blueprints/proof/finding.ts';
import type { CompiledFlow, PolicyBinding } from '../../src/engine/flow.ts';
import { definePolicy } from '../../src/engine/policy.ts';
import type { User } from '../../src/engine/user.ts';
import { ManualClock } from '../../src/kernel/clock.ts';
import { hashToken, newToken, newUuid } from '../../src/kernel/ids.ts';
import { Keyring } from '../../src/kernel/secrets.ts';
import { type OpenStore, openStore } from '../../src/store/open.ts';
import { createRig, type Rig, type Visitor } from '../../src/testing/rig.ts';

const secretKey = 'a secret key of the tests with at least 32 bytes';

/** What each policy of the test says, by name. */
export class Sayings {
  words: ReadonlyMap<string, PolicyWord> = new Map();

  readonly policy = definePolicy({
    ...{ kind: 'saying', model: 'tests.saying', component: '', description: '', config: z.object({}) },
    setsNothing: true,
    evaluate: async ({ name }) => {
      const word = this.words.get(name) ?? 'pass';
      if (word === 'error') throw new Error('it cannot run');
      return { passing: word === 'pass', messages: [] };
    },
  });
}

/** What happened to the victim. */
export interface Harm {
  readonly signedIn: boolean;
  readonly written: boolean;
  readonly password: boolean;
}

/** How to walk a flow without knowing anybody's secret but one's own. */
export interface Plan {
  readonly flow: string;
  readonly visitor: Walker;
  readonly words: ReadonlyMap<string, PolicyWord>;
  /** Whom to name at each identification, in turn; the last one stays. */
  readonly names: readonly ('victim' | 'own')[];
  /** The number of the answer that is given wrong on purpose. */
  readonly wrong: ReadonlySet<number>;
  /** Who is in the group that bindings name. */
  readonly members: readonly ('victim' | 'own')[];
  /** The flow has a place for a recovery link. */
  readonly hasLink: boolean;
}

const answersAtMost = 25;

/** A whole Doorward, a victim, and an attacker with an account and a recovery link of their own. */
export class Attack {
  readonly sayings = new Sayings();
  readonly #clock = new ManualClock(Date.UTC(2025, 0, 1));
  #rig!: Rig;
  #store!: OpenStore;
  #count = 0;

  async open(sqlite: string): Promise<void> {
    const database = { sqlite };
    const policies = [this.sayings.policy];
    this.#rig = await createRig({ database, secretKey, clock: this.#clock, policies, rateLimits: false });
    this.#store = await openStore({ database, keyring: new Keyring(secretKey), clock: this.#clock });
  }

  get rig(): Rig {
    return this.#rig;
  }

  get store(): OpenStore {
    return this.#store;
  }

  async close(): Promise<void> {
    await this.#store.close();
    await this.#rig.close();
  }

  /** Walks a flow by the plan, and says what became of a victim made for it. */
  async carryOut(plan: Plan): Promise<Harm> {
    this.#count += 1;
    const victim = await this.#user('victim', plan);
    const own = await this.#user('own', plan);
    const before = await this.#shape(victim.id);
    this.sayings.words = plan.words;
    const link = newToken();
    const token = { hash: hashToken(link), uuid: newUuid(), purpose: 'recovery', flow: plan.flow, userId: own.id };
    const lasting = { createdAt: this.#clock.now(), expiresAt: this.#clock.now() + 3_600_000, description: '' };
    await this.#store.commit({
      id: newUuid(),
      runs: [],
      effects: [{ kind: 'token.create', token: { ...token, ...lasting } }],
    });
    const visitor = this.#rig.visitor();
    if (plan.visitor === 'signed_in') await this.#signIn(visitor, own);
    await this.#walk(visitor, plan, { victim, own, link });
    const after = await this.#shape(victim.id);
    return {
      signedIn: after.lastLogin !== null,
      written: after.row !== before.row,
      password: after.hash !== before.hash,
    };
  }

  async #walk(visitor: Visitor, plan: Plan, who: { victim: User; own: User; link: string }): Promise<void> {
    const query = plan.hasLink ? `flow_token=${who.link}` : '';
    await visitor.open(plan.flow, query);
    let named = 0;
    let refusedInARow = 0;
    for (let answer = 0; answer < answersAtMost; answer += 1) {
      const { component, to, fields } = visitor.challenge;
      const into = component === 'xak-flow-redirect' ? /^\/if\/flow\/([^/]+)\//.exec(String(to))?.[1] : undefined;
      if (into !== undefined) {
        await visitor.open(into);
        continue;
      }
      if (component === 'xak-flow-redirect' || component === 'ak-stage-access-denied') return;
      if (plan.wrong.has(answer)) {
        await visitor.answer(component === 'ak-stage-dummy' ? {} : { uid_field: '', password: '' });
        continue;
      }
      if (component === 'ak-stage-identification') {
        const name = plan.names[Math.min(named, plan.names.length - 1)] ?? 'victim';
        named += 1;
        // A username is known to everybody, also a new one.
        const user = await this.#store.read.user(who[name].id);
        await visitor.answer({ uid_field: user?.username ?? '' });
      } else if (component === 'ak-stage-password') await visitor.answer({ password: ownPassword });
      else if (component === 'ak-stage-prompt') await visitor.answer(this.#answers(fields));
      else await visitor.answer({});
      refusedInARow = visitor.challenge.response_errors === undefined ? 0 : refusedInARow + 1;
      if (refusedInARow > 2) return;
    }
  }

  #answers(fields: unknown): Record<string, unknown> {
    const keys = (fields as readonly { field_key: string }[]).map(({ field_key }) => field_key);
    this.#count += 1;
    const values: Readonly<Record<string, unknown>> = {
      username: `taken over ${this.#count}`,
      password: ownPassword,
      password_repeat: ownPassword,
      is_active: true,
    };
    return Object.fromEntries(keys.map((key) => [key, values[key] ?? 'changed']));
  }

  async #user(name: 'victim' | 'own', { members }: Plan): Promise<User> {
    const username = `${name} ${this.#count}`;
    const email = `${name}${this.#count}@example.com`;
    const password = name === 'own' ? ownPassword : `a secret of ${username}`;
    const groups = members.includes(name) ? [groupName] : [];
    return this.#rig.auth.users.create({ username, email, password, groups });
  }

  async #signIn(visitor: Visitor, user: User): Promise<void> {
    await visitor.open('default-authentication-flow');
    await visitor.answer({ uid_field: user.username });
    await visitor.answer({ password: ownPassword });
    visitor.expectEnd();
  }

  async #shape(id: number) {
    const [user, hash] = [await this.#store.read.user(id), await this.#store.read.passwordHash(id)];
    const { username, name, email, attributes, isActive, path, type } = user as User;
    const row = JSON.stringify({ username, name, email, attributes, isActive, path, type });
    return { row, hash, lastLogin: (user as User).lastLogin };
  }
}

/** The one group that bindings of the test name. */
export const groupName = 'random staff';

const ownPassword = 'what the attacker knows';

/** The plan that a finding's path is; null where a policy must say two things on it. */
export function planOf({ path, visitor }: Finding, flows: readonly CompiledFlow[]): Plan | null {
  const bindings = flows.flatMap((flow) => [flow, ...flow.bindings]).flatMap(({ policies }) => policies);
  const words = new Map<string, PolicyWord>();
  for (const step of path)
    for (const [pk, word] of Object.entries(step.policies)) {
      const name = bindings.find((binding) => binding.pk === pk)?.policy?.name;
      if (name === undefined) continue;
      if ((words.get(name) ?? word) !== word) return null;
      words.set(name, word);
    }
  const [first] = path;
  if (first === undefined || visitor === null) return null;
  const planned = flows.flatMap((flow) => flow.bindings).filter(({ evaluateOnPlan }) => evaluateOnPlan);
  const early = new Set(planned.flatMap(({ policies }) => policies.map(({ pk }) => pk)));
  const members = membersOn(path, bindings, early);
  return members === null
    ? null
    : { flow: first.flow, visitor, words, members, hasLink: hasLink(first.flow, flows), ...answersOn(path) };
}

export function hasLink(slug: string, flows: readonly CompiledFlow[]): boolean {
  const flow = flows.find((one) => one.slug === slug);
  return flow?.bindings.some(({ stage }) => stage.kind === 'one_time_link') ?? false;
}

const asking = new Set(['identification', 'password', 'prompt', 'dummy']);

/** Whom the path needs named at an identification: the victim, unless a password follows. */
function nameAt(path: readonly PathStep[], index: number): 'victim' | 'own' {
  const later = path.slice(index + 1).filter(({ what }, at) => what === 'visited' && !isWrong(path, index + 1 + at));
  const decides = later.find(({ kind }) => kind === 'identification' || kind === 'password');
  return decides?.kind === 'password' ? 'own' : 'victim';
}

function isWrong(path: readonly PathStep[], index: number): boolean {
  const next = path[index + 1];
  return next?.what === 'begins' && next.why.includes('the answer is wrong');
}

/** Whom to name at each identification, and which answer to give wrong. */
function answersOn(path: readonly PathStep[]): Pick<Plan, 'names' | 'wrong'> {
  const names: ('victim' | 'own')[] = [];
  const wrong = new Set<number>();
  let answer = 0;
  path.forEach((step, index) => {
    if (step.what === 'begins' && index > 0 && step.why.includes('leads here')) answer += 1;
    if (step.what !== 'visited' || !asking.has(step.kind ?? '')) return;
    if (isWrong(path, index)) wrong.add(answer);
    answer += 1;
    if (step.kind === 'identification' && !isWrong(path, index)) names.push(nameAt(path, index));
  });
  return { names, wrong };
}

/** Who must be in the group, by what its bindings say while the flow is about them; null where one must be in and out. */
function membersOn(
  path: readonly PathStep[],
  bindings: readonly PolicyBinding[],
  early: ReadonlySet<string>,
): Plan['members'] | null {
  const words = new Map<'victim' | 'own', PolicyWord>();
  for (const [index, { policies }] of path.entries())
    for (const [pk, word] of Object.entries(policies)) {
      if (bindings.find((binding) => binding.pk === pk)?.policy !== null) continue;
      // What is asked when a flow is planned is asked about whom it is about then.
      const begins = path.slice(0, index + 1).findLastIndex(({ what }) => what === 'begins');
      const named = path
        .slice(0, early.has(pk) ? begins : index)
        .findLastIndex(
          ({ kind, what }) => what === 'visited' && (kind === 'identification' || kind === 'one_time_link'),
        );
      const about = path[named]?.kind === 'identification' ? nameAt(path, named) : 'own';
      if ((words.get(about) ?? word) !== word) return null;
      words.set(about, word);
    }
  return [...words].flatMap(([who, word]) => (word === 'pass' ? [who] : []));
}
