import { isPlainObject, type Json, type JsonObject } from '../kernel/json.ts';
import { isSecretName } from '../kernel/secret-names.ts';
import { masked } from '../kernel/secrets.ts';
import { isStorable } from '../kernel/text.ts';
import { eventActor } from './acting.ts';
import type { Effect } from './effects.ts';
import type { HostFunction } from './expression-accounts.ts';
import type { ExpressionReads, ExpressionScene } from './expression-scene.ts';
import type { Crossing } from './expression-values.ts';

const mostLines = 10;
const mostEvents = 10;
const longestValue = 100;

/** What one evaluation notes down: lines of the log at once, events with its policy's verdict. */
export class ExpressionNotes {
  readonly #scene: ExpressionScene;
  readonly #reads: ExpressionReads;
  readonly #crossing: Crossing;
  readonly events: Effect[] = [];
  #lines = 0;

  constructor(scene: ExpressionScene, reads: ExpressionReads, crossing: Crossing) {
    this.#scene = scene;
    this.#reads = reads;
    this.#crossing = crossing;
  }

  /** The functions that note something down, by the name that they are called by. */
  functions(): Readonly<Record<string, HostFunction>> {
    return {
      ak_logger: ([level, message], named) => {
        this.#log(String(level), message ?? null, named);
        return null;
      },
      ak_create_event: async ([action], context) => {
        if (typeof action !== 'string' || action === '' || action.length > 200 || !isStorable(action))
          throw new Error('ak_create_event: the first argument is the action, a short text');
        if (this.events.length === mostEvents) throw new Error(`it creates more than ${mostEvents} events`);
        this.events.push(await this.event(`custom_${action}`, context));
        return null;
      },
    };
  }

  /** An event about whoever the code is about; what tells of a secret by its name or value is masked. */
  async event(action: string, context: JsonObject): Promise<Effect> {
    const { visitor, flow, tools, name } = this.#scene;
    const { address, requestId } = visitor;
    const at = tools.now();
    const told = { ...(this.#told('', context) as JsonObject), by: name };
    const actor = eventActor(visitor, await this.#reads.subject());
    return {
      kind: 'event',
      event: { action, ...actor, context: told, address, requestId, flow: flow.slug, at },
    };
  }

  #log(level: string, message: Json, named: JsonObject): void {
    this.#lines += 1;
    if (this.#lines > mostLines) return;
    const words = (value: Json) => this.#crossing.logged(typeof value === 'string' ? value : JSON.stringify(value));
    const members = Object.entries(named).map(([key, value]) => {
      return [key, isSecretName(key) ? masked : words(value).slice(0, longestValue)] as const;
    });
    const { name, flow, tools } = this.#scene;
    tools.log('info', `${name} says`, {
      ...{ level, message: words(message), flow: flow.slug },
      fields: Object.fromEntries(members),
    });
  }

  #told(name: string, value: Json): Json {
    if (isSecretName(name)) return masked;
    if (typeof value === 'string') return this.#crossing.told(value);
    if (Array.isArray(value)) return value.map((item: Json) => this.#told('', item));
    if (!isPlainObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#told(key, item as Json)]));
  }
}
