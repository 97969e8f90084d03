import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WireChallenge } from '../../src/protocol/challenge.ts';
import { publicUrl } from './cluster.ts';

/** What a server said. */
export interface Answer {
  readonly status: number;
  readonly challenge: WireChallenge;
  /** Token of the step that is shown. */
  readonly step: string | null;
  readonly cookie: string | null;
}

/** Gives the address of a server that is up. */
export interface Door {
  address(): Promise<string>;
}

/** How a visitor's way through a flow ended. */
export type Ending = 'done' | 'taken' | 'conflict' | 'denied' | 'nowhere';

/** What happened to requests. */
export interface Tally {
  answers: number;
  /** The connection went before the answer came. */
  lost: number;
  /** By status, all that is not 200. */
  readonly refused: Record<number, number>;
}

export function newTally(): Tally {
  return { answers: 0, lost: 0, refused: {} };
}

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
const mostTries = 400;
/** Statuses that mean: send the same again. */
const passing = new Set([429, 503]);

/** One browser that does not give up: after a lost connection or a 503 it sends the same step again, to any server. */
export class DrillVisitor {
  readonly #door: Door;
  readonly #tally: Tally;
  #path = '';
  cookie: string | null = null;
  step: string | null = null;
  challenge: WireChallenge = { component: '' };

  constructor(door: Door, tally: Tally) {
    this.#door = door;
    this.#tally = tally;
  }

  async open(flow: string): Promise<WireChallenge> {
    this.#path = `/api/v3/flows/executor/${flow}/?query=`;
    return this.take(await this.#persist('GET'));
  }

  /** Answers the current step. */
  async answer(body: Readonly<Record<string, unknown>>): Promise<WireChallenge> {
    return this.take(await this.send(body));
  }

  /** Sends an answer to the current step, without looking at what comes back. */
  send(body: Readonly<Record<string, unknown>>): Promise<Answer> {
    return this.#persist('POST', JSON.stringify({ component: this.challenge.component, ...body }));
  }

  /** Goes on from what a server said. */
  take(answer: Answer): WireChallenge {
    if (answer.cookie !== null) this.cookie = answer.cookie;
    this.step = answer.step;
    this.challenge = answer.challenge;
    return answer.challenge;
  }

  /** Walks the flow from what is shown to its end, with what the prompts ask for out of `answers`. */
  async walk(answers: Readonly<Record<string, unknown>>): Promise<Ending> {
    for (let steps = 0; steps < 12; steps += 1) {
      const ending = endingOf(this.challenge);
      if (ending !== null) return ending;
      await this.answer(asked(this.challenge, answers));
    }
    return 'nowhere';
  }

  /** Username of whoever is signed in here. */
  async whoAmI(): Promise<string | null> {
    const kept = this.#path;
    this.#path = '/api/v3/core/users/me/';
    const { status, challenge } = await this.#persist('GET').finally(() => {
      this.#path = kept;
    });
    return status === 200 ? (challenge as unknown as { user: { username: string } }).user.username : null;
  }

  async #persist(method: 'GET' | 'POST', body = ''): Promise<Answer> {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const answer = await this.#once(await this.#door.address(), method, body).catch(() => null);
      if (answer !== null) {
        this.#tally.answers += 1;
        if (answer.status !== 200) this.#tally.refused[answer.status] = (this.#tally.refused[answer.status] ?? 0) + 1;
        if (!passing.has(answer.status)) return answer;
      } else this.#tally.lost += 1;
      await sleep(5 + Math.random() * 20 * Math.min(tries, 10));
    }
    throw new Error(`no server took ${method} ${this.#path} in ${mostTries} tries`);
  }

  #once(address: string, method: string, body: string): Promise<Answer> {
    const posted = {
      ...{ origin: publicUrl, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) },
      ...(this.step === null ? {} : { 'doorward-step': this.step }),
    };
    const headers = {
      ...(this.cookie === null ? {} : { cookie: this.cookie }),
      ...(method === 'POST' ? posted : {}),
    };
    return new Promise((resolve, reject) => {
      const sending = request(new URL(this.#path, address), { method, headers, agent }, (incoming) => {
        let text = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (part: string) => {
          text += part;
        });
        incoming.on('error', reject);
        incoming.on('end', () => {
          const step = incoming.headers['doorward-step'];
          const [cookie = null] = (incoming.headers['set-cookie'] ?? []).map((set) => set.split(';')[0] ?? '');
          const challenge = text.startsWith('{') ? (JSON.parse(text) as WireChallenge) : { component: text };
          resolve({
            status: incoming.statusCode ?? 0,
            challenge,
            cookie,
            step: typeof step === 'string' ? step : null,
          });
        });
      });
      sending.on('error', reject);
      sending.end(body);
    });
  }
}

/** How a flow ended with this challenge; null when it goes on. */
export function endingOf({ component, response_errors: problems = {} }: WireChallenge): Ending | null {
  if (component === 'xak-flow-redirect') return 'done';
  if (component !== 'ak-stage-prompt') return 'denied';
  const codes = Object.values(problems).flatMap((found) => found.map(({ code }) => code));
  if (problems.username !== undefined && codes.includes('unique')) return 'taken';
  if (codes.includes('conflict')) return 'conflict';
  return codes.length > 0 ? 'denied' : null;
}

/** Of the answers those that a prompt asks for. */
export function asked(challenge: WireChallenge, answers: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields = challenge.fields as readonly { readonly field_key: string; readonly initial_value?: unknown }[];
  return Object.fromEntries(fields.map(({ field_key: key, initial_value }) => [key, answers[key] ?? initial_value]));
}

/** Does something with each, at most so many at the same time. */
export async function inParallel<T>(
  items: readonly T[],
  most: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const left = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of left) await work(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
}
