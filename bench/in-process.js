import { createDoorward } from 'doorward';
import { secret } from './peers/control.js';

/** Keeps passwords as they are. */
export const plainHasher = {
  hash: async (/** @type {string} */ password) => password,
  verify: async (/** @type {string} */ stored, /** @type {string} */ password) => ({
    ok: stored === password,
    renew: false,
  }),
  decoy: async () => {},
};

const origin = 'http://127.0.0.1';
const executor = `${origin}/api/v3/flows/executor/default-enrollment-flow/?query=`;

const slug = 'bench-import';
/** A flow of one stage, for runs without a browser: without passwords nothing is hashed, what is left is the write. */
export const importFlow = {
  slug,
  name: `${slug}.yaml`,
  text: `version: 1
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: { slug: ${slug} }
    attrs: { name: Import, title: Import, designation: enrollment }
  - model: authentik_stages_user_write.userwritestage
    id: write
    identifiers: { name: ${slug}-write }
    attrs: { user_creation_mode: always_create, user_type: external }
  - model: authentik_flows.flowstagebinding
    identifiers: { target: !KeyOf flow, stage: !KeyOf write, order: 10 }
`,
};

/**
 * Doorward as a library in this process, hashing and rate limits off.
 *
 * @param {string} database `postgres://…`, else the path of an SQLite file
 * @param {Partial<import('doorward').DoorwardOptions>} [options]
 */
export function openDoorward(database, options = {}) {
  return createDoorward({
    database: database.startsWith('postgres') ? { postgres: database } : { sqlite: database },
    ...{ secretKey: secret, publicUrl: origin, rateLimits: false, hasher: plainHasher },
    ...options,
  });
}

/**
 * The GET of an enrollment.
 *
 * @param {import('doorward').Doorward} auth
 * @returns {Promise<string>} the visitor's cookie
 */
export async function ask(auth) {
  const answer = await auth.fetch(new Request(executor), { address: '127.0.0.1' });
  await expect(answer, 'ak-stage-prompt');
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
}

/**
 * The POST that makes the user.
 *
 * @param {import('doorward').Doorward} auth
 * @param {string} cookie
 * @param {string} name
 */
export async function answer(auth, cookie, name) {
  const password = 'correct horse battery staple';
  const body = JSON.stringify({
    ...{ component: 'ak-stage-prompt', username: name, name, email: `${name}@example.com` },
    ...{ password, password_repeat: password },
  });
  const headers = { cookie, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
  const request = new Request(executor, { method: 'POST', body, headers });
  await expect(await auth.fetch(request, { address: '127.0.0.1' }), 'xak-flow-redirect');
}

/**
 * @param {Response} answer
 * @param {string} component
 */
async function expect(answer, component) {
  const text = await answer.text();
  if (answer.status !== 200 || JSON.parse(text).component !== component)
    throw new Error(`${component} was expected: ${answer.status}, ${text.slice(0, 300)}`);
}
