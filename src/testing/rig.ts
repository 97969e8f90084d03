/**
 * The test kit: a whole Doorward in the test's own process, and visitors who walk its flows over its HTTP interface.
 * Nothing is mocked but the cost of hashing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseOption, DoorwardOptions, Hasher } from '../app/options.ts';
import { createDoorward, type Doorward } from '../index.ts';
import type { WireChallenge } from '../protocol/challenge.ts';

/** A hasher that costs nothing and hides nothing. Never use it outside of tests. */
export const openHasher: Hasher = {
  hash: async (password) => `plain:${password}`,
  verify: async (stored, password) => ({ ok: stored === `plain:${password.normalize('NFC')}`, renew: false }),
  decoy: async () => {},
};

/** A busy machine may take long about little. */
const patienceMs = 60_000;

const unbounded = { perClient: Number.POSITIVE_INFINITY, inAll: Number.POSITIVE_INFINITY };

/** Counters against guessing as ever; but a test's visitors come from one address, and do in a moment what takes hours. */
const unhurried = { passwords: unbounded, messages: unbounded, codes: unbounded, signUps: unbounded };

/** A Doorward to test flows on. */
export interface Rig {
  readonly auth: Doorward;
  readonly origin: string;
  /** A new browser, without cookies. */
  visitor(options?: VisitorOptions): Visitor;
  close(): Promise<void>;
}

export interface VisitorOptions {
  /** Socket address, 192.0.2.1 by default. */
  readonly address?: string;
  readonly language?: string;
}

/**
 * Starts a Doorward on a throwaway SQLite file, or on the database given.
 *
 * @example
 * const rig = await createRig({ blueprints: [{ name: 'mine.yaml', text }] });
 * const visitor = rig.visitor();
 * await visitor.open('my-flow');
 * visitor.expectAsk('ak-stage-prompt');
 */
export async function createRig(options: Partial<DoorwardOptions> = {}): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'doorward-'));
  const database: DatabaseOption = { patienceMs, ...(options.database ?? { sqlite: join(folder, 'doorward.sqlite') }) };
  const origin = options.publicUrl ?? 'http://localhost:9000';
  const auth = await createDoorward({
    secretKey: 'the secret key of a test which is no secret',
    publicUrl: origin,
    hasher: openHasher,
    rateLimits: unhurried,
    ...{ expressionLimitMs: patienceMs, hookTimeoutMs: patienceMs },
    ...options,
    database,
  });
  return {
    auth,
    origin,
    visitor: (visitorOptions) => new Visitor(auth, origin, visitorOptions),
    async close() {
      await auth.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One browser: it keeps cookies, and remembers the step it was shown. */
export class Visitor {
  readonly #auth: Doorward;
  readonly #origin: string;
  readonly #options: VisitorOptions;
  readonly cookies = new Map<string, string>();
  #path = '';
  #step: string | null = null;
  /** The last challenge. */
  challenge: WireChallenge = { component: '' };

  constructor(auth: Doorward, origin: string, options: VisitorOptions = {}) {
    this.#auth = auth;
    this.#origin = origin;
    this.#options = options;
  }

  /** Token of the step that was shown last; null after an end. */
  get step(): string | null {
    return this.#step;
  }

  /** A second window of the same browser: it shares cookies as they are now. */
  clone(): Visitor {
    const twin = new Visitor(this.#auth, this.#origin, this.#options);
    for (const [name, value] of this.cookies) twin.cookies.set(name, value);
    twin.#path = this.#path;
    twin.#step = this.#step;
    twin.challenge = this.challenge;
    return twin;
  }

  /** Any request with this browser's cookies; answers are kept like a browser keeps them. */
  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.cookies.size > 0 && !headers.has('cookie'))
      headers.set('cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    if (this.#options.language !== undefined) headers.set('accept-language', this.#options.language);
    const request = new Request(new URL(path, this.#origin), { ...init, headers });
    const response = await this.#auth.fetch(request, { address: this.#socket });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      const at = pair.indexOf('=');
      if (/max-age=0/i.test(cookie)) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  }

  /** Opens a flow: shows its current challenge. `query` is the page's own query string. */
  async open(flow: string, query = ''): Promise<WireChallenge> {
    this.#path = `/api/v3/flows/executor/${flow}/?query=${encodeURIComponent(query)}`;
    return this.#take(await this.request(this.#path));
  }

  /** Answers the current challenge, saying which step is answered. */
  async answer(body: Record<string, unknown> = {}): Promise<WireChallenge> {
    return this.#take(await this.post({ component: this.challenge.component, ...body }, this.#step));
  }

  /** Sends a raw answer; `step` null leaves the step token out. */
  post(body: unknown, step: string | null = null): Promise<Response> {
    return this.request(this.#path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: {
        'content-type': 'application/json',
        origin: this.#origin,
        ...(step === null ? {} : { 'doorward-step': step }),
      },
    });
  }

  /** Fails unless this component is asked; returns the challenge. */
  expectAsk(component: string): WireChallenge {
    if (this.challenge.component !== component)
      throw new Error(`expected ${component}, but was shown ${JSON.stringify(this.challenge)}`);
    return this.challenge;
  }

  /** Fails unless the flow came to its end there. */
  expectEnd(to = '/'): void {
    this.expectAsk('xak-flow-redirect');
    if (this.challenge.to !== to) throw new Error(`expected an end at ${to}, but it is ${String(this.challenge.to)}`);
  }

  /** Fails unless access was denied, with this message if one is given. */
  expectDenied(message?: string): void {
    const { error_message: said } = this.expectAsk('ak-stage-access-denied');
    if (message !== undefined && said !== message)
      throw new Error(`expected "${message}", but it says "${String(said)}"`);
  }

  /** Fails unless the answer was refused at this field with this code. */
  expectProblem(field: string, code: string): void {
    const problems = this.challenge.response_errors?.[field] ?? [];
    if (!problems.some((problem) => problem.code === code))
      throw new Error(`expected ${code} at ${field}, but was shown ${JSON.stringify(this.challenge.response_errors)}`);
  }

  get #socket(): string {
    return this.#options.address ?? '192.0.2.1';
  }

  /** Who is signed in here. */
  async whoAmI(): Promise<string | null> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const request = new Request(this.#origin, { headers: { cookie } });
    const signedIn = await this.#auth.session(request, { address: this.#socket });
    return signedIn?.user.username ?? null;
  }

  async #take(response: Response): Promise<WireChallenge> {
    this.#step = response.headers.get('doorward-step');
    this.challenge = (await response.json()) as WireChallenge;
    if (response.status !== 200) throw new Error(`status ${response.status}: ${JSON.stringify(this.challenge)}`);
    return this.challenge;
  }
}
