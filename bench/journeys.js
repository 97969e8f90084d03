import { enrollments } from './enrollments.js';

/**
 * @typedef {import('./connection.js').Connection} Connection
 * @typedef {import('./connection.js').Answer} Answer
 * @typedef {import('./enrollments.js').Peer} Peer
 * @typedef {'enrollment' | 'sign-in' | 'recovery'} Journey
 *
 * @typedef {object} Visitor
 * @property {string} name
 * @property {string} password as it is now
 */

let passwords = 0;

/**
 * What one visitor does; each returns the cookies that they have in the end, and throws when anything else than success
 * was answered. All but the enrollment are for who is enrolled, in a browser that has no cookies.
 *
 * @type {Record<Journey, Record<Peer, (connection: Connection, visitor: Visitor) => Promise<string>>>}
 */
export const journeys = {
  enrollment: {
    'better-auth': (connection, { name }) => enrollments['better-auth'](connection, name),
    doorward: (connection, { name }) => enrollments.doorward(connection, name),
  },

  'sign-in': {
    async 'better-auth'(connection, { name, password }) {
      const json = { email: addressOf(name), password };
      const answer = await connection.request('POST', '/api/auth/sign-in/email', { json });
      if (answer.status !== 200) throw unexpected('sign-in', answer);
      if (!answer.cookies.some((cookie) => cookie.includes('session_token='))) throw unexpected('no session', answer);
      return answer.cookies.join('; ');
    },

    async doorward(connection, { name, password }) {
      const browser = new Browser(connection, 'default-authentication-flow');
      await browser.open('ak-stage-identification');
      await browser.answer({ uid_field: addressOf(name) }, 'ak-stage-password');
      await browser.answer({ password }, 'xak-flow-redirect');
      return browser.cookie;
    },
  },

  recovery: {
    async 'better-auth'(connection, visitor) {
      const email = addressOf(visitor.name);
      const asked = await connection.request('POST', '/api/auth/request-password-reset', { json: { email } });
      if (asked.status !== 200) throw unexpected('asking for the message', asked);
      const token = await mailed(connection, email);
      const newPassword = nextPassword();
      const json = { newPassword, token };
      const set = await connection.request('POST', '/api/auth/reset-password', { json });
      if (set.status !== 200) throw unexpected('the new password', set);
      visitor.password = newPassword;
      return '';
    },

    async doorward(connection, visitor) {
      const email = addressOf(visitor.name);
      const browser = new Browser(connection, 'default-recovery-flow');
      await browser.open('ak-stage-identification');
      await browser.answer({ uid_field: email }, 'ak-stage-email');
      await browser.answer({ code: await mailed(connection, email) }, 'ak-stage-prompt');
      const password = nextPassword();
      await browser.answer({ password, password_repeat: password }, 'xak-flow-redirect');
      visitor.password = password;
      return browser.cookie;
    },
  },
};

/** @param {string} name */
function addressOf(name) {
  return `${name}@example.com`;
}

function nextPassword() {
  passwords += 1;
  return `correct horse battery staple ${passwords}`;
}

/**
 * The secret of the newest message to an address, which the peer's process keeps.
 *
 * @param {Connection} connection
 * @param {string} address
 */
async function mailed(connection, address) {
  const kept = await connection.request('GET', `/bench-mail/${address}`);
  if (kept.status !== 200 || kept.body === '') throw unexpected('the kept message', kept);
  return kept.body;
}

/** A browser in one of Doorward's flows: it keeps cookies. */
class Browser {
  #connection;
  #path;
  /** @type {Map<string, string>} */
  #cookies = new Map();
  #component = '';

  /** @param {Connection} connection @param {string} flow */
  constructor(connection, flow) {
    this.#connection = connection;
    this.#path = `/api/v3/flows/executor/${flow}/?query=`;
  }

  get cookie() {
    return [...this.#cookies].map((pair) => pair.join('=')).join('; ');
  }

  /** @param {string} component what must be asked */
  async open(component) {
    this.#take(await this.#connection.request('GET', this.#path), component);
  }

  /** @param {Record<string, string>} answers @param {string} component what must come next */
  async answer(answers, component) {
    const json = { component: this.#component, ...answers };
    this.#take(await this.#connection.request('POST', this.#path, { cookie: this.cookie, json }), component);
  }

  /** @param {Answer} answer @param {string} component */
  #take(answer, component) {
    this.#component = answer.status === 200 ? JSON.parse(answer.body).component : '';
    if (this.#component !== component) throw unexpected(component, answer);
    for (const cookie of answer.cookies) {
      const at = cookie.indexOf('=');
      this.#cookies.set(cookie.slice(0, at), cookie.slice(at + 1));
    }
  }
}

/**
 * @param {string} what
 * @param {Answer} answer
 */
function unexpected(what, { status, cookies, body }) {
  return new Error(`${what}: ${status}, ${cookies.length} cookies, ${body.slice(0, 300)}`);
}
