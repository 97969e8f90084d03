import { createHash } from 'node:crypto';
import type { JsonObject } from '../kernel/json.ts';
import { type Crossing, nobodyObject, userObject } from './expression-values.ts';
import type { CompiledFlow } from './flow.ts';
import type { PlanContext } from './plan-context.ts';
import type { PolicyVerdict } from './policy.ts';
import type { Reads, Tools } from './ports.ts';
import type { Group, User } from './user.ts';
import type { Visitor } from './visitor.ts';

/** What an expression is asked about, and with what: a policy's request, or a prompt's. */
export interface ExpressionScene {
  /** What the code belongs to, for logs: `policy "name"`. */
  readonly name: string;
  readonly flow: { readonly slug: string; readonly objects?: CompiledFlow['objects'] };
  readonly context: PlanContext;
  readonly visitor: Visitor;
  /** Whom it is about, where that may be shown; called when the code names somebody. */
  user(): Promise<User | null>;
  readonly read: Reads;
  readonly tools: Tools;
  /** Where other policies can be asked. */
  readonly call?: (name: string, context: Readonly<Record<string, unknown>>) => Promise<PolicyVerdict>;
}

/** Reads of one evaluation: what was read once is not read again, and what the code does not name is not read. */
export class ExpressionReads {
  readonly #scene: ExpressionScene;
  readonly #source: string;
  readonly #crossing: Crossing;
  readonly #groups = new Map<number, Promise<readonly Group[]>>();
  #subject: Promise<User | null> | null = null;

  constructor(scene: ExpressionScene, source: string, crossing: Crossing) {
    this.#scene = scene;
    this.#source = source;
    this.#crossing = crossing;
  }

  /** Whether the code names this at all. */
  names(name: string): boolean {
    return this.#source.includes(name);
  }

  /** Whom the code is about. */
  subject(): Promise<User | null> {
    this.#subject ??= this.#scene.user();
    return this.#subject;
  }

  /** The user's groups and their ancestors. */
  groupsOf(id: number): Promise<readonly Group[]> {
    const known = this.#groups.get(id) ?? this.#scene.read.groupsOf(id);
    this.#groups.set(id, known);
    return known;
  }

  /** A user as the code sees one. */
  async userObject(user: User | null): Promise<JsonObject> {
    if (user === null) return nobodyObject();
    return userObject(user, this.#crossing, {
      ...(this.names('is_superuser')
        ? { is_superuser: (await this.groupsOf(user.id)).some((one) => one.isSuperuser) }
        : {}),
      ...(this.names('uid') ? { uid: createHash('sha256').update(user.uuid).digest('hex') } : {}),
    });
  }
}
