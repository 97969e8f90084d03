import type { FlowPart, StagePart } from './flow-yaml.ts';

type Attrs = Readonly<Record<string, unknown>>;

/** Numbers that are the same each time (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }
}

/** One installation: a flow, and sometimes a second one that it may lead into. */
export interface RandomCase {
  readonly flows: readonly FlowPart[];
  /** Names of the policies, one for each place where one is bound. */
  readonly policies: readonly string[];
}

/** Prompts that all flows share, by their names. */
const prompts: Readonly<Record<string, Attrs>> = {
  username: { field_key: 'username', type: 'text' },
  name: { field_key: 'name', type: 'text' },
  team: { field_key: 'attributes.team', type: 'text' },
  favourite: { field_key: 'favourite', type: 'text' },
  active: { field_key: 'is_active', type: 'checkbox', required: false },
  password: { field_key: 'password', type: 'password' },
  repeat: { field_key: 'password_repeat', type: 'password' },
};

/** What the flows share: prompts, and the policies of these names. */
export function sharedBlueprint(policies: readonly string[]): string {
  const entries = [
    ...Object.entries(prompts).map(([name, attrs], order) => {
      const identifiers = { name: `random ${name}` };
      return { model: 'authentik_stages_prompt.prompt', identifiers, attrs: { label: name, order, ...attrs } };
    }),
    ...policies.map((name) => ({ model: 'tests.saying', identifiers: { name } })),
  ];
  return JSON.stringify({ version: 1, entries });
}

/** Flows that somebody might write, right or wrong: chance changes them, or makes up others. */
const skeletons: readonly (readonly string[])[] = [
  ['identification', 'password', 'user_login'],
  ['identification', 'password', 'prompt', 'update', 'user_login'],
  ['identification', 'password', 'secret prompt', 'update'],
  ['identification', 'prompt', 'update', 'password', 'user_login'],
  ['link', 'secret prompt', 'update', 'link', 'user_login'],
  ['link', 'identification', 'secret prompt', 'update', 'link'],
  ['prompt', 'user_write', 'user_login', 'identification', 'password', 'user_login'],
  ['password', 'prompt', 'update', 'user_logout'],
  ['prompt', 'user_write', 'user_login'],
  [],
];

const kinds = [
  ...['identification', 'identification', 'password', 'password', 'prompt', 'secret prompt', 'user_write', 'update'],
  ...['user_login', 'dummy', 'deny', 'user_logout', 'link'],
];

/** Flows as nobody would write them, and some as somebody might. */
export class RandomFlows {
  readonly #dice: Dice;
  #policies: string[] = [];
  #slug = '';

  constructor(seed: number) {
    this.#dice = new Dice(seed);
  }

  case(index: number): RandomCase {
    this.#policies = [];
    const [first, second] = [`random-${index}`, `random-${index}-next`];
    const leads = this.#dice.chance(0.25);
    const flows = [...(leads ? [this.#flow(second, null)] : []), this.#flow(first, leads ? second : null)];
    return { flows, policies: this.#policies };
  }

  #flow(slug: string, target: string | null): FlowPart {
    const dice = this.#dice;
    this.#slug = slug;
    const designation = dice.pick(['authentication', 'enrollment', 'recovery', 'stage_configuration', 'unenrollment']);
    const authentication = dice.pick(['none', 'none', 'none', 'require_unauthenticated', 'require_authenticated']);
    const stages = this.#kinds(slug.endsWith('next') || target !== null).map((kind) => this.#bound(this.#stage(kind)));
    if (target !== null) stages.splice(1 + dice.below(stages.length), 0, this.#bound(this.#redirect(target)));
    return { slug, stages, attrs: { designation, authentication }, policies: dice.chance(0.1) ? [this.#policy()] : [] };
  }

  /** A link is good for the one flow that it was made for, so flows that lead into each other have none. */
  #kinds(linked: boolean): readonly string[] {
    const dice = this.#dice;
    const chosen = [...dice.pick(skeletons)];
    const more = chosen.length === 0 ? 3 + dice.below(4) : dice.pick([0, 0, 1, 2]);
    for (let count = 0; count < more; count += 1) chosen.splice(dice.below(chosen.length + 1), 0, dice.pick(kinds));
    if (chosen.length > 2 && dice.chance(0.35)) chosen.splice(dice.below(chosen.length), 1);
    return linked ? chosen.map((kind) => (kind === 'link' ? 'dummy' : kind)) : chosen;
  }

  #stage(kind: string): StagePart {
    const dice = this.#dice;
    switch (kind) {
      case 'identification':
        return { kind, attrs: { user_fields: ['username', 'email'] } };
      case 'link':
        return { kind: 'doorward_stages_one_time_link.onetimelinkstage' };
      case 'prompt':
      case 'secret prompt':
        return { kind: 'prompt', attrs: { fields: this.#fields(kind !== 'prompt') } };
      case 'update':
        return { kind: 'user_write', attrs: { user_creation_mode: 'never_create' } };
      case 'user_write': {
        const user_creation_mode = dice.pick(['create_when_required', 'always_create']);
        return { kind, attrs: { user_creation_mode, create_users_as_inactive: dice.chance(0.15) } };
      }
      default:
        return { kind };
    }
  }

  #fields(secret: boolean): readonly string[] {
    const some = ['name', 'team', 'favourite', 'active'].filter(() => this.#dice.chance(0.35));
    const names = [...(this.#dice.chance(0.6) ? ['username'] : []), ...some, ...(secret ? ['password', 'repeat'] : [])];
    const chosen = names.length > 0 ? names : ['username'];
    return chosen.map((name) => `!Find [authentik_stages_prompt.prompt, [name, random ${name}]]`);
  }

  #redirect(target: string): StagePart {
    const target_flow = `!Find [authentik_flows.flow, [slug, ${target}]]`;
    return { kind: 'redirect', attrs: { mode: 'flow', target_flow, keep_context: this.#dice.chance(0.6) } };
  }

  /** A stage at its place: now and then with policies, and with a way to begin anew. */
  #bound(stage: StagePart): StagePart {
    const dice = this.#dice;
    const policies = Array.from({ length: dice.pick([0, 0, 0, 1, 1, 2]) }, () => this.#policy());
    const invalid_response_action = dice.pick(['retry', 'retry', 'retry', 'retry', 'restart', 'restart_with_context']);
    const atPlan = policies.length > 0 && dice.chance(0.2);
    const when = atPlan ? { evaluate_on_plan: true, re_evaluate_policies: false } : {};
    const binding = { invalid_response_action, policy_engine_mode: dice.pick(['any', 'all']), ...when };
    return { ...stage, policies, binding };
  }

  #policy(): Attrs {
    const dice = this.#dice;
    const bound = { negate: dice.chance(0.25), failure_result: dice.chance(0.25), enabled: dice.chance(0.9) };
    if (dice.chance(0.15)) return { group: '!Find [authentik_core.group, [name, random staff]]', ...bound };
    const name = `${this.#slug}-${this.#policies.length}`;
    this.#policies.push(name);
    return { policy: `!Find [tests.saying, [name, ${name}]]`, ...bound };
  }
}
