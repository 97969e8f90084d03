import { type IncomingHttpHeaders, request } from 'node:http';
import type { WireChallenge } from '../../src/protocol/challenge.ts';

/** What a server answered. */
export interface WebAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly cookies: readonly string[];
  readonly text: string;
  /** The body as JSON. */
  json(): Record<string, unknown>;
}

export interface WebRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Several parts are sent as chunks, without a length. */
  readonly body?: string | readonly string[];
}

/**
 * One request as it is, over a connection of its own to a server on this machine: nothing is added but host and length,
 * and no redirect is followed.
 */
export function send(
  origin: string,
  path: string,
  { method = 'GET', headers = {}, body }: WebRequest = {},
): Promise<WebAnswer> {
  const { host, port } = new URL(origin);
  const length = typeof body === 'string' ? { 'content-length': String(Buffer.byteLength(body)) } : {};
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, headers: { host, ...length, ...headers } };
    let answered = false;
    const sending = request({ ...options, agent: false }, (incoming) => {
      answered = true;
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (part: string) => {
        text += part;
      });
      incoming.on('error', reject);
      incoming.on('end', () =>
        resolve({
          ...{ status: incoming.statusCode ?? 0, headers: incoming.headers, text },
          cookies: incoming.headers['set-cookie'] ?? [],
          json: () => JSON.parse(text) as Record<string, unknown>,
        }),
      );
    });
    // A server that has said its answer may stop reading.
    sending.on('error', (error) => (answered ? undefined : reject(error)));
    for (const part of typeof body === 'string' ? [body] : (body ?? [])) sending.write(part);
    sending.end();
  });
}

/** One browser, over real HTTP: it keeps cookies, sends its origin with what it posts, and knows its current step. */
export class WebClient {
  readonly origin: string;
  /** Where it sends its requests: the origin itself, or a node behind it. */
  node: string;
  readonly cookies = new Map<string, string>();
  challenge: WireChallenge = { component: '' };
  step: string | null = null;
  #path = '';

  constructor(origin: string, node = origin) {
    this.origin = origin;
    this.node = node;
  }

  /** Any request with this browser's cookies. */
  async request(path: string, init: WebRequest = {}): Promise<WebAnswer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...(cookie === '' ? {} : { cookie }), ...init.headers };
    const answer = await send(this.node, path, { ...init, headers });
    for (const set of answer.cookies) {
      const [pair = ''] = set.split(';');
      const at = pair.indexOf('=');
      this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return answer;
  }

  /** Another window, or a thief with a copy of all that this browser has. */
  twin(): WebClient {
    const twin = new WebClient(this.origin, this.node);
    for (const [name, value] of this.cookies) twin.cookies.set(name, value);
    twin.challenge = this.challenge;
    twin.step = this.step;
    twin.#path = this.#path;
    return twin;
  }

  /** Opens a flow as JSON. */
  async open(flow: string, query = ''): Promise<WireChallenge> {
    this.#path = `/api/v3/flows/executor/${flow}/?query=${encodeURIComponent(query)}`;
    return this.#take(await this.request(this.#path));
  }

  /** Answers the current challenge. */
  async answer(body: Record<string, unknown> = {}): Promise<WireChallenge> {
    return this.#take(await this.post(body));
  }

  /** Answers the current challenge and gives the raw answer back. */
  post(body: Record<string, unknown> = {}, headers: Record<string, string> = {}): Promise<WebAnswer> {
    return this.request(this.#path, {
      method: 'POST',
      body: JSON.stringify({ component: this.challenge.component, ...body }),
      headers: {
        ...{ 'content-type': 'application/json', origin: this.origin },
        ...(this.step === null ? {} : { 'doorward-step': this.step }),
        ...headers,
      },
    });
  }

  /** Sends a form as a browser does. */
  submit(path: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<WebAnswer> {
    return this.request(path, {
      method: 'POST',
      body: new URLSearchParams(fields).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: this.origin, ...headers },
    });
  }

  /** Opens the page of a flow and sends its form. */
  async fill(path: string, fields: Record<string, string>): Promise<WebAnswer> {
    return this.submit(path, { ...hiddenFields((await this.request(path)).text), ...fields });
  }

  /** Username of whoever is signed in. */
  async whoAmI(): Promise<string | null> {
    const answer = await this.request('/api/v3/core/users/me/');
    if (answer.status === 403) return null;
    return (answer.json() as { user: { username: string } }).user.username;
  }

  #take(answer: WebAnswer): WireChallenge {
    if (answer.status !== 200) throw new Error(`status ${answer.status}: ${answer.text}`);
    const step = answer.headers['doorward-step'];
    this.step = typeof step === 'string' ? step : null;
    this.challenge = answer.json() as unknown as WireChallenge;
    return this.challenge;
  }
}

/** The hidden fields of a page's form, as a browser would send them back. */
export function hiddenFields(page: string): Record<string, string> {
  const fields = [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
  return Object.fromEntries(fields.map(([, name = '', value = '']) => [name, value]));
}

/** What the shipped sign-up asks. */
export function signUp(username: string, password = 'correct horse battery'): Record<string, string> {
  return { username, name: 'Ada', email: `${username}@example.com`, password, password_repeat: password };
}
