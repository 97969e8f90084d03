/**
 * @typedef {import('./connection.js').Connection} Connection
 * @typedef {import('./connection.js').Answer} Answer
 * @typedef {'better-auth' | 'doorward'} Peer
 */

const executor = '/api/v3/flows/executor/default-enrollment-flow/?query=';
export const password = 'correct horse battery staple';

/**
 * What one new visitor does to be a signed-in user, and the checks that it came about; each returns the cookies that the
 * visitor has in the end, and throws when anything else than success was answered.
 *
 * @type {Record<Peer, (connection: Connection, name: string) => Promise<string>>}
 */
export const enrollments = {
  async 'better-auth'(connection, name) {
    const json = { name, email: `${name}@example.com`, password };
    const answer = await connection.request('POST', '/api/auth/sign-up/email', { json });
    if (answer.status !== 200) throw unexpected('sign-up', answer);
    if (!answer.cookies.some((cookie) => cookie.includes('session_token='))) throw unexpected('no session', answer);
    return answer.cookies.join('; ');
  },

  async doorward(connection, name) {
    return answerDoorward(connection, await askDoorward(connection), name);
  },
};

/**
 * The GET of an enrollment at Doorward.
 *
 * @param {Connection} connection
 * @returns {Promise<string>} the cookies that the visitor gets
 */
export async function askDoorward(connection) {
  const asked = await connection.request('GET', executor);
  const challenge = asked.status === 200 ? JSON.parse(asked.body) : {};
  if (challenge.component !== 'ak-stage-prompt') throw unexpected('first challenge', asked);
  return asked.cookies.join('; ');
}

/**
 * The POST that makes the user and signs it in.
 *
 * @param {Connection} connection
 * @param {string} cookie
 * @param {string} name
 * @returns {Promise<string>} the cookies of the session
 */
export async function answerDoorward(connection, cookie, name) {
  const answers = { username: name, name, email: `${name}@example.com`, password, password_repeat: password };
  const json = { component: 'ak-stage-prompt', ...answers };
  const ended = await connection.request('POST', executor, { cookie, json });
  const end = ended.status === 200 ? JSON.parse(ended.body) : {};
  if (end.component !== 'xak-flow-redirect') throw unexpected('end of the flow', ended);
  if (ended.cookies.length === 0) throw unexpected('no session', ended);
  return ended.cookies.join('; ');
}

/**
 * @param {string} what
 * @param {Answer} answer
 */
function unexpected(what, { status, cookies, body }) {
  return new Error(`${what}: ${status}, ${cookies.length} cookies, ${body.slice(0, 300)}`);
}
